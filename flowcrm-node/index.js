"use strict";

// The CRM that you import.

const native = require("./native.js");
const {settled} = require("./lib/call.js");
const {FlowCrmError, badField} = require("./lib/error.js");
const {json, optionalText, options, text} = require("./lib/input.js");
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

  async register(fields) {
    return new Caller(await settled(this.#native.register(json(fields))));
  }

  async signIn(fields) {
    return new Caller(await settled(this.#native.signIn(json(fields))));
  }

  async asUser(idOrEmail) {
    return new Caller(await settled(this.#native.asUser(text(idOrEmail, "id"))));
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
  const {secret, migrate = false, money = "number"} = options(given, ["secret", "migrate", "money"]);
  if (money !== "number" && money !== "string") throw badField("money", "must be 'number' or 'string'");
  if (typeof migrate !== "boolean") throw badField("migrate", "must be true or false");
  return new Crm(await settled(native.open(text(url, "url"), optionalText(secret, "secret"), migrate, money === "string")));
}

module.exports = {Caller, Crm, FlowCrmError, Listing, Worker, open};
