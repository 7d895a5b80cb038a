// Prints how large the native files are.
import {readdirSync, statSync} from "node:fs";

const folder = new URL("..", import.meta.url);
for (const name of readdirSync(folder).filter((name) => name.endsWith(".node"))) {
  console.log(`${name}: ${(statSync(new URL(name, folder)).size / 1e6).toFixed(1)} MB`);
}
