import assert from "node:assert/strict";
import { test } from "node:test";
import { h } from "@alknet/ujsx";
import { checkTemplate, Input, Operation, Output, Param, Parallel, renderGraph, Sequential } from "./index.ts";

test("A sequence becomes a chain of nodes with the template's input and output", () => {
  const graph = renderGraph(
    h(
      Sequential,
      {},
      h(Input, { name: "x", dtype: "f32", shape: ["batch", 4] }),
      h(Operation, { name: "tensor/relu" }),
      h(Operation, { name: "tensor/softmax", input: { dim: -1 } }),
    ),
  );
  assert.deepEqual(graph, {
    alknet_graph: 1,
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", 4] }],
    states: [],
    nodes: [
      { id: "/0/1", op: "relu", inputs: { input: "x" }, attrs: {} },
      { id: "/0/2", op: "softmax", inputs: { input: "/0/1" }, attrs: { dim: -1 } },
    ],
    outputs: [{ name: "output", value: "/0/2" }],
  });
});

test("All problems are listed with their paths", () => {
  const { graph, problems } = checkTemplate(
    h(
      Sequential,
      {},
      h(Input, { name: "x", dtype: "f32", shape: ["batch", 4] }),
      h(Operation, { id: "a", name: "tensor/relo" }),
      h(Operation, { id: "b", name: "tensor/add", input: { input: "$.input.x", other: "$.nodes.nowhere.output" } }),
      h(Operation, { id: "c", name: "tensor/matmul", input: { input: "$.input.x", other: "$.input.x" } }),
      h(Operation, { id: "d", name: "tensor/relu", input: "$.nodes.e.output" }),
      h(Operation, { id: "e", name: "tensor/relu", input: { input: "$.input.x", sharp: true } }),
      h(Operation, { id: "f", name: "model/minilm/embed" }),
      h(Operation, { id: "g", name: "tensor/embedding", input: { input: "$.input.x" } }),
    ),
  );
  assert.equal(graph, undefined);
  const found = problems.map(({ path, code }) => `${path} ${code}`);
  for (const each of [
    "/0/a unknown_operation",
    "/0/b unknown_ref",
    "/0/d order",
    "/0/e unknown_input",
    "/0/f not_static",
    "/0/g unknown_input",
  ]) {
    assert.ok(found.includes(each), `${each} in ${JSON.stringify(problems, null, 1)}`);
  }
  assert.match(problems.find(({ path }) => path === "/0/a")?.message ?? "", /did you mean relu/);
});

test("A cycle between parallel nodes is found", () => {
  const { problems } = checkTemplate(
    h(
      Parallel,
      {},
      h(Operation, { id: "a", name: "tensor/relu", input: "$.nodes.b.output" }),
      h(Operation, { id: "b", name: "tensor/relu", input: "$.nodes.a.output" }),
    ),
  );
  assert.ok(problems.some(({ code }) => code === "cycle"));
});

test("Parameters are states under the path of their module, and shapes are checked", () => {
  const template = (size: number) =>
    h(
      Sequential,
      { id: "encoder" },
      h(Input, { name: "x", dtype: "f32", shape: ["batch", 4] }),
      h(Param, { name: "weight", shape: [size, 3], init: "zeros" }),
      h(Operation, { id: "product", name: "tensor/matmul", input: { other: "$.params.weight" } }),
      h(Output, { name: "y" }),
    );
  const graph = renderGraph(template(4));
  assert.deepEqual(graph.states, [
    { name: "encoder.weight", dtype: "f32", shape: [4, 3], scope: "store", trainable: true, init: "zeros" },
  ]);
  assert.deepEqual(graph.outputs, [{ name: "y", value: "/encoder/product" }]);
  const { problems } = checkTemplate(template(5));
  assert.deepEqual(
    problems.map(({ path, code }) => [path, code]),
    [["/encoder/product", "shape_mismatch"]],
  );
});
