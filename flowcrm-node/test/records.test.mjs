// Working on records, on each engine.

import assert from "node:assert/strict";
import {createReadStream} from "node:fs";
import {readFile, writeFile} from "node:fs/promises";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {Readable} from "node:stream";
import {test} from "node:test";
import {setTimeout as wait} from "node:timers/promises";
import {FlowCrmError, Listing, open} from "../index.mjs";
import {PASSWORD, SECRET, inFolder, onFile, register, rowsOf, withCrm} from "./support.mjs";

const refusal = (code, fields) => (error) => {
  assert.ok(error instanceof FlowCrmError && error instanceof Error);
  assert.equal(error.code, code);
  if (fields) assert.deepEqual(error.errors.map((bad) => bad.field).sort(), [...fields].sort());
  return true;
};

withCrm("people sign in and have their rights", async (me, crm) => {
  const eve = await me.users.create({name: "Eve", email: "eve@acme.example", password: PASSWORD, role: "SALES"});
  const sales = await crm.signIn({email: "eve@acme.example", password: PASSWORD});
  assert.equal(sales.id, eve.id);
  await assert.rejects(sales.audit.list().all(), refusal("forbidden"));
  await assert.rejects(crm.signIn({email: "eve@acme.example", password: "wrong horse"}), refusal("sign_in_failed"));
  assert.equal((await (await crm.asUser("eve@acme.example")).account.get()).email, "eve@acme.example");
  assert.equal((await crm.asUser(eve.id)).id, eve.id);
  await assert.rejects(crm.asUser("nobody@acme.example"), refusal("not_found"));
  await me.users.deactivate(eve.id);
  await assert.rejects(sales.leads.create({name: "Too late"}), refusal("unauthenticated"));
});

withCrm("records are created, read, changed and deleted", async (me) => {
  const lead = await me.leads.create({name: "Zoë", value: 12.5, assignedToId: me.id});
  assert.deepEqual([lead.value, lead.status, lead.notes], [12.5, "NEW", null]);
  const read = await me.leads.get(lead.id);
  assert.deepEqual({...read, ...lead}, read);
  const due = new Date("2027-01-31T12:00:00Z");
  const task = await me.tasks.create({title: "Call", dueDate: due, assignedToId: me.id});
  assert.equal(task.dueDate, due.toISOString());
  const changed = await me.leads.update(lead.id, {notes: "Hello"}, {version: lead.version});
  assert.equal(changed.version, lead.version + 1);
  const stale = me.leads.update(lead.id, {notes: "Again"}, {version: lead.version});
  await assert.rejects(stale, refusal("stale_version"));
  const converted = await me.leads.convert(lead.id);
  assert.equal(converted.deal.value, 12.5);
  assert.equal(await me.tasks.delete(task.id), undefined);
  await assert.rejects(me.tasks.get(task.id), refusal("not_found"));
  assert.equal(typeof (await me.notifications.markAllRead()), "number");
  assert.equal((await me.dashboard.stats()).totalLeads, 1);
});

withCrm("lists walk their pages", async (me) => {
  for (let number = 0; number < 7; number += 1) await me.leads.create({name: `Lead ${number}`});
  const leads = me.leads.list({limit: 2, count: true, sort: "name"});
  assert.equal(await leads.total(), 7);
  const names = [];
  for await (const lead of leads) names.push(lead.name);
  assert.deepEqual(names, [0, 1, 2, 3, 4, 5, 6].map((number) => `Lead ${number}`));
  assert.equal((await leads.page()).length, 2);
  assert.deepEqual(await me.leads.list({status: "LOST"}).all(), []);
  assert.equal(await me.leads.list().total(), null);
});

withCrm("bad fields are all named", async (me) => {
  const bad = me.deals.create({title: "", expectedClose: "tomorrow", leadId: "x", colour: "red"});
  await assert.rejects(bad, refusal("validation_failed", ["title", "expectedClose", "leadId", "colour"]));
});

withCrm("creating is done once per key", async (me) => {
  const first = await me.leads.create({name: "Once"}, {idempotencyKey: "key-1"});
  assert.deepEqual(await me.leads.create({name: "Once"}, {idempotencyKey: "key-1"}), first);
  await assert.rejects(me.leads.create({name: "Twice"}, {idempotencyKey: "key-1"}), refusal("idempotency_mismatch"));
});

