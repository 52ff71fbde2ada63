import type { OpInput, OpSpec } from "./op_table.ts";
import { Mismatch } from "./mismatch.ts";
import type { ValueType } from "./value_type.ts";

/** The kind of a number that stands in the place of a tensor; it promotes weakly. */
export type ScalarKind = "bool" | "int" | "float";

/** What an operation reads at one place: a tensor or a number. */
export type Operand = { readonly type: ValueType } | { readonly scalar: ScalarKind };

const order = ["bool", "i8", "u8", "i32", "u32", "i64", "f16", "bf16", "f32", "f64"];
// Pairs of which neither is the result; of all others the later in `order` wins.
const joins: Readonly<Record<string, string>> = {
  "i8 u8": "i32",
  "i8 u32": "i64",
  "i32 u32": "i64",
  "u8 i32": "i32",
  "f16 bf16": "f32",
};
const scalarDtypes: Readonly<Record<ScalarKind, string>> = { bool: "bool", int: "i64", float: "f32" };

const isFloat = (dtype: string | undefined) => dtype !== undefined && order.indexOf(dtype) >= order.indexOf("f16");

/** What two dtypes promote to, as PyTorch has it; u32 as docs/tensors.md says. */
export function promote(a: string, b: string): string {
  const [low, high] = order.indexOf(a) <= order.indexOf(b) ? [a, b] : [b, a];
  return joins[`${low} ${high}`] ?? high;
}

function join(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined ? (a ?? b) : promote(a, b);
}

/** A lower group counts only where it has a higher class (bool, integers, floats). */
function combine(higher: string | undefined, lower: string | undefined): string | undefined {
  if (higher === undefined || isFloat(higher)) return higher ?? lower;
  return higher === "bool" || isFloat(lower) ? join(higher, lower) : higher;
}

function promotedOf(operands: readonly Operand[]): string {
  let dimensioned: string | undefined;
  let rankZero: string | undefined;
  let scalar: string | undefined;
  for (const operand of operands) {
    if ("scalar" in operand) scalar = join(scalar, scalarDtypes[operand.scalar]);
    else if (operand.type.shape?.length === 0) rankZero = join(rankZero, operand.type.dtype);
    else dimensioned = join(dimensioned, operand.type.dtype);
  }
  return combine(combine(dimensioned, rankZero), scalar) ?? "f32";
}

function requireOne(operands: readonly Operand[]): void {
  const dtypes = new Set(operands.flatMap((operand) => ("type" in operand ? [operand.type.dtype] : [])));
  if (dtypes.size > 1)
    throw new Mismatch("dtype_mismatch", `the inputs need one dtype but have ${[...dtypes].join(" and ")}; cast one`);
}

function requireAccepted(input: OpInput, dtype: string): void {
  if (input.dtypes.includes(dtype)) return;
  throw new Mismatch(
    "dtype_mismatch",
    `"${input.name}" would be ${dtype}; it takes ${input.dtypes.join(", ")}: cast it`,
  );
}

const isBlock = (dtype: string | undefined) => dtype !== undefined && !order.includes(dtype);

/** The dtype that promoting inputs become; nothing where the operation has no promotion. */
function promotedBy(op: OpSpec, operands: readonly (readonly Operand[])[]): string | undefined {
  const all = op.inputs.flatMap((input, index) => (input.promotes ? (operands[index] ?? []) : []));
  const promoting = all.filter((operand) => "scalar" in operand || !isBlock(operand.type.dtype));
  if (op.promotion === "none" || promoting.length === 0) return undefined;
  if (op.promotion === "same") requireOne(promoting);
  const promoted = promotedOf(promoting);
  if (op.promotion === "bool") return "bool";
  if (isFloat(promoted) || op.promotion === "promote" || op.promotion === "same") return promoted;
  return op.promotion === "float" ? "f32" : "i64";
}

function outputDtype(
  op: OpSpec,
  name: string,
  promoted: string | undefined,
  operands: readonly (readonly Operand[])[],
  attributes: Readonly<Record<string, unknown>>,
): string | undefined {
  if (name === "promoted") return promoted;
  if (order.includes(name)) return name;
  const index = op.inputs.findIndex((input) => input.name === name);
  if (index >= 0) {
    const operand = operands[index]?.[0];
    if (promoted !== undefined && op.inputs[index]?.promotes) return promoted;
    return operand !== undefined && "type" in operand ? operand.type.dtype : undefined;
  }
  const value = attributes[name];
  if (typeof value === "string") return value;
  // PyTorch's rule for `full` and `arange` without a dtype.
  return Object.values(attributes).some((each) => typeof each === "number" && !Number.isInteger(each)) ? "f32" : "i64";
}

/**
 * Dtypes of the outputs; undefined where an input's is not known.
 *
 * @throws Mismatch where the operation does not take the dtypes.
 */
export function inferDtypes(
  op: OpSpec,
  operands: readonly (readonly Operand[])[],
  attributes: Readonly<Record<string, unknown>>,
): (string | undefined)[] {
  const known = operands.every((list) => list.every((each) => "scalar" in each || each.type.dtype !== undefined));
  if (!known) return op.outputs.map(({ dtype }) => (order.includes(dtype) ? dtype : undefined));
  const promoted = promotedBy(op, operands);
  op.inputs.forEach((input, index) => {
    for (const operand of operands[index] ?? []) {
      if ("scalar" in operand) continue;
      const dtype = operand.type.dtype as string;
      const reads = promoted !== undefined && input.promotes && !isBlock(dtype) && op.promotion !== "accumulate";
      if (op.promotion !== "bool") requireAccepted(input, reads ? promoted : dtype);
    }
  });
  return op.outputs.map((output) => outputDtype(op, output.dtype, promoted, operands, attributes));
}
