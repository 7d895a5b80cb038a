"use strict";

// The CRM that you import.

const native = require("./native.js");
const {call, settled} = require("./lib/call.js");
const {FlowCrmError, badField} = require("./lib/error.js");
const {abortSignal, json, optionalText, options, signalOf, text} = require("./lib/input.js");
const {Listing} = require("./lib/listing.js");
const {Caller} = require("./lib/caller.js");

// What goes wrong where nobody waits for it is for whoever listens to warnings of the process.
native.onWarning((line) => process.emitWarning(line, "FlowCrmWarning"));

/** What works in the background, until it is stopped. */
class Worker {
  #native;

  constructor(worker) {
    this.#native = worker;
  }

  async stop() {
    await settled(this.#native.stop());
  }

  async [Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]() {
    await this.stop();
  }
}

/** A CRM. */
class Crm {
  #native;

  constructor(crm) {
    this.#native = crm;
  }

  async register(fields, given) {
    return new Caller(await call((giveUp) => this.#native.register(json(fields), giveUp), signalOf(given)));
  }

  async signIn(fields, given) {
    return new Caller(await call((giveUp) => this.#native.signIn(json(fields), giveUp), signalOf(given)));
  }

  async asUser(idOrEmail, given) {
    return new Caller(await call((giveUp) => this.#native.asUser(text(idOrEmail, "id"), giveUp), signalOf(given)));
  }

  async worker() {
    return new Worker(await settled(this.#native.worker()));
  }

  async close() {
    await settled(this.#native.close());
  }

  async [Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]() {
    await this.close();
  }
}

async function open(url, given) {
  const {secret, migrate = false, money = "number", signal} = options(given, ["secret", "migrate", "money", "signal"]);
  if (money !== "number" && money !== "string") throw badField("money", "must be 'number' or 'string'");
  if (typeof migrate !== "boolean") throw badField("migrate", "must be true or false");
  const named = text(url, "url");
  const key = optionalText(secret, "secret");
  const begin = (giveUp) => native.open(named, key, migrate, money === "string", giveUp);
  return new Crm(await call(begin, abortSignal(signal)));
}

module.exports = {Caller, Crm, FlowCrmError, Listing, Worker, open};
