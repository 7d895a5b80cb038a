// What a user of the package may get wrong; TypeScript finds each.

import {open} from "../../index.mjs";

const crm = await open("sqlite:crm.db", {colour: "red"}); // wrong
const me = await crm.signIn({email: "ada@example.com", password: "correct horse"});
await me.leads.create({nam: "Charles"}); // wrong
await me.leads.create({name: 5}); // wrong
me.leads.list({status: "SOLD"}); // wrong
const lead = await me.leads.get("x");
console.log(lead.colour); // wrong
const text: string = lead.value; // wrong
await me.leads.get(); // wrong
console.log(me.boats, text); // wrong
const exact = await open("sqlite:crm.db", {money: "string"});
const amount: number = (await (await exact.asUser("ada@example.com")).leads.get("x")).value; // wrong
await me.leads.get("x", {version: 1}); // wrong
console.log(amount);
