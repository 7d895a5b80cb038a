"use strict";

/** Anything that goes wrong in FlowCRM: a stable `code`, the HTTP `status`, and all bad fields as `errors`. */
class FlowCrmError extends Error {
  constructor(message, {code = "internal_error", status = 500, errors = [], cause} = {}) {
    super(message, cause === undefined ? undefined : {cause});
    this.name = "FlowCrmError";
    this.code = code;
    this.status = status;
    this.errors = errors;
  }
}

/** The error for one bad field. */
function badField(field, message) {
  return badFields([{field, message}]);
}

/** The error for these bad fields. */
function badFields(errors) {
  const sentences = errors.map(({field, message}) => `${field} ${message}`);
  return new FlowCrmError(sentences.join("; "), {code: "validation_failed", status: 400, errors});
}

/** What the native half has refused, as an error of this one. */
function refused(error) {
  let described;
  try {
    described = JSON.parse(error.message);
  } catch {
    return error;
  }
  const {message, code, status, errors, cause} = described;
  return new FlowCrmError(message, {code, status, errors, cause: cause === null ? undefined : new Error(cause)});
}

module.exports = {FlowCrmError, badField, badFields, refused};
