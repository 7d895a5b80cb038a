"use strict";

// Files that go in and out: paths, bytes, or streams of them.

const {createReadStream} = require("node:fs");
const {basename} = require("node:path");
const {fileURLToPath} = require("node:url");
const {call, settled, unlessAborted} = require("./call.js");
const {FlowCrmError, badField} = require("./error.js");
const {abortSignal, json, options, signalOf, text} = require("./input.js");

/** So much of a file is sent at once. */
const PIECE = 256 * 1024;

/** The name of a file, and how what its pieces come from is opened. */
function named(file) {
  if (typeof file === "string" || file instanceof URL) {
    const path = file instanceof URL ? fileURLToPath(file) : file;
    return {name: basename(path), open: () => createReadStream(path, {highWaterMark: PIECE})};
  }
  if (file instanceof Uint8Array) return {name: "import.csv", open: () => sliced(file)};
  if (typeof file?.[Symbol.asyncIterator] === "function") {
    // Whoever iterates is told of a failure, also of one before that; an event that nobody listens to ends the process.
    file.on?.("error", () => {});
    const name = typeof file.path === "string" ? basename(file.path) : "import.csv";
    return {name, open: () => file};
  }
  throw badField("file", "must be a path, bytes, or a stream of bytes");
}

function* sliced(bytes) {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}

/** The pieces that come from a source, until the signal is aborted. The source is closed then. */
async function* piecesOf(source, signal) {
  // The iterator of a web stream would end it after a piece that never comes.
  const web = source.getReader?.();
  const iterator = web
    ? {next: () => web.read(), return: () => web.cancel()}
    : (source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]());
  const bytesOf = encoder();
  try {
    for (;;) {
      const {done, value} = await unlessAborted(iterator.next(), signal);
      const piece = bytesOf(done ? "" : value, done);
      if (piece.length > 0) yield piece;
      if (done) return;
    }
  } finally {
    release(source, iterator);
  }
}

/** Ends what a file's pieces come from. One that has stalled would not answer: nobody waits for it. */
function release(source, iterator = source) {
  source.destroy?.();
  (async () => source.cancel?.())().catch(() => {});
  (async () => iterator.return?.())().catch(() => {});
}

/** What makes bytes of pieces, which may be text that is cut within a pair of surrogates. */
function encoder() {
  let half = "";
  return (piece, isLast = false) => {
    if (typeof piece !== "string") {
      if (!(piece instanceof Uint8Array)) throw badField("file", "must be a stream of bytes");
      if (half === "") return piece;
    }
    const all = half + piece;
    half = isLast ? "" : (/[\ud800-\udbff]$/.exec(all)?.[0] ?? "");
    return Buffer.from(text(all.slice(0, all.length - half.length), "file"));
  };
}

/** Imports a file, and resolves when it is done. */
async function importCsv(caller, kind, file, given) {
  // First of all: an error of a stream that nobody listens to ends the process.
  const {name, open} = named(file);
  const {upload, onProgress, signal} = await begun(caller, kind, name, given).catch((error) => {
    release(file);
    throw error;
  });
  let run;
  try {
    for await (const piece of piecesOf(open(), signal)) await call((giveUp) => upload.push(piece, giveUp), signal);
    run = await call((giveUp) => upload.run(giveUp), signal);
  } catch (error) {
    await settled(upload.abandon());
    throw error;
  }
  let done;
  for (;;) {
    const now = await call((giveUp) => run.next(giveUp), signal);
    if (now === null) break;
    done = JSON.parse(now);
    await unlessAborted(onProgress?.(done), signal);
  }
  if (done.state === "FAILED") {
    throw new FlowCrmError(done.error ?? "The import failed.", {code: "validation_failed", status: 400});
  }
  return done;
}

/** An import that has begun: where its file is to be sent, and how it is followed. */
async function begun(caller, kind, name, given) {
  const {onProgress, signal: asked, ...importing} = options(given);
  const signal = abortSignal(asked);
  if (onProgress !== undefined && typeof onProgress !== "function") throw badField("onProgress", "must be a function");
  const begin = (giveUp) => caller.beginImport(kind, text(name, "file"), json(importing), giveUp);
  return {upload: await call(begin, signal), onProgress, signal};
}

/** The chunks of a file that is being written. */
async function* chunksOf(begin, given) {
  const signal = signalOf(given);
  const chunks = await call(begin, signal);
  for (;;) {
    const chunk = await call((giveUp) => chunks.next(giveUp), signal);
    if (chunk === null) return;
    yield chunk;
  }
}

module.exports = {chunksOf, importCsv};
