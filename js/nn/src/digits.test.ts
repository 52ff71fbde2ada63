import assert from "node:assert/strict";
import { test } from "node:test";
import { Input, renderGraph } from "@alknet/flowgraph";
import { schemaFor } from "@alknet/layout";
import { h } from "@alknet/ujsx";
import { MultiHeadAttention, parameterLayout } from "./index.ts";
import { DigitsCnn } from "./testing/digits.tsx";

test("The digits network renders", () => {
  const graph = renderGraph(h(DigitsCnn, {}));
  assert.deepEqual(
    graph.states.map(({ name, shape }) => [name, shape]),
    [
      ["conv1.weight", [32, 1, 3, 3]],
      ["conv1.bias", [32]],
      ["conv2.weight", [64, 32, 3, 3]],
      ["conv2.bias", [64]],
      ["fc1.weight", [128, 1024]],
      ["fc1.bias", [128]],
      ["fc2.weight", [10, 128]],
      ["fc2.bias", [10]],
    ],
  );
});

test("Its parameters have a layout, one flat entry each", () => {
  const schema = schemaFor(parameterLayout(h(DigitsCnn, {}))) as unknown as {
    properties: Record<string, Record<string, unknown>>;
  };
  assert.deepEqual(
    Object.keys(schema.properties),
    renderGraph(h(DigitsCnn, {})).states.map(({ name }) => name),
  );
  assert.deepEqual(schema.properties["fc2.weight"]?.["TypeDef:Tensor"], { dtype: "F32", shape: [10, 128] });
});

test("Attention begins within the bound of torch.nn.MultiheadAttention, whose in_proj_weight is [3 E, E]", () => {
  const input = h(Input, { name: "x", dtype: "f32", shape: ["n", 4, 6] });
  const graph = renderGraph([input, h(MultiHeadAttention, { id: "m", embed_dim: 6, num_heads: 2 })]);
  const initial = (name: string) => graph.states.find((state) => state.name === name)?.init;
  const bound = Math.sqrt(6 / (6 + 18));
  for (const name of ["q", "k", "v"]) {
    assert.deepEqual(initial(`m.${name}_proj.weight`), { name: "uniform", low: -bound, high: bound });
    assert.equal(initial(`m.${name}_proj.bias`), "zeros");
  }
});
