"use strict";

// The CRM that you import.

const native = require("./native.js");
const {settled} = require("./lib/call.js");
const {FlowCrmError, badField} = require("./lib/error.js");
const {json, optionalText, text} = require("./lib/input.js");
const {Listing} = require("./lib/listing.js");
const {Caller} = require("./lib/caller.js");

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

  async signIn(fields = {}) {
    const {code, ...rest} = fields ?? {};
    return new Caller(await settled(this.#native.signIn(json({...rest, twoFactorToken: code}))));
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

async function open(url, {secret, migrate = false, money = "number", ...unknown} = {}) {
  for (const name of Object.keys(unknown)) throw badField(name, "is not an option here");
  if (money !== "number" && money !== "string") throw badField("money", "must be 'number' or 'string'");
  if (typeof migrate !== "boolean") throw badField("migrate", "must be true or false");
  return new Crm(await settled(native.open(text(url, "url"), optionalText(secret, "secret"), migrate, money === "string")));
}

module.exports = {Caller, Crm, FlowCrmError, Listing, Worker, open};
