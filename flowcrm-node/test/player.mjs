// Plays a story through the package: reads it from standard input, and writes what came of each step.

import {text} from "node:stream/consumers";
import {FlowCrmError, Listing, open} from "../index.mjs";
import operations from "../lib/operations.js";

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const story = JSON.parse(await text(process.stdin));
const crm = await open(story.url, {secret: story.secret, migrate: true});
const people = {};
const saved = {};

function resolve(value) {
  if (typeof value === "string" && value.startsWith("$")) {
    const [name, ...path] = value.slice(1).split(".");
    return path.reduce((found, part) => found?.[part], saved[name]);
  }
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner)]));
  }
  return value;
}

async function take(step) {
  const fields = resolve(step.fields);
  if (step.do === "register" || step.do === "signIn") {
    people[step.save] = await crm[step.do](fields);
    return null;
  }
  const [group, name] = step.do.split(".");
  const methods = people[step.as][group];
  if (name === "import") {
    const file = (async function* () {
      yield Buffer.from(step.file);
    })();
    file.path = "file.csv";
    return methods.importCsv(file, fields);
  }
  if (name === "export") {
    const chunks = [];
    for await (const chunk of methods.export(fields)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }
  const {takesId, takesFields} = operations[group][camel(name)];
  const options = {};
  if (step.version !== null) options.version = resolve(step.version);
  if (step.key !== null) options.idempotencyKey = step.key;
  const answer = methods[camel(name)](...(takesId ? [resolve(step.id)] : []), ...(takesFields ? [fields] : []), options);
  return answer instanceof Listing ? answer.all() : answer;
}

const outcomes = [];
for (const step of story.steps) {
  try {
    const answer = (await take(step)) ?? null;
    if (step.save !== null) saved[step.save] = answer;
    outcomes.push({answer});
  } catch (error) {
    if (!(error instanceof FlowCrmError)) throw error;
    outcomes.push({code: error.code, fields: error.errors.map((bad) => bad.field)});
  }
}
await crm.close();
process.stdout.write(JSON.stringify(outcomes));
