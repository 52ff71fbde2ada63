import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { promote } from "./dtypes.ts";
import { builtinOps } from "./index.ts";
import { inferOp } from "./infer.ts";
import { ComputeNode, skip } from "./testing/program.ts";
import type { Shape, ValueType } from "./value_type.ts";

let node: ComputeNode;
before(async () => {
  if (skip === false) node = await ComputeNode.start();
});
after(() => node?.stop());

type Given = Readonly<Record<string, [string, number[]] | number | [string, number[]][]>>;

/** Calls with tensors as [dtype, shape]. */
const calls: [string, Given, Record<string, unknown>?][] = [
  ["add", { input: ["f32", [2, 1]], other: ["i64", [3]] }],
  ["add", { input: ["u8", [2]], other: ["i8", [2]] }],
  ["add", { input: ["i32", [2]], other: ["f32", []] }],
  ["mul", { input: ["f16", [2]], other: 2.5 }],
  ["mul", { input: ["i32", [2]], other: 2.5 }],
  ["div", { input: ["i64", [2]], other: 2 }],
  ["eq", { input: ["f32", [2]], other: ["f32", [2]] }],
  ["where", { condition: ["bool", [3]], input: ["f32", [2, 3]], other: ["f32", [2, 1]] }],
  ["relu", { input: ["f32", [4]] }],
  ["sum", { input: ["i32", [2, 3]] }, { dim: [1] }],
  ["mean", { input: ["f32", [2, 3, 4]] }, { dim: [-1, 0], keepdim: true }],
  ["any", { input: ["f32", [2, 3]] }],
  ["argmax", { input: ["f32", [2, 3]] }, { dim: 1 }],
  ["max_dim", { input: ["f32", [2, 3]] }, { dim: 0 }],
  ["var_mean", { input: ["f32", [2, 3]] }, { dim: [0] }],
  ["logsumexp", { input: ["f32", [2, 3]] }, { dim: [1] }],
  ["matmul", { input: ["f32", [5, 1, 2, 3]], other: ["f32", [4, 3, 6]] }],
  ["matmul", { input: ["f32", [3]], other: ["f32", [3, 2]] }],
  ["matmul", { input: ["f32", [4, 2, 3]], other: ["f32", [3]] }],
  ["linear", { input: ["f32", [2, 5, 3]], weight: ["f32", [4, 3]], bias: ["f32", [4]] }],
  ["bmm", { input: ["f32", [2, 3, 4]], mat2: ["f32", [2, 4, 5]] }],
  [
    "cat",
    {
      tensors: [
        ["f32", [2, 3]],
        ["f32", [2, 1]],
      ],
    },
    { dim: -1 },
  ],
  [
    "stack",
    {
      tensors: [
        ["f32", [2, 3]],
        ["f32", [2, 3]],
      ],
    },
    { dim: 1 },
  ],
  ["reshape", { input: ["f32", [2, 3, 4]] }, { shape: [4, -1] }],
  ["permute", { input: ["f32", [2, 3, 4]] }, { dims: [2, 0, 1] }],
  ["transpose", { input: ["f32", [2, 3, 4]] }, { dim0: -1, dim1: 0 }],
  ["unsqueeze", { input: ["f32", [2, 3]] }, { dim: -1 }],
  ["flatten", { input: ["f32", [2, 3, 4]] }, { start_dim: 1 }],
  ["unflatten", { input: ["f32", [2, 12]] }, { dim: 1, sizes: [3, -1] }],
  ["slice", { input: ["f32", [2, 10]] }, { dim: 1, start: -7, end: 9, step: 2 }],
  ["select", { input: ["f32", [2, 3, 4]] }, { dim: 1, index: 0 }],
  ["narrow", { input: ["f32", [2, 10]] }, { dim: 1, start: 1, length: 4 }],
  ["expand", { input: ["f32", [2, 1]] }, { size: [3, -1, 4] }],
  ["conv1d", { input: ["f32", [2, 4, 9]], weight: ["f32", [6, 2, 3]] }, { groups: 2, stride: 2, padding: 1 }],
  ["conv2d", { input: ["f32", [2, 4, 9, 8]], weight: ["f32", [6, 4, 3, 5]], bias: ["f32", [6]] }, { dilation: [2, 1] }],
  [
    "conv_transpose2d",
    { input: ["f32", [2, 4, 5, 5]], weight: ["f32", [4, 3, 3, 3]] },
    { stride: 2, output_padding: 1, groups: 2 },
  ],
  ["max_pool2d", { input: ["f32", [2, 4, 9, 8]] }, { kernel_size: 3, stride: 2, ceil_mode: true }],
  ["avg_pool2d", { input: ["f32", [2, 4, 9, 8]] }, { kernel_size: [2, 3] }],
  ["adaptive_avg_pool2d", { input: ["f32", [2, 4, 9, 8]] }, { output_size: [3, 2] }],
  ["interpolate", { input: ["f32", [2, 4, 5, 5]] }, { scale_factor: 2 }],
  ["interpolate", { input: ["f32", [2, 4, 5, 5]] }, { size: [7, 3] }],
  ["batch_norm", { input: ["f32", [2, 4, 5]], running_mean: ["f32", [4]], running_var: ["f32", [4]] }],
  ["layer_norm", { input: ["f32", [2, 3, 4]] }, { normalized_shape: [3, 4] }],
  ["embedding", { weight: ["f32", [9, 4]], indices: ["i64", [2, 3]] }],
  ["one_hot", { input: ["i64", [2, 3]] }, { num_classes: 7 }],
  ["softmax", { input: ["f32", [2, 3]] }, { dim: -1 }],
  ["sort", { input: ["f32", [2, 3]] }],
  [
    "scaled_dot_product_attention",
    { query: ["f32", [2, 4, 5, 8]], key: ["f32", [2, 4, 7, 8]], value: ["f32", [2, 4, 7, 6]] },
  ],
  ["cross_entropy", { input: ["f32", [5, 3, 2]], target: ["i64", [5, 2]] }, { reduction: "none" }],
  ["mse_loss", { input: ["f32", [5, 3]], target: ["f32", [5, 3]] }],
  ["arange", {}, { end: 5 }],
  ["arange", {}, { start: 1, end: 9, step: 2.5 }],
  ["linspace", {}, { start: 0, end: 1, steps: 4 }],
  ["eye", {}, { n: 3 }],
  ["topk", { input: ["f32", [2, 9]] }, { k: 3 }],
  ["squeeze", { input: ["f32", [1, 9, 1]] }],
  ["squeeze", { input: ["f32", [1, 9, 1]] }, { dim: [0] }],
  ["gather", { input: ["f32", [2, 9]], index: ["i64", [2, 3]] }, { dim: 1 }],
  ["index_select", { input: ["f32", [2, 9]], index: ["i64", [4]] }, { dim: 1 }],
  ["full", {}, { size: [2, 3], fill_value: 1.5 }],
  ["zeros", {}, { size: [2], dtype: "bool" }],
  ["cast", { input: ["f32", [2]] }, { dtype: "f16" }],
];

