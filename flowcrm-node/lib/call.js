"use strict";

// Calls: awaited, given up by a signal, and told as errors of this package.

const native = require("../native.js");
const {refused} = require("./error.js");

/** What a promise of the native half comes to. */
async function settled(promise) {
  try {
    return await promise;
  } catch (error) {
    throw refused(error);
  }
}

/** What a call comes to; when the signal is aborted meanwhile, the call is given up. */
async function call(begin, signal) {
  if (signal === undefined || signal === null) return settled(begin());
  signal.throwIfAborted();
  const cancellation = new native.Cancellation();
  const cancel = () => cancellation.cancel();
  signal.addEventListener("abort", cancel, {once: true});
  try {
    return await settled(begin(cancellation));
  } catch (error) {
    // A call that had come to its end before keeps its outcome.
    throw signal.aborted && !("status" in error) ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

module.exports = {call, settled};