withCrm(
  "money is exact text when asked for",
  async (me) => {
    const lead = await me.leads.create({name: "Rich", value: "9999999999.99"});
    assert.equal(lead.value, "9999999999.99");
    assert.equal((await me.leads.get(lead.id)).value, "9999999999.99");
    assert.equal(lead.version, 1);
  },
  {money: "string"},
);

withCrm("files go in and out", async (me, crm) => {
  const rows = Array.from({length: 1_500}, (_, number) => `Lead ${number},lead${number}@example.com,${number}.50\n`);
  const csv = `Full name,Mail,Worth\n${rows.join("")},bad,1\n`;
  const path = join(tmpdir(), `flowcrm-${process.pid}-${Math.random()}.csv`);
  await writeFile(path, csv);
  const mapping = {name: "Full name", email: "Mail", value: "Worth"};
  const told = [];
  const done = await me.leads.importCsv(path, {mapping, onProgress: (now) => told.push(now)});
  assert.deepEqual([done.state, done.created, done.rejected], ["DONE", 1_500, 1]);
  assert.deepEqual(told.at(-1), done);
  assert.deepEqual((await me.imports.rejected(done.id).all()).map((row) => row.line), [1_502]);
  const read = async (chunks) => {
    const pieces = [];
    for await (const chunk of chunks) pieces.push(chunk);
    return Buffer.concat(pieces).toString();
  };
  assert.match(await read(me.imports.rejectedFile(done.id)), /bad/);
  assert.equal((await read(me.leads.export({minValue: 1_000}))).match(/\n/g).length, 501);
  const again = await me.leads.importCsv(createReadStream(path), {mapping});
  assert.deepEqual([again.created, again.skipped], [0, 1_500]);
  assert.equal((await me.leads.importCsv(await readFile(path), {mapping, dryRun: true})).skipped, 1_500);
  await assert.rejects(me.leads.importCsv(path, {dateOrder: "XYZ"}), refusal("validation_failed", ["options.dateOrder"]));
  await assert.rejects(me.leads.importCsv(5), refusal("validation_failed", ["file"]));
  const worker = await crm.worker();
  await me.imports.undo(done.id);
  for (let round = 0; round < 200 && (await me.imports.get(done.id)).state !== "UNDONE"; round += 1) await wait(50);
  await worker.stop();
  assert.equal(await me.leads.list({count: true}).total(), 0);
});

withCrm("a file that cannot be read is refused, and nothing is left of it", async (me, _, url) => {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await assert.rejects(me.leads.importCsv("/no/such/file.csv"), {code: "ENOENT"});
    await assert.rejects(me.leads.importCsv(createReadStream("/no/such/file.csv")), {code: "ENOENT"});
    const unread = createReadStream("/no/such/file.csv");
    await assert.rejects(me.leads.importCsv(unread, {onProgress: 1}), refusal("validation_failed", ["onProgress"]));
  }
  assert.equal(await rowsOf(url, "imports"), 0);
  for (const [options, field] of [[{dateOrder: "XYZ"}, "options.dateOrder"], [{onProgress: 1}, "onProgress"]]) {
    const stream = createReadStream(new URL(import.meta.url));
    await assert.rejects(me.leads.importCsv(stream, options), refusal("validation_failed", [field]));
    assert.ok(stream.destroyed);
    const kept = createReadStream(new URL(import.meta.url));
    const iterator = kept.iterator({destroyOnReturn: false});
    await assert.rejects(me.leads.importCsv(iterator, options), refusal("validation_failed", [field]));
    assert.ok(!kept.destroyed);
    kept.destroy();
    let isCancelled = false;
    const web = new ReadableStream({cancel: () => (isCancelled = true)});
    await assert.rejects(me.leads.importCsv(web, options), refusal("validation_failed", [field]));
    assert.ok(isCancelled);
  }
});