function inferred(name: string, given: Given, parameters: Record<string, unknown>): ValueType[] {
  const op = builtinOps.find(name);
  assert.ok(op !== undefined, name);
  const operand = (value: [string, number[]] | number) =>
    typeof value === "number"
      ? { scalar: Number.isInteger(value) ? ("int" as const) : ("float" as const) }
      : { type: { dtype: value[0], shape: value[1] as Shape } };
  const operands = op.inputs.map((input) => {
    const value = given[input.name];
    if (value === undefined) return [];
    return input.variadic ? (value as [string, number[]][]).map(operand) : [operand(value as [string, number[]])];
  });
  return inferOp(op, operands, parameters);
}

test("Types are inferred as the C++ program infers them", { skip }, async () => {
  const handle = async (value: unknown): Promise<unknown> => {
    if (typeof value === "number") return value;
    if (Array.isArray(value) && Array.isArray(value[0])) return Promise.all(value.map(handle));
    const [dtype, shape] = value as [string, number[]];
    return node.call("tensor/zeros", { size: shape, dtype });
  };
  for (const [name, given, parameters = {}] of calls) {
    const members = await Promise.all(
      Object.entries(given).map(async ([key, value]) => [key, await handle(value)] as const),
    );
    const input = { ...Object.fromEntries(members), ...parameters };
    const { outputs } = (await node.call("compute/shape", { operation: name, input })) as { outputs: ValueType[] };
    assert.deepEqual(inferred(name, given, parameters), outputs, name);
  }
});

