// The package over a connection to a real node; `alknet test` runs the same code inside an isolate.
import { type Connection, connect } from "@alknet/operations";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { kNoProgram, type Node, startNode } from "../../operations/src/testing/node.ts";
import {
  add, arange, fromBytes, fromHandle, grad, type Handle, noGrad, ones, rand, randn, sum, Tensor, tensor, useCaller, zeros,
} from "./index.ts";

const skip = kNoProgram || (typeof WebSocket === "undefined" ? "this Node has no WebSocket" : false);
let node: Node;
let connection: Connection;

before(async () => {
  if (skip) return;
  node = await startNode("--allow", "compute");
  connection = await connect(node.url);
  useCaller(connection);
});
after(async () => {
  if (skip) return;
  connection.close();
  await node.stop();
});

test("numbers are f32, booleans bool, bigints i64, and data is the matching array", { skip }, async () => {
  const cases: [Tensor, unknown][] = [
    [tensor([[1, 2.5], [-3, 4]]), new Float32Array([1, 2.5, -3, 4])],
    [tensor([true, false]), new Uint8Array([1, 0])],
    [tensor([1n, -(2n ** 63n)]), new BigInt64Array([1n, -(2n ** 63n)])],
    [tensor([0.5, 65504, -0], { dtype: "f16" }), new Float32Array([0.5, 65504, -0])],
    [tensor([0.5, 1e38], { dtype: "bf16" }), new Float32Array([0.5, 9.9692e37])],
    [tensor(new Float64Array([0.1])), new Float64Array([0.1])],
    [tensor(new Int8Array([-1])), new Int8Array([-1])],
    [tensor([1, 255], { dtype: "u8" }), new Uint8Array([1, 255])],
    [tensor([7, -7], { dtype: "i32" }), new Int32Array([7, -7])],
    [fromBytes(new Uint8Array([0, 0, 128, 63]), "f32", []), new Float32Array([1])],
  ];
  for (const [made, expected] of cases) {
    const data = await made.data();
    assert.equal(data.constructor, (expected as object).constructor);
    if (made.dtype === "bf16") assert.ok(Math.abs(Number(data[1]) / 1e38 - 1) < 0.01);
    else assert.deepEqual(data, expected);
  }
});

test("operations chain without waiting and go as one submission", { skip }, async () => {
  const sent: string[] = [];
  const other = await connect(node.url);
  useCaller({
    call: (name, input, options) => {
      sent.push(name);
      return other.call(name, input, options);
    },
    subscribe: (name, input, options) => other.subscribe(name, input, options),
  });
  const x = tensor([[1, 2], [3, 4]]);
  const y = x.matmul(x).add(1).relu();
  assert.deepEqual(await y.data(), new Float32Array([8, 11, 16, 23]));
  assert.equal(sent.filter((name) => name === "compute/submit").length, 1);
  useCaller(connection);
  other.close();
});

test("functions take tensors first, then parameters by position or by name", { skip }, async () => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]);
  assert.deepEqual(await sum(x, [1]).tolist(), [6, 15]);
  assert.deepEqual(await x.sum([0], { keepdim: true }).tolist(), [[5, 7, 9]]);
  assert.deepEqual(await x.softmax({ dim: 0 }).sum().item().then(Math.round), 3);
  assert.deepEqual(await add(x, x, { alpha: 2 }).tolist(), [[3, 6, 9], [12, 15, 18]]);
  assert.deepEqual(await arange(3).tolist(), [0n, 1n, 2n]);
  assert.deepEqual(await arange(1, 7, 2).data(), new BigInt64Array([1n, 3n, 5n]));
  assert.deepEqual(await zeros([2]).add(ones([2])).tolist(), [1, 1]);
  assert.throws(() => (x.sum as (...given: unknown[]) => Tensor)([1], true, null, 5), /takes/);
  assert.throws(() => x.softmax({ dimension: 0 } as never), /no input or parameter "dimension"/);
  assert.throws(() => x.softmax(), /"dim" is missing/);
  assert.throws(() => x.matmul(3 as never), /must be a tensor/);
});

