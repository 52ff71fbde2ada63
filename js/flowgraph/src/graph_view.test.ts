// Views of graphs in an isolate; what the engine knows of a graph is compared with what it was made of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { h } from "@alknet/ujsx";
import { graphView, Input, Operation, Param, renderGraph, Sequential } from "./index.ts";

const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: string } };
const isIsolate = navigator?.userAgent?.startsWith("alknet/") === true;
const skip = isIsolate ? false : "this is no isolate of alknet, which has the module alknet:graph";

const template = h(
  Sequential,
  {},
  h(Input, { name: "x", dtype: "f32", shape: ["n", 3] }),
  h(Param, { name: "w", shape: [3, 2] }),
  h(Operation, { id: "product", name: "tensor/matmul", input: { input: "$.input.x", other: "$.params.w" } }),
  h(Operation, { id: "act", name: "tensor/relu" }),
  h(Operation, { id: "best", name: "tensor/argmax", input: { dim: 1 } }),
);

test("a view has the names, the order and every type of a template's graph", { skip }, async () => {
  const view = await graphView(template);
  assert.deepEqual([view.inputs, view.states, view.outputs], [["x"], ["w"], ["output"]]);
  assert.deepEqual(view.nodes, ["/0/product", "/0/act", "/0/best"]);
  assert.deepEqual(view.order, view.nodes);
  assert.deepEqual(view.type("x"), { dtype: "f32", shape: ["n", 3] });
  assert.deepEqual(view.type("/0/act"), { dtype: "f32", shape: ["n", 2] });
  assert.deepEqual(view.type("/0/best"), { dtype: "i64", shape: ["n"] });
  assert.equal(view.type("/0/nowhere"), undefined);
});

test("a view tells who reads whom", { skip }, async () => {
  const view = await graphView(template);
  assert.deepEqual([view.producers("/0/act"), view.consumers("/0/act")], [["/0/product"], ["/0/best"]]);
  assert.deepEqual(view.consumers("/0/best"), []);
  assert.deepEqual(view.node("/0/product")?.inputs, { input: "x", other: "w" });
  assert.equal(view.node("/0/best")?.op, "argmax");
  assert.equal(view.node("/0/nowhere"), undefined);
});

test("a document has a view, which is the same graph and cannot be changed", { skip }, async () => {
  const graph = renderGraph(template);
  const view = await graphView(graph);
  assert.deepEqual(
    view.toJSON().nodes.map(({ id }) => id),
    graph.nodes.map(({ id }) => id),
  );
  (view.nodes as string[]).push("more");
  assert.equal(view.nodes.length, 3);
  const [node] = graph.nodes;
  await assert.rejects(graphView({ ...graph, nodes: [node!, node!] }), { code: "graph_invalid" });
});

test("problems of a template come before the engine's", async () => {
  const wrong = h(Operation, { name: "tensor/rellu", input: "$.input.x" });
  await assert.rejects(graphView(wrong), { name: "TemplateError" });
});

test("elsewhere there is no engine", { skip: isIsolate ? "this is an isolate" : false }, async () => {
  await assert.rejects(graphView(template), { name: "TypeError" });
});
