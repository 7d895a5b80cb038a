// A CRM on each engine that is at hand: SQLite always, Postgres where FLOWCRM_TEST_POSTGRES names a server.

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

async function onServer(statement) {
  const client = new pg.Client({connectionString: SERVER});
  await client.connect();
  await client.query(statement);
  await client.end();
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
