import assert from "node:assert/strict";
import { test } from "node:test";
import { h } from "@alknet/ujsx";
import {
  fits,
  Operation,
  OperationGraph,
  Parallel,
  planTemplate,
  Sequential,
  TemplateError,
  type OperationInfo,
  type ValueCheck,
} from "./index.ts";

const tensor = { "TypeDef:Tensor": true, type: "object" };
const specs: OperationInfo[] = [
  {
    name: "text/split",
    op_type: "query",
    input_schema: {
      type: "object",
      properties: { text: { type: "string" } },
      required: ["text"],
      additionalProperties: false,
    },
    output_schema: {
      type: "object",
      properties: { words: { type: "array", items: { type: "string" } }, count: { type: "integer" } },
      required: ["words", "count"],
    },
  },
  {
    name: "text/embed",
    op_type: "mutation",
    input_schema: {
      type: "object",
      properties: { sentences: { type: "array", items: { type: "string" } }, size: { type: "integer", minimum: 1 } },
      required: ["sentences"],
      additionalProperties: false,
    },
    output_schema: tensor,
  },
  { name: "text/tokens", op_type: "subscription", input_schema: { type: "object" }, output_schema: { type: "string" } },
];
const graph = new OperationGraph(specs);

test("An output fits an input always, perhaps or never", () => {
  const cases = [
    [{ type: "integer" }, { type: "number" }, "yes"],
    [{ type: "number" }, { type: "integer" }, "maybe"],
    [{ type: "string" }, { type: "number" }, "no"],
    [true, { type: "number" }, "maybe"],
    [{ type: "string" }, true, "yes"],
    [{ enum: ["a", "b"] }, { enum: ["a", "b", "c"] }, "yes"],
    [{ enum: ["a", "d"] }, { enum: ["a", "b", "c"] }, "maybe"],
    [{ const: "d" }, { enum: ["a"] }, "no"],
    [{ anyOf: [tensor, { type: "null" }] }, tensor, "maybe"],
    [tensor, { anyOf: [{ type: "number" }, tensor] }, "yes"],
    [{ type: "object", properties: {} }, tensor, "no"],
    [{ "TypeDef:Tensor": { dtype: "f32" } }, { "TypeDef:Tensor": { dtype: "i64" } }, "no"],
    [{ type: "integer", minimum: 1 }, { type: "integer", minimum: 1 }, "yes"],
    [{ type: "integer" }, { type: "integer", minimum: 1 }, "maybe"],
    [{ type: "array", items: { type: "string" } }, { type: "array", items: { type: "number" } }, "no"],
    [{ type: "object", properties: { a: {} }, required: ["a"] }, { type: "object", required: ["a"] }, "yes"],
    [{ type: "object", additionalProperties: false }, { type: "object", required: ["a"] }, "no"],
  ] as const;
  for (const [from, to, fit] of cases) assert.equal(fits(from, to), fit, JSON.stringify([from, to]));
});

test("The operation graph knows what fits where", () => {
  const edges = graph.consumers("text/split").filter(({ input }) => input !== undefined);
  assert.deepEqual(edges, [
    { from: "text/split", member: "words", to: "text/embed", input: "sentences", fit: "yes" },
    { from: "text/split", member: "count", to: "text/embed", input: "size", fit: "maybe" },
  ]);
  assert.deepEqual(
    graph.producers("text/embed", "sentences").map(({ from, fit }) => [from, fit]),
    [
      ["text/split", "yes"],
      ["text/tokens", "yes"],
    ],
  );
});

test("Calls of a template are checked against their specs", () => {
  const template = h(
    Sequential,
    {},
    h(Operation, { id: "split", name: "text/split", input: { text: 3 } }),
    h(Operation, { id: "embed", name: "text/embed", input: { sentences: "$.nodes.split.output.count", sizes: 1 } }),
    h(Operation, { id: "none", name: "text/spilt" }),
    h(Operation, { id: "bare", name: "text/embed", input: {} }),
  );
  assert.throws(
    () => planTemplate(template, { operations: graph }),
    (error: TemplateError) => {
      assert.deepEqual(
        error.problems.map(({ path, code }) => `${path} ${code}`),
        [
          "/0/split bad_ref",
          "/0/embed bad_ref",
          "/0/embed unknown_input",
          "/0/none unknown_operation",
          "/0/bare missing_input",
        ],
      );
      return true;
    },
  );
});

test("Values are checked by what the caller gives, and calls with a peer by its specs", () => {
  const far = new OperationGraph([
    { name: "far/away", op_type: "query", input_schema: { properties: {}, additionalProperties: false }, output_schema: true },
  ]);
  const template = h(
    Parallel,
    {},
    h(Operation, { id: "split", name: "text/split", input: { text: "a" } }),
    h(Operation, { id: "far", name: "far/away", peer: "p", input: { x: 1 } }),
    h(Operation, { id: "none", name: "far/awy", peer: "p" }),
    h(Operation, { id: "axis", name: "tensor/softmax", input: { input: "$.input.x", dim: "last" } }),
  );
  const known = new OperationGraph([
    ...["text/split"].map((name) => graph.get(name) as OperationInfo),
    { name: "tensor/softmax", op_type: "query", input_schema: { properties: { dim: { type: "integer" } } }, output_schema: true },
  ]);
  const seen: unknown[] = [];
  const validate: ValueCheck = (schema, value) => {
    seen.push([schema, value]);
    return value === "last" ? ["it is no integer"] : [];
  };
  assert.throws(
    () => planTemplate(template, { operations: known, peerOperations: far, validate }),
    (error: TemplateError) => {
      assert.deepEqual(
        error.problems.map(({ path, code }) => `${path} ${code}`),
        ["/0/far unknown_input", "/0/none unknown_operation", "/0/axis bad_ref"],
      );
      assert.match(error.problems[2]?.message ?? "", /"dim" of tensor\/softmax cannot be "last": it is no integer/);
      return true;
    },
  );
  assert.equal(seen.length, 2);
});
