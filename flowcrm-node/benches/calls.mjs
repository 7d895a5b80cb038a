// Measures calls from Node: through FlowCRM, and by hand with better-sqlite3. Called by `make bench-languages`.

import {randomBytes} from "node:crypto";
import {text} from "node:stream/consumers";
import {open} from "../index.mjs";

const ACTOR = `SELECT u.name, u.role, u.is_operator, o.name AS org_name, o.currency, o.time_zone
FROM users u JOIN organizations o ON o.id = u.org_id WHERE u.org_id = :org AND u.id = :user AND u.active`;

const LEAD = `SELECT l.*,
EXISTS (SELECT 1 FROM activities a WHERE a.org_id = l.org_id AND a.lead_id = l.id) AS has_activities,
EXISTS (SELECT 1 FROM deals d WHERE d.org_id = l.org_id AND d.lead_id = l.id) AS has_deals
FROM leads l WHERE l.org_id = :org AND l.id = :lead`;

const CREATE = `INSERT INTO leads (org_id, id, name, company, status, value, owner_id, is_converted, search, version,
created_at, updated_at) VALUES (:org, :lead, :name, 'Eckert-Mauchly', 'NEW', 125050, :user, 0, '', 1, :now, :now)`;

const asked = JSON.parse(await text(process.stdin));

async function perSecond(call) {
  for (let number = 0; number < 200; number += 1) await call(number);
  let count = 0;
  const begun = performance.now();
  for (;;) {
    const elapsed = (performance.now() - begun) / 1000;
    if (elapsed >= asked.seconds) return count / elapsed;
    await call(count * 7);
    count += 1;
  }
}

const crm = await open(asked.url, {secret: asked.secret});
const me = await crm.asUser(asked.email);
const ids = asked.leads;
const measured = {
  Node: {
    read: await perSecond((number) => me.leads.get(ids[number % ids.length])),
    create: await perSecond((number) =>
      me.leads.create({name: `Jean Bartik ${number}`, company: "Eckert-Mauchly", value: 1250.5}),
    ),
  },
};
await crm.close();

if (asked.url.startsWith("sqlite:")) {
  const {default: Database} = await import("better-sqlite3");
  const database = new Database(asked.url.slice("sqlite:".length));
  database.pragma("foreign_keys = ON");
  database.pragma("synchronous = NORMAL");
  const {org_id: org, id: user} = database.prepare("SELECT org_id, id FROM users").get();
  const [actor, lead, create] = [ACTOR, LEAD, CREATE].map((statement) => database.prepare(statement));
  const keys = ids.map((id) => Buffer.from(id.replaceAll("-", ""), "hex"));
  const read = database.transaction((number) => {
    actor.get({org, user});
    return lead.get({org, lead: keys[number % keys.length]});
  });
  const write = database.transaction((number) => {
    create.run({org, user, lead: randomBytes(16), name: `Jean Bartik ${number}`, now: new Date().toISOString()});
  });
  measured["better-sqlite3"] = {read: await perSecond(read), create: await perSecond((number) => write.immediate(number))};
}
process.stdout.write(JSON.stringify(measured));
