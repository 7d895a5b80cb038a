// Makes leads, as one of several processes that write to one database: `writer.mjs URL EMAIL COUNT`.

import {open} from "../index.mjs";

const [url, email, count] = process.argv.slice(2);
const crm = await open(url);
const me = await crm.asUser(email);
for (let number = 0; number < Number(count); number += 1) await me.leads.create({name: `Lead ${number} of Node`});
await crm.close();