test("sizes and dimensions are numbers or lists, as PyTorch spells them", { skip }, async () => {
  const x = arange(6);
  const shapes = async (made: readonly Tensor[]) => Promise.all(made.map(async (each) => (await each.ready()).shape));
  const y = await x.reshape([2, 3]).ready();
  assert.deepEqual(await shapes([x.reshape(2, 3), x.view(3, -1), x.reshape(6), x.view([1, 6])]), [[2, 3], [3, 2], [6], [1, 6]]);
  assert.deepEqual(await shapes([y.permute(1, 0), y.permute([1, 0]), y.transpose(0, 1)]), [[3, 2], [3, 2], [3, 2]]);
  assert.deepEqual(await shapes([zeros(2, 3), ones([2, 3]), rand(4), randn(1, 2, { dtype: "f64" })]), [[2, 3], [2, 3], [4], [1, 2]]);
  assert.deepEqual(await shapes([y.expand(4, 2, 3), y.repeat(2, 1), y.tile(2), y.squeeze(0)]), [[4, 2, 3], [4, 3], [2, 6], [2, 3]]);
  assert.deepEqual(await y.sum(-1).tolist(), [3n, 12n]);
  assert.deepEqual(await y.sum([0, 1]).tolist(), 15n);
  assert.deepEqual(await sum(y, 0, true).tolist(), [[3n, 5n, 7n]]);
  assert.deepEqual(await y.sum({ dim: -1, keepdim: true }).tolist(), [[3n], [12n]]);
  assert.deepEqual(await y.flip(0, 1).tolist(), [[5n, 4n, 3n], [2n, 1n, 0n]]);
  assert.deepEqual(await y.flip(1).tolist(), [[2n, 1n, 0n], [5n, 4n, 3n]]);
  assert.deepEqual(await y.roll(1, 0).tolist(), [[3n, 4n, 5n], [0n, 1n, 2n]]);
  assert.deepEqual(await y.to("f32").amax(-1).tolist(), [2, 5]);
  assert.deepEqual(await y.to("f32").layer_norm({ normalized_shape: 3 }).ready().then(({ shape }) => shape), [2, 3]);
});

test("T is of matrices, mT of the last two dimensions", { skip }, async () => {
  const x = await arange(6).reshape(1, 2, 3).ready();
  assert.deepEqual(await (await x.squeeze(0).ready()).T.tolist(), [[0n, 3n], [1n, 4n], [2n, 5n]]);
  assert.deepEqual(await x.mT.tolist(), [[[0n, 3n], [1n, 4n], [2n, 5n]]]);
  const vector = tensor([1, 2]);
  assert.equal(vector.T, vector);
  assert.throws(() => x.T, /mT/);
  await assert.rejects(arange(6).reshape(1, 2, 3).T.data(), "where the shape is known at the node only");
});