withCrm("text may arrive in pieces of any length", async (me) => {
  const file = "name,notes\nGrace \u{1f600},\u{1f680}\n";
  const done = await me.leads.importCsv(Readable.from(file.split("")));
  assert.equal(done.created, 1);
  const [lead] = await me.leads.list().all();
  assert.deepEqual([lead.name, lead.notes], ["Grace \u{1f600}", "\u{1f680}"]);
  for (const pieces of [["name\n\ud800", "x\n"], ["name\n\udc00"], ["name\nx\ud800"], ["name\nx\ud800", Buffer.from("x")]]) {
    await assert.rejects(me.leads.importCsv(Readable.from(pieces)), refusal("validation_failed", ["file"]));
  }
  assert.equal((await me.leads.list().all()).length, 1);
});

test("a listing that failed is asked again", async () => {
  const answers = [new Error("away"), {value: [1, 2], next: null, total: 2}];
  const listing = new Listing(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  await assert.rejects(listing.all(), /away/);
  assert.deepEqual([await listing.all(), await listing.total()], [[1, 2], 2]);
});

withCrm("a signal gives a call up", async (me) => {
  await assert.rejects(me.leads.create({name: "Never"}, {signal: AbortSignal.abort()}), {name: "AbortError"});
  const controller = new AbortController();
  const waiting = me.leads.list({}, {signal: controller.signal}).all();
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal((await me.leads.create({name: "After"}, {signal: new AbortController().signal})).name, "After");
  assert.deepEqual((await me.leads.list().all()).map((lead) => lead.name), ["After"]);
});

const rejectedWith = (reason) => (error) => error === reason;

withCrm("a signal ends an import while its file arrives, and nothing is left of it", async (me, _, url) => {
  const reason = new Error("enough");
  const stall = () => new Promise(() => {});
  const stalled = async function* () {
    yield "name\n" + "Grace\n".repeat(10_000);
    await stall();
  };
  const stream = new Readable({read: stall});
  stream.push("name\nGrace\n");
  let isCancelled = false;
  const web = new ReadableStream({pull: stall, cancel: () => (isCancelled = true)});
  for (const file of [stalled(), stream, web]) {
    const controller = new AbortController();
    const importing = me.leads.importCsv(file, {signal: controller.signal});
    setTimeout(() => controller.abort(reason), 50);
    await assert.rejects(importing, rejectedWith(reason));
    assert.equal(await rowsOf(url, "imports"), 0);
  }
  assert.ok(stream.destroyed && isCancelled);
  const unread = Readable.from(["name\nGrace\n"]);
  await assert.rejects(me.leads.importCsv(unread, {signal: AbortSignal.abort(reason)}), rejectedWith(reason));
  assert.ok(unread.destroyed);
  assert.deepEqual(await me.leads.list().all(), []);
});

withCrm("an import whose file has arrived goes on when nobody waits for it", async (me) => {
  const file = Buffer.from("name\n" + "Grace\n".repeat(5_000));
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  await assert.rejects(me.leads.importCsv(file, {onProgress, signal: controller.signal}), {name: "AbortError"});
  const state = async () => (await me.imports.list().all()).map((one) => [one.state, one.created]);
  for (let round = 0; round < 200 && (await state())[0][0] !== "DONE"; round += 1) await wait(50);
  assert.deepEqual(await state(), [["DONE", 5_000]]);
});

withCrm("a signal ends a progress that stalls", async (me) => {
  const controller = new AbortController();
  const onProgress = () => {
    controller.abort();
    return new Promise(() => {});
  };
  const importing = me.leads.importCsv(Buffer.from("name\nGrace\n"), {onProgress, signal: controller.signal});
  await assert.rejects(importing, {name: "AbortError"});
});

withCrm("a signal gives up opening and signing in", async (me, crm, url) => {
  const account = {email: "owner@acme.example", password: PASSWORD};
  const other = {...account, name: "Eve", email: "eve@b.example", orgName: "Other"};
  const slow = [(options) => crm.register(other, options), (options) => crm.signIn(account, options)];
  const quick = [
    (options) => open("sqlite::memory:", {secret: SECRET, ...options}),
    (options) => crm.asUser(me.id, options),
  ];
  for (const call of [...slow, ...quick]) {
    await assert.rejects(call({signal: AbortSignal.abort()}), {name: "AbortError"});
    const controller = new AbortController();
    const calling = call({signal: controller.signal});
    controller.abort();
    const outcome = await calling.catch((error) => error.name);
    // One that is quick may have come to its end before.
    if (slow.includes(call) || typeof outcome === "string") assert.equal(outcome, "AbortError");
    await assert.rejects(call({signals: 1}), refusal("validation_failed", ["signals"]));
  }
  assert.equal((await crm.signIn(account, {signal: new AbortController().signal})).id, me.id);
  assert.equal(await rowsOf(url, "organizations"), 1);
});

withCrm("a signal ends an export", async (me) => {
  await me.leads.importCsv(Buffer.from("name\n" + "Grace\n".repeat(5_000)));
  const controller = new AbortController();
  const reading = (async () => {
    for await (const chunk of me.leads.export({}, {signal: controller.signal})) controller.abort(chunk);
  })();
  await assert.rejects(reading, (reason) => reason instanceof Uint8Array);
  const never = me.leads.export({}, {signal: AbortSignal.abort()});
  await assert.rejects(never.next(), {name: "AbortError"});
});

withCrm("what is not known is not passed over", async (me, crm) => {
  const lead = await me.leads.create({name: "Ada"});
  const account = {email: "owner@acme.example", password: PASSWORD};
  const invalid = (field) => refusal("validation_failed", [field]);
  await assert.rejects(me.leads.get(lead.id, {version: 1}), invalid("version"));
  await assert.rejects(me.leads.update(lead.id, {}, {idempotencyKey: "k"}), invalid("idempotencyKey"));
  await assert.rejects(me.leads.export({}, {signals: 1}).next(), invalid("signals"));
  await assert.rejects(me.leads.export({colour: "red"}).next(), invalid("colour"));
  await assert.rejects(me.imports.rejectedFile(lead.id, {signals: 1}).next(), invalid("signals"));
  await assert.rejects(me.leads.importCsv(Buffer.from("name\nAda\n"), {colour: 1}), invalid("options.colour"));
  await assert.rejects(me.leads.importCsv(Buffer.from("name\nAda\n"), {onProgress: 1}), invalid("onProgress"));
  for (const signal of [1, "x", {aborted: false}]) await assert.rejects(me.leads.get(lead.id, {signal}), invalid("signal"));
  for (const options of [1, "x", []]) await assert.rejects(me.leads.get(lead.id, options), invalid("options"));
  await assert.rejects(crm.signIn({...account, twoFactorToken: "123456"}), invalid("twoFactorToken"));
  await assert.rejects(crm.signIn({...account, code: 123_456}), invalid("code"));
  await assert.rejects(crm.signIn(), refusal("validation_failed", ["email", "password"]));
  assert.equal((await crm.signIn({...account, code: null})).id, me.id);
  assert.equal((await me.leads.get(lead.id, null)).id, lead.id);
});

inFolder("what fails in the background is a warning of the process", async (folder) => {
  const path = join(folder, "crm.db");
  const crm = await open(`sqlite:${path}`);
  const me = await register(crm);
  onFile(path, "CREATE TRIGGER broken BEFORE INSERT ON leads BEGIN SELECT RAISE(ABORT, 'a broken trigger'); END");
  const warnings = [];
  const listen = (warning) => warnings.push(warning);
  process.on("warning", listen);
  await assert.rejects(me.leads.importCsv(Buffer.from("name\nGrace\n")), refusal("validation_failed"));
  for (let round = 0; round < 100 && warnings.length === 0; round += 1) await wait(20);
  process.off("warning", listen);
  assert.equal(warnings[0].name, "FlowCrmWarning");
  assert.match(warnings[0].message, /an import could not go on.*a broken trigger/);
  await crm.close();
});

withCrm("many calls at once", async (me) => {
  const made = await Promise.all(Array.from({length: 80}, (_, number) => me.leads.create({name: `Lead ${number}`})));
  assert.equal(new Set(made.map((lead) => lead.id)).size, 80);
});

withCrm("organizations do not meet", async (me, crm) => {
  const lead = await me.leads.create({name: "Ours"});
  const other = await register(crm, "other");
  await assert.rejects(other.leads.get(lead.id), refusal("not_found"));
});
