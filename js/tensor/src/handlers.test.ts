// Tensors as inputs and outputs of operations written in JS, in the program that an isolate belongs to. The same in a
// sandbox, and from other callers: tests/end_to_end/tensor_handlers_test.py.
import { env, hasHost, operations, unwrap } from "@alknet/operations";
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultSession, fromHandle, type Handle, tensor } from "./index.ts";

const skip = hasHost ? false : "this is no isolate of alknet, which has the module alknet:host";
const environment = ["tensor/*", "compute/*", "handlers/*"];
interface Input {
  readonly x: Handle;
}

function register(name: string, handler: (input: Input, context: { env: typeof env }) => unknown): void {
  operations.register({ name, environment, handler: (input, context) => handler(input as Input, context) });
}

async function call(name: string, input: object = {}): Promise<Handle> {
  return unwrap(await env.call<Handle>(name, input));
}

/** How many tensors the node has, when all that was let go is gone. */
async function count(): Promise<number> {
  const stats = (): Promise<unknown> => defaultSession().call("compute/stats", {});
  await stats(); // what is let go goes behind it
  return ((await stats()) as { resources: { count: number } }).resources.count;
}

if (hasHost) {
  register("handlers/double", ({ x }) => fromHandle(x).mul(2));
  register("handlers/ones", () => tensor([1, 1]));
  register("handlers/theirs", (_input, { env: own }) => ({ list: [tensor([5], { caller: own })] }));
  register("handlers/sum", ({ x }) => fromHandle(x).sum().item());
  register("handlers/dispose", ({ x }) => {
    fromHandle(x).dispose();
    return null;
  });
  register("handlers/nested", async ({ x }, { env: own }) => {
    const mine = fromHandle(x).add(1); // queued
    const doubled = fromHandle(unwrap(await own.call<Handle>("handlers/double", { x: mine })));
    return doubled.add(mine).add(fromHandle(x));
  });
  const weight = tensor([10, 100]);
  register("handlers/weighted", ({ x }) => weight.mul(fromHandle(x)));
  register("handlers/fails", ({ x }) => fromHandle(x).index_select(tensor([9n]), 0));
  operations.register({
    name: "handlers/items",
    type: "subscription",
    environment,
    async *handler(input) {
      for (let i = 0; i < 3; ++i) yield fromHandle((input as Input).x).add(i);
    },
  });
}

test("a queued tensor is an input of any operation", { skip }, async () => {
  const x = tensor([-1, 2]).mul(2);
  const made = fromHandle(await call("tensor/relu", { input: x }));
  assert.deepEqual(await made.tolist(), [0, 4]);
  x.write(new Float32Array([7, -7]));
  assert.deepEqual(await fromHandle(await call("tensor/relu", { input: x })).tolist(), [7, 0], "after what is queued");
  const failed = tensor([5n]).index_select(tensor([9n]), 0);
  assert.equal((await env.call("tensor/relu", { input: failed })).error?.code, "INDEX_OUT_OF_RANGE");
});

test("a handler computes with the tensor that it gets, and its caller goes on having it", { skip }, async () => {
  const x = tensor([1, 2]);
  assert.equal(await call("handlers/sum", { x: x.add(1) }) as unknown, 5);
  await call("handlers/dispose", { x });
  assert.deepEqual(await x.tolist(), [1, 2]);
});

test("a tensor that a handler returns is its caller's", { skip }, async () => {
  const x = tensor([1, 2]);
  assert.deepEqual(await fromHandle(await call("handlers/ones")).tolist(), [1, 1]);
  assert.deepEqual(await fromHandle(await call("handlers/double", { x })).tolist(), [2, 4]);
  assert.deepEqual(await fromHandle(await call("handlers/nested", { x })).tolist(), [7, 11]);
  assert.deepEqual(await fromHandle(await call("handlers/weighted", { x })).tolist(), [10, 200]);
  const { list } = (await call("handlers/theirs")) as unknown as { list: [Handle] };
  assert.deepEqual(await fromHandle(list[0]).tolist(), [5]);
  const items: unknown[] = [];
  for await (const item of env.subscribe<Handle>("handlers/items", { x })) items.push(await fromHandle(item).tolist());
  assert.deepEqual(items, [[1, 2], [2, 3], [3, 4]]);
  assert.notEqual((await env.call("handlers/fails", { x })).error, undefined);
});

test("handlers of calls at the same time do not meet", { skip }, async () => {
  const calls = Array.from({ length: 20 }, (_, i) => call("handlers/nested", { x: tensor([i]) }));
  const made = await Promise.all((await Promise.all(calls)).map((each) => fromHandle(each).item()));
  assert.deepEqual(made, Array.from({ length: 20 }, (_, i) => 4 * i + 3));
});

test("nothing stays behind", { skip }, async () => {
  const x = await tensor([1, 2]).ready();
  const before = await count();
  for (let i = 0; i < 10; ++i) {
    for (const name of ["handlers/double", "handlers/nested", "handlers/ones", "handlers/weighted"]) {
      fromHandle(await call(name, { x })).dispose();
    }
    await call("handlers/sum", { x });
  }
  assert.equal(await count(), before);
  x.dispose();
  assert.equal(await count(), before - 1);
});
