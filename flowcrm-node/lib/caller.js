"use strict";

// One user: a group of methods for each group of operations, made from the generated table.

const {call} = require("./call.js");
const {badField} = require("./error.js");
const {chunksOf, importCsv} = require("./files.js");
const {json, optionalText, text, version} = require("./input.js");
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
  if (IMPORTED.includes(name)) made.importCsv = (file, options) => importCsv(caller, name, file, options);
  if (EXPORTED.includes(name)) {
    made.export = (filters, {signal} = {}) => chunksOf(() => caller.export(name, json(filters)), signal);
  }
  if (name === "imports") {
    made.rejectedFile = (id, {signal} = {}) => chunksOf(() => caller.rejectedFile(text(id, "id")), signal);
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
  const {signal, version: known, idempotencyKey, ...unknown} = rest.shift() ?? {};
  for (const name of [...Object.keys(unknown), ...rest.map(() => "argument")]) throw badField(name, "is not an option here");
  const asked = {id, version: version(known), idempotencyKey: optionalText(idempotencyKey, "Idempotency-Key")};
  // What is counted once need not be counted for every page.
  const fieldsThen = cursor === undefined ? fields : {...fields, cursor, count: false};
  const body = json(fieldsThen);
  const answer = await call((cancellation) => caller.call(operation.id, body, asked, cancellation), signal);
  return JSON.parse(answer);
}

module.exports = {Caller};
