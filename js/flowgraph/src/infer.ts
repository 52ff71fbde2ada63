import { inferDtypes, type Operand } from "./dtypes.ts";
import type { OpSpec } from "./op_table.ts";
import { shapeRules } from "./shape_rules.ts";
import { nnShapeRules } from "./shape_rules_nn.ts";
import type { ShapeCall } from "./shapes.ts";
import type { Shape, ValueType } from "./value_type.ts";

const rules = { ...shapeRules, ...nnShapeRules };

const shapeOf = (operand: Operand): Shape | undefined => ("scalar" in operand ? [] : operand.type.shape);

/**
 * Types of an operation's outputs as far as the op table tells: dtypes by its promotion, shapes by the rules that are
 * known here. What is not known stays open; `compute/compile` has the last word.
 *
 * @param operands for each input of the operation its tensors or number; none where it is left out
 * @throws Mismatch for dtypes and shapes that it surely does not take
 */
export function inferOp(
  op: OpSpec,
  operands: readonly (readonly Operand[])[],
  attributes: Readonly<Record<string, unknown>>,
): ValueType[] {
  const full = { ...op.defaults, ...attributes };
  const dtypes = inferDtypes(op, operands, full);
  const place = (input: string) => operands[op.inputs.findIndex(({ name }) => name === input)] ?? [];
  const call: ShapeCall = {
    of: (input) => {
      const [first] = place(input);
      return first === undefined ? undefined : shapeOf(first);
    },
    has: (input) => place(input).length > 0,
    all: (input) => (input === undefined ? operands.flat() : place(input)).map(shapeOf),
    attributes: full,
  };
  const rule = rules[op.name] ?? rules[op.shape];
  const shapes = rule?.(call) ?? [];
  return op.outputs.map((_, index) => ({ dtype: dtypes[index], shape: shapes[index] }));
}
