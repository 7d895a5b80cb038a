// A CRM on each engine that is at hand: SQLite always, Postgres where FLOWCRM_TEST_POSTGRES names a server.

import {spawnSync} from "node:child_process";
import {randomUUID} from "node:crypto";
import {mkdtemp, rm} from "node:fs/promises";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {test} from "node:test";
import pg from "pg";
import {open} from "../index.mjs";

export const PASSWORD = "correct horse battery";
export const SECRET = "a secret of at least thirty-two bytes";

const SERVER = process.env.FLOWCRM_TEST_POSTGRES;

async function onServer(statement, connectionString = SERVER) {
  const client = new pg.Client({connectionString});
  await client.connect();
  const {rows} = await client.query(statement);
  await client.end();
  return rows;
}

/** Asks a SQLite file, in a process of its own: two copies of SQLite in one process lose each other's locks. */
export function onFile(path, statement) {
  const script = `
    const prepared = new (require("better-sqlite3"))(process.argv[1]).prepare(process.argv[2]);
    console.log(JSON.stringify(prepared.reader ? prepared.all() : prepared.run()));
  `;
  const done = spawnSync(process.execPath, ["-e", script, path, statement], {cwd: new URL("..", import.meta.url)});
  return JSON.parse(done.stdout);
}

/** How many rows a table has, asked past the package. */
export async function rowsOf(url, table) {
  const count = `SELECT count(*) AS rows FROM ${table}`;
  const answer = url.startsWith("sqlite:") ? onFile(url.slice("sqlite:".length), count) : await onServer(count, url);
  return Number(answer[0].rows);
}

/** Runs a test in an empty folder. */
export function inFolder(name, run) {
  test(name, async () => {
    const folder = await mkdtemp(join(tmpdir(), "flowcrm-"));
    try {
      await run(folder);
    } finally {
      await rm(folder, {recursive: true});
    }
  });
}

/** Runs a test on an empty database of each engine; it is told the database's URL. */
export function onEachEngine(name, run) {
  inFolder(`${name} (SQLite)`, (folder) => run(`sqlite:${join(folder, "crm.db")}`));
  if (SERVER === undefined) return;
  test(`${name} (Postgres)`, async () => {
    const database = `node_${randomUUID().replaceAll("-", "")}`;
    await onServer(`CREATE DATABASE ${database}`);
    try {
      await run(`${SERVER.slice(0, SERVER.lastIndexOf("/"))}/${database}`);
    } finally {
      await onServer(`DROP DATABASE ${database} WITH (FORCE)`);
    }
  });
}

/** Runs a test with a CRM on each engine, and the OWNER of a new organization. */
export function withCrm(name, run, options = {}) {
  onEachEngine(name, async (url) => {
    const crm = await open(url, {secret: SECRET, migrate: true, ...options});
    try {
      await run(await register(crm), crm, url);
    } finally {
      await crm.close();
    }
  });
}

/** The OWNER of a new organization. */
export function register(crm, organization = "acme") {
  const email = `owner@${organization}.example`;
  return crm.register({name: "Ada", email, password: PASSWORD, orgName: organization});
}