test("a tensor shows its elements, and to console.log what it is", { skip }, async () => {
  const x = arange(4000).reshape(2, 2000);
  assert.match(await x.show(), /^tensor\(\[\[ {3}0, {4}1, {4}2, {2}\.\.\., 1997, 1998, 1999\],\n {8}\[2000, .*i64 \[2, 2000\]\)$/);
  assert.equal(await tensor([0.5], { requires_grad: true }).show(), "tensor([0.5000], f32 [1], requires_grad)");
  assert.equal(inspect(tensor([1, 2])), "Tensor(f32 [2])");
  const gone = tensor([1, 2]);
  gone.dispose();
  assert.equal(await gone.show(), "Tensor(f32 [2], disposed)");
  const failed = tensor([5n]).index_select(tensor([9n]), 0);
  await assert.rejects(failed.show(), { code: "INDEX_OUT_OF_RANGE" });
  assert.match(inspect(failed), /failed: INDEX_OUT_OF_RANGE/);
});

test("operations of several results give an array with names", { skip }, async () => {
  const x = tensor([[3, 1, 2]]);
  const result = x.sort();
  assert.deepEqual(await result[0].tolist(), [[1, 2, 3]]);
  assert.deepEqual(await result.indices.tolist(), [[1n, 2n, 0n]]);
  const { values, indices } = x.max(1);
  assert.deepEqual([await values.item(), await indices.item()], [3, 0]);
  assert.equal(await x.max().item(), 3);
  assert.deepEqual(await x.max(tensor([[2, 2, 2]])).tolist(), [[3, 2, 2]]);
});

test("a result whose shape depends on its elements is known when it is there", { skip }, async () => {
  const places = tensor([0, 3, 0, 4]).nonzero();
  await places.ready();
  assert.deepEqual(places.shape, [2, 1]);
  assert.deepEqual(await places.tolist(), [[1n], [3n]]);
});

test("item is a number, and refuses what is none", { skip }, async () => {
  assert.equal(await tensor(2.5).item(), 2.5);
  assert.equal(await tensor(true).item(), 1);
  assert.equal(await tensor(-7n).item(), -7);
  await assert.rejects(tensor(2n ** 53n).item(), RangeError);
  await assert.rejects(tensor([1, 2]).item(), RangeError);
});

test("a queued failure rejects where it is read, naming the operation and the line", { skip }, async () => {
  const bad = tensor([[1, 2]]).matmul(tensor([[1, 2]]));
  const after = bad.relu().add(1);
  const good = tensor([1, 2]).add(1);
  await assert.rejects(after.data(), (error: Error & { code: string }) => {
    assert.equal(error.code, "SHAPE_MISMATCH");
    assert.match(error.message, /matmul/);
    assert.match(error.message, /node\.test\.(ts|mjs):\d+/);
    return true;
  });
  assert.deepEqual(await good.tolist(), [2, 3], "others go on");
  const wrong = tensor([5n]).index_select(tensor([9n]), 0);
  await assert.rejects(wrong.data(), { code: "INDEX_OUT_OF_RANGE" });
});

test("gradients are computed where the tensors are, and add up", { skip }, async () => {
  const x = tensor([1, 2, 3], { requires_grad: true });
  const w = tensor([2, 2, 2], { requires_grad: true });
  const loss = x.mul(w).pow(2).sum();
  assert.ok(loss.requires_grad);
  loss.backward();
  assert.deepEqual(await x.grad?.tolist(), [8, 16, 24]);
  assert.deepEqual(await w.grad?.tolist(), [4, 16, 36]);
  x.mul(2).sum().backward();
  assert.deepEqual(await x.grad?.tolist(), [10, 18, 26]);
  const free = noGrad(() => x.mul(2));
  assert.equal(free.requires_grad, false);
  assert.throws(() => free.sum().backward(), /computed from none/);
  const several = tensor([1, 2], { requires_grad: true });
  await assert.rejects(async () => {
    several.mul(2).backward(); // refused here where shapes are known at once
    await several.grad?.data();
  });
  const y = tensor([3], { requires_grad: true });
  const [first] = grad(y.pow(3).sum(), [y], { create_graph: true });
  const [second] = grad((first as Tensor).sum(), [y]);
  assert.deepEqual([await first?.item(), await second?.item()], [27, 18]);
  const z = tensor([1, 2]);
  z.requires_grad_();
  z.mul(3).sum().backward();
  assert.deepEqual(await z.grad?.tolist(), [3, 3]);
});

test("written tensors, other dtypes, and handles of their own", { skip }, async () => {
  const x = zeros([3]);
  x.write(new Float32Array([7, 8, 9]));
  const half = await x.to("f16").ready();
  assert.equal(half.dtype, "f16");
  assert.deepEqual(await half.tolist(), [7, 8, 9]);
  await x.ready();
  const raw = await connection.call<{ shape: number[] }>("compute/read_tensor", { tensor: x });
  assert.deepEqual(raw.data?.shape, [3]);
});

test("a queued tensor is an input of any call, behind what was queued before", { skip }, async () => {
  const x = tensor([-1, 2]).mul(2);
  x.write(new Float32Array([3, -3]));
  const { data } = await connection.call<Handle>("tensor/relu", { input: x });
  assert.deepEqual(await fromHandle(data as Handle).tolist(), [3, 0]);
  const failed = await connection.env.call("tensor/relu", { input: tensor([5n]).index_select(tensor([9n]), 0) });
  assert.equal(failed.error?.code, "INDEX_OUT_OF_RANGE");
});

test("disposed tensors are gone at the node, and refused here", { skip }, async () => {
  const count = async (): Promise<number> => {
    const { data } = await connection.call<{ resources: { count: number } }>("compute/stats");
    return data?.resources.count ?? -1;
  };
  const x = tensor([1]);
  await x.data();
  const before = await count();
  x.dispose();
  x.dispose();
  assert.throws(() => x.relu(), /disposed/);
  await tensor([2]).data();
  assert.ok((await count()) <= before);
});

test("elements that no tensor can hold are refused at once", { skip }, () => {
  assert.throws(() => tensor([[1], [2, 3]]), /ragged/);
  assert.throws(() => tensor([1, 2n] as never), /kinds/);
  assert.throws(() => tensor(["x"] as never), /numbers, bigints or booleans/);
  assert.throws(() => tensor([300], { dtype: "u8" }), RangeError);
  assert.throws(() => tensor([1.5], { dtype: "i32" }), RangeError);
  assert.throws(() => tensor([1, 2], { shape: [3] }), /takes 12 bytes/);
});