test("Every operation that templates name most has a shape rule", () => {
  for (const [name, given, parameters = {}] of calls) {
    for (const { dtype, shape } of inferred(name, given, parameters)) {
      assert.ok(dtype !== undefined && shape !== undefined && !shape.includes(null), name);
    }
  }
});

test("Named sizes stay, and what is computed of them is open", () => {
  const shapes = (name: string, shape: Shape, parameters: object) =>
    inferred(name, { input: ["f32", shape as number[]] }, { ...parameters }).map((type) => type.shape);
  assert.deepEqual(shapes("flatten", ["batch", 3, 4], { start_dim: 1 }), [["batch", 12]]);
  assert.deepEqual(shapes("reshape", ["batch", 12], { shape: ["batch", 3, -1] }), [["batch", 3, 4]]);
  assert.deepEqual(shapes("max_pool2d", ["batch", 3, "h", 8], { kernel_size: 2 }), [["batch", 3, null, 4]]);
  assert.deepEqual(shapes("flatten", ["batch", "length", 4], { start_dim: 0 }), [[null]]);
});

test("Operations refuse dtypes and shapes that they do not take", () => {
  const refuse = (pattern: RegExp, name: string, given: Given, parameters: Record<string, unknown> = {}) =>
    assert.throws(() => inferred(name, given, parameters), pattern, name);
  refuse(/takes f16/, "softmax", { input: ["bool", [2]] }, { dim: 0 });
  refuse(/one dtype/, "matmul", { input: ["f32", [2, 2]], other: ["i64", [2, 2]] });
  refuse(/inner sizes/, "matmul", { input: ["f32", [2, 3]], other: ["f32", [2, 3]] });
  refuse(/broadcast/, "add", { input: ["f32", [2]], other: ["f32", [3]] });
  refuse(/channels/, "conv2d", { input: ["f32", [1, 3, 8, 8]], weight: ["f32", [4, 2, 3, 3]] });
  refuse(/does not fit/, "max_pool2d", { input: ["f32", [1, 3, 2, 2]] }, { kernel_size: 3 });
  refuse(/no dimension/, "sum", { input: ["f32", [2]] }, { dim: [3] });
  refuse(/elements/, "reshape", { input: ["f32", [2, 3]] }, { shape: [4] });
  refuse(
    /cannot be joined/,
    "cat",
    {
      tensors: [
        ["f32", [2, 3]],
        ["f32", [3, 3]],
      ],
    },
    { dim: 1 },
  );
  refuse(/last sizes/, "layer_norm", { input: ["f32", [2, 3]] }, { normalized_shape: [4] });
  refuse(/takes i32, i64/, "embedding", { weight: ["f32", [2, 3]], indices: ["f32", [2]] });
});

test("Promotion is commutative and joins neighbours that hold neither", () => {
  assert.equal(promote("u8", "i8"), "i32");
  assert.equal(promote("i32", "u32"), "i64");
  assert.equal(promote("bf16", "f16"), "f32");
  assert.equal(promote("f16", "i64"), "f16");
});
