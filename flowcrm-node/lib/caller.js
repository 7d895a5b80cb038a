"use strict";

// One user: a group of methods for each group of operations, made from the generated table.

const {call} = require("./call.js");
const {badField} = require("./error.js");
const {chunksOf, importCsv} = require("./files.js");
const {abortSignal, json, optionalText, options, text, version} = require("./input.js");
const {Listing} = require("./listing.js");
const operations = require("./operations.js");

const IMPORTED = ["leads", "deals"];
const EXPORTED = ["leads", "deals", "tasks"];

class Caller {
  #caller;

  constructor(caller) {
    this.#caller = caller;
    for (const [name, methods] of Object.entries(operations)) {
      Object.defineProperty(this, name, {value: group(caller, name, methods), enumerable: true});
    }
  }

  /** The user's id. */
  get id() {
    return this.#caller.userId;
  }
}

function group(caller, name, methods) {
  const made = {};
  for (const [method, operation] of Object.entries(methods)) {
    made[method] = (...taken) => perform(caller, operation, taken);
  }
  if (IMPORTED.includes(name)) made.importCsv = (file, given) => importCsv(caller, name, file, given);
  if (EXPORTED.includes(name)) {
    made.export = (filters, given) => chunksOf((giveUp) => caller.export(name, json(filters), giveUp), given);
  }
  if (name === "imports") {
    made.rejectedFile = (id, given) => chunksOf((giveUp) => caller.rejectedFile(text(id, "id"), giveUp), given);
  }
  return Object.freeze(made);
}

function perform(caller, operation, taken) {
  if (operation.isPaged) return new Listing((cursor) => ask(caller, operation, taken, cursor));
  return ask(caller, operation, taken).then(({value}) => value ?? undefined);
}

/** Asks for an operation: `(id?, fields?, options?)`, as the table says. */
async function ask(caller, operation, taken, cursor) {
  const rest = [...taken];
  const id = operation.takesId ? text(rest.shift(), "id") : undefined;
  const fields = operation.takesFields ? rest.shift() : undefined;
  const {signal, version: known, idempotencyKey} = options(rest.shift(), operation.options);
  if (rest.length > 0) throw badField("argument", "is not an option here");
  const asked = {id, version: version(known), idempotencyKey: optionalText(idempotencyKey, "Idempotency-Key")};
  // What is counted once need not be counted for every page.
  const fieldsThen = cursor === undefined ? fields : {...fields, cursor, count: false};
  const body = json(fieldsThen);
  const answer = await call((giveUp) => caller.call(operation.id, body, asked, giveUp), abortSignal(signal));
  return JSON.parse(answer);
}

module.exports = {Caller};
