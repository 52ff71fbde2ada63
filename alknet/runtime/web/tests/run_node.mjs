// Runs one conformance file in Node, the independent reference, and prints the results as JSON.
import { Console } from "node:console";
import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

globalThis.engine = "node";
globalThis.capture = (body) => {
  const lines = [];
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(chunk.toString().replace(/\n$/, ""));
      done();
    },
  });
  body(new Console({ stdout: stream, stderr: stream }));
  return lines;
};
const here = fileURLToPath(new URL(".", import.meta.url));
for (const name of ["harness.js", process.argv[2]]) {
  vm.runInThisContext(readFileSync(here + name, "utf8"), { filename: name });
}
process.stdout.write(await globalThis.harness.run(), () => process.exit(0));
