// What must never end the process: wrong types, strange texts, closed handles, exits.

import assert from "node:assert/strict";
import {spawnSync} from "node:child_process";
import {existsSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {FlowCrmError, open} from "../index.mjs";
import {SECRET, inFolder, withCrm} from "./support.mjs";

const deep = Array.from({length: 100}).reduce((inner) => [inner], []);
const cycle = [];
cycle.push(cycle);
const VALUES = [
  5, true, null, Symbol("x"), () => 1, NaN, Infinity, 10n ** 50n, new Date(NaN), new Map(), {a: 1}, ["x"], deep, cycle,
  "\ud800", "x".repeat(10_000_000), "nul\0", Buffer.from("x"), Promise.resolve("x"),
];

withCrm("a wrong value is refused by its field", async (me) => {
  for (const value of VALUES) {
    await assert.rejects(me.leads.create({name: value}), (error) => {
      assert.ok(error instanceof FlowCrmError, String(error));
      assert.deepEqual(error.errors.map((bad) => bad.field), ["name"]);
      return true;
    });
  }
  for (const fields of [5, "x", [], new Map(), {name: "Ada", "\ud800": 1}, {name: "Ada", ["x".repeat(1e6)]: 1}]) {
    await assert.rejects(me.leads.create(fields), FlowCrmError);
  }
});

withCrm("wrong ids, versions, keys and options are refused", async (me) => {
  const lead = await me.leads.create({name: "Ada"});
  for (const id of [5, null, undefined, "\ud800", "x".repeat(1e6), {}]) {
    await assert.rejects(me.leads.get(id), FlowCrmError);
  }
  for (const version of ["1", 1.5, NaN, 1e300, {}]) {
    await assert.rejects(me.leads.update(lead.id, {}, {version}), FlowCrmError);
  }
  for (const idempotencyKey of ["", "x".repeat(201), "é", 5]) {
    await assert.rejects(me.leads.create({name: "Ada"}, {idempotencyKey}), FlowCrmError);
  }
  await assert.rejects(me.leads.create({name: "Ada"}, {colour: 1}), FlowCrmError);
  await assert.rejects(me.leads.create({name: "Ada"}, {}, {}), FlowCrmError);
});

inFolder("a wrong URL is an error", async (folder) => {
  for (const url of ["", "mysql://x", "sqlite:/no/such/folder/x.db", "postgres://127.0.0.1:1/x", 5, "\ud800"]) {
    await assert.rejects(open(url, {secret: SECRET}), FlowCrmError);
  }
  await assert.rejects(open(`sqlite:${join(folder, "x.db")}`, {secret: "short"}), FlowCrmError);
  await assert.rejects(open("sqlite::memory:", {money: "gold"}), FlowCrmError);
});

withCrm("a closed CRM says so", async (me, crm) => {
  const listing = me.leads.list();
  await crm.close();
  await crm.close();
  await assert.rejects(me.leads.create({name: "Ada"}), {code: "unavailable"});
  await assert.rejects(listing.all(), {code: "unavailable"});
});

inFolder("an exit with calls in flight is quiet", async (folder) => {
  const script = `
    import {open} from ${JSON.stringify(new URL("../index.mjs", import.meta.url).href)};
    const crm = await open(process.argv[1]);
    const me = await crm.register({name: "A", email: "a@b.example", password: "correct horse", orgName: "O"});
    for (let number = 0; number < 500; number += 1) me.leads.create({name: "x"}).catch(() => {});
    setTimeout(() => process.exit(0), 20);
  `;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const url = `sqlite:${join(folder, `${attempt}.db`)}`;
    const done = spawnSync(process.execPath, ["--input-type=module", "-e", script, url], {encoding: "utf8"});
    assert.deepEqual([done.status, done.signal, done.stderr], [0, null, ""]);
  }
});

inFolder("what nobody closes neither holds the process nor is heard of", async (folder) => {
  const script = `
    import {open} from ${JSON.stringify(new URL("../index.mjs", import.meta.url).href)};
    const crm = await open(process.argv[1]);
    await crm.worker();
    const me = await crm.register({name: "A", email: "a@b.example", password: "correct horse", orgName: "O"});
    for (let number = 0; number < 300; number += 1) await me.leads.create({name: "x"});
    for await (const lead of me.leads.list({limit: 10})) break;
    for await (const chunk of me.leads.export()) break;
    me.leads.create({name: "last"}).then((lead) => console.log(lead.name));
  `;
  const command = ["--input-type=module", "-e", script, `sqlite:${join(folder, "crm.db")}`];
  const done = spawnSync(process.execPath, command, {encoding: "utf8", timeout: 60_000});
  assert.deepEqual([done.status, done.signal, done.stdout, done.stderr], [0, null, "last\n", ""]);
});

/** Keeps what the long proof saw. */
function note(engine, seen) {
  const file = new URL("../../docs/figures/memory-node.json", import.meta.url);
  const figures = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const noted = {...figures, command: "make prove-languages", [engine]: seen};
  writeFileSync(file, `${JSON.stringify(noted, null, 2)}\n`);
}

/** Short here; FLOWCRM_PROOF=long makes 100,000 calls of it. */
withCrm("memory stays flat", async (me, _, url) => {
  const calls = process.env.FLOWCRM_PROOF === "long" ? 100_000 : 4_000;
  const lead = await me.leads.create({name: "Ada"});
  const call = async (times) => {
    for (let number = 0; number < times; number += 1) {
      await me.leads.get(lead.id);
      if (number % 10 === 0) await me.leads.create({name: ""}).catch(() => {});
    }
    globalThis.gc?.();
  };
  await call(calls / 2);
  const before = process.memoryUsage.rss();
  await call(calls);
  const grown = process.memoryUsage.rss() - before;
  if (calls === 100_000) note(url.split(":")[0], {calls, residentKiB: before >> 10, grownKiB: grown >> 10});
  assert.ok(grown < 24 * 1024 * 1024, `${grown} bytes`);
});
