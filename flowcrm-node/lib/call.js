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
  if (signal === undefined) return settled(begin());
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

/** What a promise of somebody else comes to, unless the signal is aborted before. */
function unlessAborted(promise, signal) {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, {once: true});
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}

module.exports = {call, settled, unlessAborted};
