// An HTTP hook that makes leads: what a form or another service posts as JSON becomes a lead, once.
//
//   cd flowcrm-node && npm install && npm run build
//   HOOK_TOKEN=secret node examples/node/hook.mjs sqlite:hook.db
//   curl localhost:8080/leads -H 'Authorization: Bearer secret' -H 'Content-Type: application/json' \
//     -H 'Idempotency-Key: form-17' -d '{"name": "Ada Lovelace", "email": "ada@example.com"}'
//
// The same Idempotency-Key answers the same lead for 24 hours, so that a sender may repeat what it is not sure of.

import {timingSafeEqual} from "node:crypto";
import {createServer} from "node:http";
import {FlowCrmError, open} from "../../flowcrm-node/index.mjs";

const MOST_BYTES = 64 * 1024;
const token = process.env.HOOK_TOKEN;
if (!token) {
  console.error("HOOK_TOKEN must be set: who posts has to know it");
  process.exit(2);
}

const crm = await open(process.argv[2] ?? "sqlite:hook.db");
const me = await crm.asUser("hook@example.com").catch((error) => {
  if (error.code !== "not_found") throw error;
  return crm.register({name: "Hook", email: "hook@example.com", password: "correct horse battery", orgName: "Hook"});
});

/** Whether the request knows the token; told in the same time for any other. */
function isAllowed(request) {
  const given = Buffer.from(request.headers.authorization ?? "");
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The JSON object that was posted. */
async function body(request) {
  const pieces = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > MOST_BYTES) throw new FlowCrmError("The body is too large.", {code: "body_too_large", status: 413});
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw new FlowCrmError("The body is not valid JSON.", {code: "malformed_body", status: 400});
  }
}

async function answer(request) {
  if (request.url !== "/leads") return [404, {code: "no_such_route"}];
  if (request.method !== "POST") return [405, {code: "method_not_allowed"}];
  if (!isAllowed(request)) return [401, {code: "unauthenticated"}];
  const lead = await me.leads.create(await body(request), {idempotencyKey: request.headers["idempotency-key"]});
  return [201, lead];
}

const server = createServer(async (request, response) => {
  const [status, told] = await answer(request).catch((error) => {
    if (!(error instanceof FlowCrmError)) console.error(error);
    const {status = 500, code = "internal_error", errors = []} = error;
    return [status, {code, errors}];
  });
  response.writeHead(status, {"Content-Type": "application/json"}).end(JSON.stringify(told));
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/leads`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close(() => crm.close()));
}
