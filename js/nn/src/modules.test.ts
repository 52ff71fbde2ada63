import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderGraph, type AlknetGraph } from "@alknet/flowgraph";
import { cases } from "./testing/cases.ts";

// nn/template_test.cc of alknet/compute compares these graphs with those of the C++ modules of the same names.
const file = join(process.cwd(), "nn/src/testing/modules.json");

/** One line a graph. */
function document(): string {
  const line = (name: string, graph: AlknetGraph) => `${JSON.stringify(name)}: ${JSON.stringify(graph)}`;
  const lines = cases().map(({ name, template, training }) => line(name, renderGraph(template, { training })));
  return `{\n${lines.join(",\n")}\n}\n`;
}

test("The graphs of the modules are those that are compared with C++", () => {
  const written = document();
  if (process.env["ALKNET_WRITE_CASES"] === "1") writeFileSync(file, written);
  const known = existsSync(file) ? readFileSync(file, "utf8") : "";
  assert.ok(known === written, "the modules changed: run ALKNET_WRITE_CASES=1 node js/test.mjs nn, then the C++ test");
});
