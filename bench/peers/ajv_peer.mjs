// ajv under node as a peer: JSON Schema validation. The protocol is that of alknet_bench.cc.
// Usage: node ajv_peer.mjs FOLDER, where FOLDER is the node_modules that has ajv.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const folder = process.argv[2];
const Ajv = createRequire(`${folder}/`)("ajv/dist/2020").default;
const { version } = JSON.parse(readFileSync(`${folder}/ajv/package.json`, "utf8"));

let current;

function answer(request) {
  if (request.prepare) {
    const { schema, instance } = request.prepare;
    const validate = new Ajv({ strict: false }).compile(schema);
    current = () => {
      if (!validate(instance)) throw new Error("the instance is not valid");
    };
    for (let i = 0; i < 20; ++i) current();
    return { ready: true, version: `ajv ${version}, node ${process.versions.node}` };
  }
  const begin = performance.now();
  for (let i = 0; i < request.run; ++i) current();
  return { seconds: (performance.now() - begin) / 1000 };
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = answer(JSON.parse(line));
  } catch (error) {
    reply = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
