import assert from "node:assert/strict";
import { test } from "node:test";
import { formatElements } from "./format.ts";

const range = (count: number): number[] => [...Array(count).keys()];

// The elements are those of print(torch.tensor(...)), but that PyTorch does not align what is not finite.
test("elements are laid out as PyTorch does", () => {
  const cases: [Parameters<typeof formatElements>, string][] = [
    [[new Float32Array([1.5, 2, 3, 4]), "f32", [2, 2]], "tensor([[1.5000, 2.0000],\n        [3.0000, 4.0000]], f32 [2, 2])"],
    [[new Float32Array([1, -20]), "f32", [2]], "tensor([  1., -20.], f32 [2])"],
    [[new Float32Array([NaN, Infinity, -Infinity, 0]), "f32", [4]], "tensor([ nan,  inf, -inf,   0.], f32 [4])"],
    [[new Float32Array([1e-5, 1]), "f32", [2]], "tensor([1.0000e-05, 1.0000e+00], f32 [2])"],
    [[new Float64Array([123456789012, 1]), "f64", [2]], "tensor([1.2346e+11, 1.0000e+00], f64 [2])"],
    [[new Int32Array([1, -10]), "i32", [2, 1]], "tensor([[  1],\n        [-10]], i32 [2, 1])"],
    [[new BigInt64Array([5n]), "i64", []], "tensor(5, i64 [])"],
    [[new Uint8Array([1, 0]), "bool", [2]], "tensor([ true, false], bool [2])"],
    [[new Float32Array(0), "f32", [0, 3]], "tensor([], f32 [0, 3])"],
    [[new Int32Array(range(8)), "i32", [2, 2, 2]], "tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]], i32 [2, 2, 2])"],
    [
      [new Float32Array(range(12)), "f32", [12], ["requires_grad"]],
      "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.], f32 [12], requires_grad)",
    ],
  ];
  for (const [given, text] of cases) assert.equal(formatElements(...given), text);
});

test("long lines are broken, and of many elements only the ends are shown", () => {
  const wide = formatElements(new Int32Array(range(40)), "i32", [40]);
  assert.equal(wide.split("\n")[0], `tensor([${range(18).map((i) => String(i).padStart(2)).join(", ")},`);
  assert.equal(wide.split("\n")[1]?.slice(0, 12), "        18, ");
  const ends = new Float32Array([0, 1, 2, 1997, 1998, 1999]);
  assert.equal(
    formatElements(ends, "f32", [2000]),
    "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,\n        1.9990e+03], f32 [2000])",
  );
  const rows = formatElements(new Int32Array(range(6)), "i32", [2000, 1]);
  assert.equal(rows.split("\n")[3], "        ...,");
});
