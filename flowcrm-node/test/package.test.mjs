// What the package is made of: nothing stale, both kinds of modules, and right to a type checker.

import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {join} from "node:path";
import {test} from "node:test";
import {fileURLToPath} from "node:url";
import fromDefault, * as fromNames from "../index.mjs";
import {inFolder} from "./support.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const run = (...command) => spawnSync(process.execPath, command, {cwd: PACKAGE, encoding: "utf8"});

test("generated files are fresh", () => {
  const done = run("tools/generate.mjs", "--check");
  assert.equal(done.status, 0, done.stderr);
});

test("import and require give the same", () => {
  const required = createRequire(import.meta.url)("../index.js");
  for (const name of Object.keys(required)) {
    assert.equal(fromNames[name], required[name]);
    assert.equal(fromDefault[name], required[name]);
  }
  assert.equal(typeof required.open, "function");
});

test("a user's script is checked by TypeScript", () => {
  const flags = ["--strict", "--noEmit", "--skipLibCheck", "false", "--module", "nodenext", "--target", "es2022"];
  const check = (script) => run("node_modules/typescript/bin/tsc", ...flags, "--types", "node", script);
  const clean = check("test/types/clean.mts");
  assert.equal(clean.status, 0, clean.stdout);
  const mistaken = check("test/types/mistaken.mts");
  const expected = readFileSync(join(PACKAGE, "test/types/mistaken.mts"), "utf8").match(/\/\/ wrong/g).length;
  const found = new Set([...mistaken.stdout.matchAll(/mistaken\.mts\((\d+),/g)].map(([, line]) => line));
  assert.equal(found.size, expected, mistaken.stdout);
});

inFolder("the README runs", async (folder) => {
  const text = readFileSync(join(PACKAGE, "README.md"), "utf8");
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);
  assert.ok(blocks.length >= 3);
  const index = new URL("../index.mjs", import.meta.url).href;
  const script = blocks.join("\n").replaceAll('from "flowcrm"', `from ${JSON.stringify(index)}`);
  writeFileSync(join(folder, "readme.mjs"), script);
  writeFileSync(join(folder, "leads.csv"), "name,email,value\nGrace,grace@example.com,99.5\n,nobody,1\n");
  const done = spawnSync(process.execPath, ["readme.mjs"], {cwd: folder, encoding: "utf8"});
  assert.equal(done.status, 0, done.stderr);
});
