// The example of examples/node, as its users run it.

import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import {once} from "node:events";
import {join} from "node:path";
import {createInterface} from "node:readline";
import {fileURLToPath} from "node:url";
import {open} from "../index.mjs";
import {inFolder} from "./support.mjs";

const HOOK = fileURLToPath(new URL("../../examples/node/hook.mjs", import.meta.url));

inFolder("a hook makes leads", async (folder) => {
  const url = `sqlite:${join(folder, "hook.db")}`;
  const hook = spawn(process.execPath, [HOOK, url], {
    env: {...process.env, HOOK_TOKEN: "secret", PORT: "0"},
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(hook, "exit");
  const [address] = await once(createInterface(hook.stdout), "line");
  const post = async (body, headers = {}) => {
    const known = {Authorization: "Bearer secret", "Content-Type": "application/json", ...headers};
    const answer = await fetch(address, {method: "POST", headers: known, body});
    return [answer.status, await answer.json()];
  };
  const [status, lead] = await post('{"name": "Ada"}', {"Idempotency-Key": "form-17"});
  assert.deepEqual([status, lead.name], [201, "Ada"]);
  assert.deepEqual(await post('{"name": "Ada"}', {"Idempotency-Key": "form-17"}), [201, lead]);
  const [refused, why] = await post('{"name": "", "colour": 1}');
  assert.deepEqual([refused, why.errors.map((bad) => bad.field)], [400, ["name", "colour"]]);
  assert.equal((await post("{"))[0], 400);
  assert.equal((await post("x".repeat(100_000)))[0], 413);
  assert.equal((await post("{}", {Authorization: "Bearer wrong!"}))[0], 401);
  assert.equal((await fetch(address)).status, 405);
  hook.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);
  const crm = await open(url);
  assert.equal((await (await crm.asUser("hook@example.com")).leads.list().all()).length, 1);
  await crm.close();
});
