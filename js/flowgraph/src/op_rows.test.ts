import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { builtinOps } from "./index.ts";

test("The rows are those of the op table", async () => {
  const folder = join(process.cwd(), "flowgraph");
  const { opRows } = (await import(pathToFileURL(join(folder, "write_op_rows.mjs")).href)) as {
    opRows: (table: string) => string;
  };
  const written = readFileSync(join(folder, "src/op_rows.ts"), "utf8");
  assert.equal(written, opRows(join(folder, "../../alknet/graph/ops")), "run node js/flowgraph/write_op_rows.mjs");
});

test("Operations are found by name and alias", () => {
  assert.equal(builtinOps.find("subtract")?.name, "sub");
  assert.equal(builtinOps.find("nowhere"), undefined);
  assert.deepEqual(builtinOps.find("where")?.inputs[0], {
    name: "condition",
    dtypes: ["bool"],
    optional: false,
    variadic: false,
    promotes: false,
  });
});
