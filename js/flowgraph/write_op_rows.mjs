// Writes src/op_rows.ts from the op table: node js/flowgraph/write_op_rows.mjs
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));

/** One entry of the table as a row of op_rows.ts. */
function rowOf(op) {
  const group = (dtypes) => (Array.isArray(dtypes) ? dtypes.join(" ") : dtypes);
  const marks = (input) =>
    `${input.optional ? "?" : ""}${input.variadic ? "*" : ""}${input.promotes === false ? "!" : ""}`;
  const parameters = Object.entries(op.parameters ?? {});
  return [
    op.name,
    op.aliases ?? [],
    op.inputs.map((input) => `${input.name}${marks(input)}:${group(input.dtypes)}`),
    Object.fromEntries(
      parameters.filter(([, schema]) => "default" in schema).map(([name, { default: value }]) => [name, value]),
    ),
    parameters.filter(([, schema]) => !("default" in schema)).map(([name]) => name),
    op.outputs.map((output) => `${output.name}${output.variadic ? "*" : ""}:${output.dtype}`),
    op.promotion,
    op.shape,
  ];
}

/** The text of op_rows.ts for a folder of op table files. */
export function opRows(table) {
  const files = readdirSync(table)
    .filter((name) => name.endsWith(".json"))
    .sort();
  const ops = files.flatMap((name) => JSON.parse(readFileSync(join(table, name), "utf8")));
  const rows = ops.map((op) => `  ${JSON.stringify(rowOf(op))}`);
  return [
    "// Written by write_op_rows.mjs from the op table (alknet/graph/ops); a test compares them.",
    "",
    "/** Name, aliases, inputs, defaults of parameters, required parameters, outputs, promotion and shape rule. */",
    "export type OpRow = readonly [",
    "  string,",
    "  readonly string[],",
    "  readonly string[],",
    "  Readonly<Record<string, unknown>>,",
    "  readonly string[],",
    "  readonly string[],",
    "  string,",
    "  string,",
    "];",
    "",
    "/** The rows as JSON, which costs nothing until it is read. */",
    "export const opRowsText = String.raw`[",
    rows.join(",\n"),
    "]`;",
    "",
  ].join("\n");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(join(folder, "src/op_rows.ts"), opRows(join(folder, "../../alknet/graph/ops")));
}
