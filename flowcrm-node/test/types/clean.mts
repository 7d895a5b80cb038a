// What a user of the package may write; TypeScript finds nothing.

import flowcrm, {FlowCrmError, open, type Lead, type LeadStatus} from "../../index.mjs";

const crm = await open("sqlite:crm.db", {money: "number"});
const me = await crm.signIn({email: "ada@example.com", password: "correct horse"});
const lead: Lead = await me.leads.create({name: "Charles", value: "12.50", status: "NEW"}, {idempotencyKey: "k"});
const status: LeadStatus = lead.status;
const value: number = lead.value;
for await (const one of me.leads.list({status, limit: 10, count: true})) console.log(one.name, value);
await me.leads.update(lead.id, {notes: null}, {version: lead.version, signal: AbortSignal.timeout(1_000)});
const done = await me.leads.importCsv("leads.csv", {mapping: {name: "Full name"}, onProgress: (now) => now.created});
console.log(done.created, (await me.dashboard.stats()).totalLeads, flowcrm.open === open);
for await (const chunk of me.leads.export({status: "NEW"})) console.log(chunk.byteLength);
try {
  await me.deals.get("x");
} catch (error) {
  if (error instanceof FlowCrmError) console.log(error.code, error.errors.map((bad) => bad.field));
}
await crm.close();
const exact = await open("sqlite:crm.db", {money: "string"});
const told: Lead<string> = await (await exact.asUser("ada@example.com")).leads.get(lead.id);
const amount: string = told.value;
const either = await open("sqlite:crm.db", {money: process.argv.length > 2 ? "string" : "number"});
const both: number | string = (await (await either.asUser("ada@example.com")).dashboard.stats()).pipelineValue;
const seen = (await me.deals.get("x")).lead;
console.log(amount, both, seen?.name, seen !== null && "status" in seen ? seen.status : "another's");
