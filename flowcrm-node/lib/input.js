"use strict";

// Values on their way in: what JavaScript gives, as JSON for the core to check.

const {badField, badFields} = require("./error.js");

/** So many levels of lists and objects a value may have. */
const DEEPEST = 32;

/** The fields of a command or query as JSON text; refuses all that JSON cannot say, by field. */
function json(fields) {
  if (fields === undefined || fields === null) return "{}";
  if (!isPlain(fields)) throw badField("fields", "must be an object");
  const object = Object.create(null);
  const errors = [];
  for (const [name, value] of Object.entries(fields)) {
    if (!name.isWellFormed()) errors.push({field: recognizable(name), message: "is not a field here"});
    else if (value !== undefined) {
      try {
        object[name] = said(value, 1);
      } catch (error) {
        if (typeof error !== "string") throw error;
        errors.push({field: recognizable(name), message: error});
      }
    }
  }
  if (errors.length > 0) throw badFields(errors);
  return JSON.stringify(object);
}

/** So much of a name that its author knows it again. */
function recognizable(name) {
  return name.slice(0, 60).toWellFormed();
}

/** A value as JSON says it; throws what is wrong with it. */
function said(value, depth) {
  if (depth > DEEPEST) throw `must have at most ${DEEPEST} levels`;
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw "must be text without lone surrogates";
      return value;
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw "must be a finite number";
      return value;
    case "bigint":
      if (!Number.isSafeInteger(Number(value))) throw "is too large a number";
      return Number(value);
    case "object":
      if (value === null) return null;
      if (value instanceof Date) {
        if (Number.isNaN(value.getTime())) throw "must be a date";
        return value.toISOString();
      }
      if (Array.isArray(value)) return value.map((item) => said(item === undefined ? null : item, depth + 1));
      if (isPlain(value)) {
        const object = Object.create(null);
        for (const [name, inner] of Object.entries(value)) {
          if (!name.isWellFormed()) throw "must have texts without lone surrogates as its names";
          if (inner !== undefined) object[name] = said(inner, depth + 1);
        }
        return object;
      }
  }
  throw "must be text, a number, a date, true or false, a list, an object or null";
}

function isPlain(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Text for the native half; anything else is refused by its name. */
function text(value, field) {
  if (typeof value !== "string") throw badField(field, "must be text");
  if (!value.isWellFormed()) throw badField(field, "must be text without lone surrogates");
  return value;
}

/** Text, or nothing. */
function optionalText(value, field) {
  return value === undefined || value === null ? undefined : text(value, field);
}

/** The version of a record, or nothing. */
function version(value) {
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value)) throw badField("version", "must be a whole number");
  return value;
}

/** The options of a call; refuses others than those known, if any are. */
function options(given, known) {
  if (given === undefined || given === null) return {};
  if (!isPlain(given)) throw badField("options", "must be an object");
  const unknown = known === undefined ? [] : Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw badFields(unknown.map((field) => ({field, message: "is not an option here"})));
  return given;
}

/** A signal that gives a call up, or nothing. */
function abortSignal(value) {
  if (value === undefined || value === null) return undefined;
  if (typeof value.throwIfAborted !== "function") throw badField("signal", "must be an AbortSignal");
  return value;
}

/** The signal of a call that has no other options. */
function signalOf(given) {
  return abortSignal(options(given, ["signal"]).signal);
}

module.exports = {abortSignal, json, optionalText, options, signalOf, text, version};
