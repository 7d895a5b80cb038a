"use strict";

// Files that go in and out: paths, bytes, or streams of them.

const {createReadStream} = require("node:fs");
const {basename} = require("node:path");
const {fileURLToPath} = require("node:url");
const {settled} = require("./call.js");
const {FlowCrmError, badField} = require("./error.js");
const {json, text} = require("./input.js");

/** So much of a file is sent at once. */
const PIECE = 256 * 1024;

/** The name and the pieces of a file. */
function opened(file) {
  if (typeof file === "string" || file instanceof URL) {
    const path = file instanceof URL ? fileURLToPath(file) : file;
    return {name: basename(path), pieces: read(path)};
  }
  if (file instanceof Uint8Array) return {name: "import.csv", pieces: sliced(file)};
  if (typeof file?.[Symbol.asyncIterator] === "function") {
    // Whoever iterates is told of a failure, also of one before that; an event that nobody listens to ends the process.
    file.on?.("error", () => {});
    const name = typeof file.path === "string" ? basename(file.path) : "import.csv";
    return {name, pieces: file};
  }
  throw badField("file", "must be a path, bytes, or a stream of bytes");
}

/** The pieces of a file, which is opened when the first is asked for. */
async function* read(path) {
  yield* createReadStream(path, {highWaterMark: PIECE});
}

function* sliced(bytes) {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}

async function begun(caller, kind, name, options) {
  return settled(caller.beginImport(kind, text(name, "file"), json(options)));
}

/** Imports a file, and resolves when it is done. */
async function importCsv(caller, kind, file, {onProgress, signal, ...options} = {}) {
  signal?.throwIfAborted();
  const {name, pieces} = opened(file);
  const upload = await begun(caller, kind, name, options).catch((error) => {
    file.destroy?.();
    throw error;
  });
  let done;
  try {
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
      if (!(bytes instanceof Uint8Array)) throw badField("file", "must be a stream of bytes");
      await settled(upload.push(bytes));
    }
    done = JSON.parse(await settled(upload.finish()));
  } catch (error) {
    await settled(upload.abandon());
    throw error;
  }
  const run = await settled(caller.runImport(done.id));
  for (;;) {
    // The import goes on in the background when nobody waits for it any more.
    signal?.throwIfAborted();
    const now = await settled(run.next());
    if (now === null) break;
    done = JSON.parse(now);
    await onProgress?.(done);
  }
  if (done.state === "FAILED") {
    throw new FlowCrmError(done.error ?? "The import failed.", {code: "validation_failed", status: 400});
  }
  return done;
}

/** The chunks of a file that is being written. */
async function* chunksOf(begin, signal) {
  signal?.throwIfAborted();
  const chunks = await settled(begin());
  for (;;) {
    signal?.throwIfAborted();
    const chunk = await settled(chunks.next());
    if (chunk === null) return;
    yield chunk;
  }
}

module.exports = {chunksOf, importCsv};
