import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Connection } from "./connection.ts";
import { connect } from "./websocket.ts";
import { kNoProgram, type Node, startNode } from "./testing/node.ts";

const skip = kNoProgram || (typeof WebSocket === "undefined" ? "this Node has no WebSocket" : false);
let node: Node;
let connection: Connection;

before(async () => {
  if (skip) return;
  node = await startNode("--allow", "compute");
  connection = await connect(node.url);
});
after(async () => {
  if (skip) return;
  connection.close();
  await node.stop();
});

test("a node lists its operations and describes them", { skip }, async () => {
  const list = await connection.registry.list({ prefix: "compute/" });
  assert.ok(list.some(({ name }) => name === "compute/submit"));
  const spec = await connection.registry.schema("tensor/matmul");
  assert.equal(spec.op_type, "mutation");
});

test("tensors are made from bytes and read back", { skip }, async () => {
  const data = new Float32Array([1, 2, 3, 4]);
  const made = await connection.call("compute/create_tensor", { dtype: "f32", shape: [2, 2], data });
  assert.equal(made.error, undefined);
  const read = await connection.call<{ data: ArrayBuffer }>("compute/read_tensor", { tensor: made.data });
  assert.deepEqual(new Float32Array(read.data?.data ?? new ArrayBuffer(0)), data);
});

test("three million elements cross in chunks, unharmed", { skip }, async () => {
  const data = Int32Array.from({ length: 3_000_000 }, (_, i) => i);
  const made = await connection.call("compute/create_tensor", { dtype: "i32", shape: [data.length], data });
  const read = await connection.call<{ data: ArrayBuffer }>("compute/read_tensor", { tensor: made.data });
  assert.deepEqual(new Int32Array(read.data?.data ?? new ArrayBuffer(0)), data);
});

test("errors of the node keep their code and facts", { skip }, async () => {
  const unknown = await connection.call("no/such");
  assert.equal(unknown.error?.code, "NOT_FOUND");
  const wrong = await connection.call("compute/create_tensor", { dtype: "f32" });
  assert.equal(wrong.error?.code, "INVALID_INPUT");
  assert.ok(Array.isArray((wrong.error?.details as { violations: unknown[] }).violations));
});

test("a node that is not there, and one that refuses the token, cannot be connected to", { skip }, async () => {
  await assert.rejects(connect("ws://127.0.0.1:1"), /cannot connect/);
});

test("calls under way fail when the connection is closed", { skip }, async () => {
  const other = await connect(node.url);
  const call = other.call("services/list");
  other.close();
  assert.equal((await call).error?.message, "connection closed");
});
