import { type OpRow, opRowsText } from "./op_rows.ts";

/** One input of an operation on tensors. */
export interface OpInput {
  readonly name: string;
  /** Accepted dtypes after promotion. */
  readonly dtypes: readonly string[];
  readonly optional: boolean;
  /** Takes a list of tensors. */
  readonly variadic: boolean;
  /** Takes part in promotion. */
  readonly promotes: boolean;
}

/** One output: `dtype` is `promoted`, a dtype, or the name of an input or parameter that has it. */
export interface OpOutput {
  readonly name: string;
  readonly dtype: string;
  readonly variadic: boolean;
}

/** What templates need to know of an operation of the op table; `docs/operations.md` describes them. */
export interface OpSpec {
  readonly name: string;
  readonly inputs: readonly OpInput[];
  readonly outputs: readonly OpOutput[];
  /** Parameters that may be left out, and what they are then. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
  readonly promotion: string;
  readonly shape: string;
}

const integers = ["i8", "u8", "i32", "u32", "i64"];
const floats = ["f16", "bf16", "f32", "f64"];
const blocks = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k"];
const groups: Readonly<Record<string, readonly string[]>> = {
  all: ["bool", ...integers, ...floats],
  number: [...integers, ...floats],
  float: floats,
  integer: integers,
  block: blocks,
};

function readInput(text: string): OpInput {
  const [, name = "", marks = "", dtypes = ""] = /^(\w+)([?*!]*):(.*)$/.exec(text) ?? [];
  const has = (mark: string) => marks.includes(mark);
  const accepted = groups[dtypes] ?? dtypes.split(" ");
  return { name, dtypes: accepted, optional: has("?"), variadic: has("*"), promotes: !has("!") };
}

function readOutput(text: string): OpOutput {
  const [, name = "", variadic = "", dtype = ""] = /^(\w+)(\*?):(.*)$/.exec(text) ?? [];
  return { name, dtype, variadic: variadic !== "" };
}

function readRow([name, , inputs, defaults, required, outputs, promotion, shape]: OpRow): OpSpec {
  return {
    name,
    inputs: inputs.map(readInput),
    outputs: outputs.map(readOutput),
    defaults,
    required,
    promotion,
    shape,
  };
}

/** Operations on tensors by name and alias. */
export interface OpTable {
  find(name: string): OpSpec | undefined;
  names(): readonly string[];
}

/** A table of rows; an operation is read when it is asked for. */
export function opTable(rows: readonly OpRow[]): OpTable {
  const places = new Map(rows.flatMap((row) => [row[0], ...row[1]].map((name) => [name, row] as const)));
  const specs = new Map<string, OpSpec>();
  return {
    find(name) {
      const row = places.get(name);
      if (row === undefined) return undefined;
      const known = specs.get(row[0]) ?? readRow(row);
      specs.set(row[0], known);
      return known;
    },
    names: () => [...places.keys()],
  };
}

let builtin: OpTable | undefined;
function builtinTable(): OpTable {
  builtin ??= opTable(JSON.parse(opRowsText) as OpRow[]);
  return builtin;
}

/** The operations that every alknet program has, read when one is first asked for. */
export const builtinOps: OpTable = {
  find: (name) => builtinTable().find(name),
  names: () => builtinTable().names(),
};

/** The name in the op table of an operation `tensor/<op>`; nothing for other operations. */
export function tensorOpName(operation: string): string | undefined {
  return operation.startsWith("tensor/") ? operation.slice("tensor/".length) : undefined;
}
