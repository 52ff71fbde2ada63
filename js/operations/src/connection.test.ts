import assert from "node:assert/strict";
import { test } from "node:test";
import { env as hostEnv, hasHost, operations } from "./host.ts";
import type { OperationContext, OperationDefinition } from "./registry.ts";
import { OperationTable } from "./registry.ts";
import { isError, unwrap } from "./response.ts";
import { OperationError } from "./error.ts";
import { joined } from "./testing/memory.ts";

function tableOf(...definitions: OperationDefinition[]): OperationTable {
  const table = new OperationTable();
  for (const each of definitions) table.register(each);
  return table;
}

const add: OperationDefinition = {
  name: "math/add",
  handler: (input) => {
    const { a, b } = input as { a: number; b: number };
    return a + b;
  },
};

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

test("a call gives an envelope with the output, the id, the source and how long it took", async () => {
  const { near } = await joined({ source: "there" }, { operations: tableOf(add) });
  const envelope = await near.call("math/add", { a: 1, b: 2 });
  assert.equal(envelope.data, 3);
  assert.equal(envelope.error, undefined);
  assert.match(envelope.requestId, /^[0-9a-f]{16}-\d+$/);
  assert.equal(envelope.operation, "math/add");
  assert.equal(envelope.source, "there");
  assert.ok(envelope.timing.durationMs >= 0);
  assert.ok(Math.abs(envelope.timing.startedAt - Date.now()) < 60_000);
  assert.equal(unwrap(envelope), 3);
  assert.equal(await unwrap(near.env["math"]?.["add"]?.({ a: 3, b: 4 }) as Promise<typeof envelope>), 7);
});

test("an error comes as an OperationError in the envelope, which unwrap throws", async () => {
  const fail: OperationDefinition = {
    name: "a/fail",
    errors: [{ code: "TOO_COLD" }],
    handler: (input) => {
      const { code } = input as { code?: string };
      if (code === undefined) throw new TypeError("a secret");
      throw new OperationError(code, "brr", { retryable: true, details: { celsius: -40 } });
    },
  };
  const { near } = await joined({}, { operations: tableOf(fail) });
  const declared = await near.call("a/fail", { code: "TOO_COLD" });
  assert.ok(isError(declared));
  assert.deepEqual(
    [declared.error.code, declared.error.message, declared.error.retryable, declared.error.details],
    ["TOO_COLD", "brr", true, { celsius: -40 }],
  );
  assert.equal(declared.error.requestId, declared.requestId);
  assert.throws(() => unwrap(declared), OperationError);
  const undeclared = await near.call("a/fail", { code: "ODD" });
  assert.equal(undeclared.error?.code, "INTERNAL");
  assert.deepEqual(undeclared.error?.details, { code: "ODD", details: { celsius: -40 } });
  const other = await near.call("a/fail");
  assert.equal(other.error?.code, "INTERNAL");
  assert.ok(!other.error?.message.includes("secret"), "what a handler did not mean to say stays here");
});

test("names that are not there, and internal ones, are NOT_FOUND; scopes are asked for", async () => {
  const inner: OperationDefinition = { name: "a/inner", visibility: "internal", handler: () => 1 };
  const guarded: OperationDefinition = { name: "a/guarded", access: { required_scopes: ["a"] }, handler: () => 1 };
  const table = tableOf(inner, guarded);
  const { near } = await joined({}, { operations: table });
  assert.equal((await near.call("a/nothing")).error?.code, "NOT_FOUND");
  assert.equal((await near.call("a/inner")).error?.code, "NOT_FOUND");
  assert.equal((await near.call("a/guarded")).error?.code, "FORBIDDEN");
  const known = await joined({}, { operations: table, identity: { id: "me", scopes: ["a"] } });
  assert.equal((await known.near.call("a/guarded")).data, 1);
});

test("bytes cross both ways without base64, in chunks, and are handed over when transferred", async () => {
  const reverse: OperationDefinition = {
    name: "a/reverse",
    handler: (input) => ({ data: new Uint8Array((input as { data: ArrayBuffer }).data).reverse() }),
  };
  const { near, transports } = await joined({}, { operations: tableOf(reverse) });
  const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => i % 251);
  const expected = bytes.slice().reverse();
  const { data } = await near.call<{ data: ArrayBuffer }>("a/reverse", { data: bytes });
  assert.deepEqual(new Uint8Array(data?.data ?? new ArrayBuffer(0)), expected);
  const chunks = transports[0].sent.filter((frame) => frame[0] === 0);
  assert.deepEqual(chunks.map((frame) => frame.length), [262_150, 262_150, 75_718]);
  const halves = new Float32Array([0.5, 0.25]);
  const moved = await near.call<{ data: ArrayBuffer }>("a/reverse", { data: halves }, { transfer: [halves.buffer] });
  assert.equal(moved.data?.data.byteLength, 8);
  if ("transfer" in ArrayBuffer.prototype) assert.equal(halves.length, 0);
});

test("what looks like a reference stays data where it is none", async () => {
  const swap: OperationDefinition = {
    name: "a/swap",
    handler: (input) => {
      const { a, b, note } = input as { a: ArrayBuffer; b: ArrayBuffer; note: unknown };
      return { bytes: [b, a], note, seen: [new Uint8Array(a)[0], new Uint8Array(b)[0]] };
    },
  };
  const { near } = await joined({}, { operations: tableOf(swap) });
  for (let round = 0; round < 3; ++round) {
    const input = { a: new Uint8Array([1]), b: new Uint8Array([2]), note: "n" };
    const { data } = await near.call<{ bytes: ArrayBuffer[]; note: unknown }>("a/swap", input, {
      outputBytes: ["bytes/*"],
    });
    assert.deepEqual(data?.bytes.map((buffer) => new Uint8Array(buffer)[0]), [2, 1]);
  }
  const literal = await near.call<{ note: unknown }>("a/swap", {
    a: new Uint8Array([1]),
    b: new Uint8Array([2]),
    note: { deep: [{ $bytes: 1_000_000 }] },
  });
  assert.deepEqual(literal.data?.note, { deep: [{ $bytes: 1_000_000 }] });
});

test("towards a plain peer bytes are base64", async () => {
  const echo: OperationDefinition = { name: "a/echo", handler: (input) => input };
  const { near } = await joined({}, { operations: tableOf(echo) }, false);
  assert.deepEqual((await near.call("a/echo", { d: new Uint8Array([1, 2, 3, 4]) })).data, { d: "AQIDBA==" });
});

test("inputs that JSON cannot say are refused with their place", async () => {
  const { near } = await joined({}, { operations: tableOf() });
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  const cases: [unknown, RegExp][] = [
    [{ a: [1, 2n] }, /a\[1\] is a bigint/],
    [{ f: () => 1 }, /f is a function/],
    [{ n: Number.NaN }, /n is NaN/],
    [loop, /nested deeper than 64/],
  ];
  for (const [input, message] of cases) {
    const { error } = await near.call("a/b", input);
    assert.equal(error?.code, "INVALID_INPUT");
    assert.match(error?.message ?? "", message);
  }
});

test("a subscription gives its items in order and waits for a slow reader", async () => {
  let made = 0;
  let returned = false;
  const count: OperationDefinition = {
    name: "a/count",
    type: "subscription",
    async *handler(input) {
      try {
        const { to } = input as { to: number };
        for (made = 0; made < to; ++made) yield made;
      } finally {
        returned = true;
      }
    },
  };
  const { near } = await joined({}, { operations: tableOf(count) });
  const all: unknown[] = [];
  for await (const item of near.subscribe("a/count", { to: 1000 })) all.push(item);
  assert.deepEqual(all, Array.from({ length: 1000 }, (_, i) => i));

  returned = false;
  const items = near.subscribe("a/count", { to: 100_000 });
  assert.equal((await items.next()).value, 0);
  for (let turn = 0; turn < 2000; ++turn) await Promise.resolve();
  assert.ok(made <= 300, `the sender is ${made} items ahead of the reader`);
  await items.return(undefined);
  for (let turn = 0; turn < 100 && !returned; ++turn) await Promise.resolve();
  assert.ok(returned, "leaving the subscription ends the generator there");
});

test("calling a subscription tells it to stop; subscribing to a call ends with its item", async () => {
  let stopped = false;
  const endless: OperationDefinition = {
    name: "a/endless",
    type: "subscription",
    async *handler(_input, { signal }) {
      while (!signal.aborted) yield 1;
      stopped = true;
    },
  };
  const { near } = await joined({}, { operations: tableOf(endless) });
  assert.equal((await near.call("a/endless")).data, 1);
  for (let turn = 0; turn < 5000 && !stopped; ++turn) await Promise.resolve();
});

test("an abort reaches the handler's signal, and what it called", async () => {
  const started = deferred<void>();
  const seen: string[] = [];
  const wait = (name: string, next?: string): OperationDefinition => ({
    name,
    environment: ["*"],
    handler: (_input: unknown, { signal, env }: OperationContext) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          seen.push(name);
          resolve(null);
        });
        if (next === undefined) started.resolve();
        else void env.call(next);
      }),
  });
  const { near } = await joined(
    { operations: tableOf(wait("near/inner")) },
    { operations: tableOf(wait("far/outer", "near/inner")) },
  );
  const controller = new AbortController();
  const call = near.call("far/outer", {}, { signal: controller.signal });
  await started.promise;
  controller.abort();
  assert.equal((await call).error?.code, "ABORTED");
  for (let turn = 0; turn < 100 && seen.length < 2; ++turn) await Promise.resolve();
  assert.deepEqual(seen.sort(), ["far/outer", "near/inner"]);
  const again = await near.call("far/outer", {}, { signal: controller.signal });
  assert.equal(again.error?.code, "ABORTED", "a signal that is aborted already starts nothing");
});

test("a handler reaches only what its environment names", async () => {
  const ask: OperationDefinition = {
    name: "far/ask",
    environment: ["near/open", "other/*"],
    handler: async (input, { env }) => (await env.call((input as { name: string }).name)).error?.code ?? "called",
  };
  const open: OperationDefinition = { name: "near/open", handler: () => 1 };
  const shut: OperationDefinition = { name: "near/shut", handler: () => 1 };
  const { near } = await joined({ operations: tableOf(open, shut) }, { operations: tableOf(ask) });
  assert.equal((await near.call("far/ask", { name: "near/open" })).data, "called");
  assert.equal((await near.call("far/ask", { name: "near/shut" })).data, "NOT_FOUND");
});

test("deadlines end calls with TIMEOUT, which is retryable", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let signalled = false;
  const never: OperationDefinition = {
    name: "a/never",
    handler: (_input, { signal }) =>
      new Promise(() => signal.addEventListener("abort", () => (signalled = true))),
  };
  const { near } = await joined({}, { operations: tableOf(never) });
  const call = near.call("a/never", {}, { timeout: 50 });
  for (let turn = 0; turn < 10; ++turn) await Promise.resolve();
  t.mock.timers.tick(60);
  const { error } = await call;
  assert.equal(error?.code, "TIMEOUT");
  assert.equal(error?.retryable, true);
  assert.ok(signalled);
});

test("a lost connection fails what is pending and aborts what runs", async () => {
  const started = deferred<void>();
  const ended = deferred<void>();
  const never: OperationDefinition = {
    name: "a/never",
    handler: (_input, { signal }) => {
      started.resolve();
      return new Promise(() => signal.addEventListener("abort", () => ended.resolve()));
    },
  };
  const { near, far } = await joined({}, { operations: tableOf(never) });
  const call = near.call("a/never");
  await started.promise;
  far.close();
  const { error } = await call;
  assert.deepEqual([error?.code, error?.message], ["INTERNAL", "connection closed"]);
  await ended.promise;
  assert.equal((await near.call("a/never")).error?.message, "connection closed");
});

test("a limit of calls under way is RESOURCE_EXHAUSTED", async () => {
  const never: OperationDefinition = { name: "a/never", handler: () => new Promise(() => undefined) };
  const { near } = await joined({ limits: { pending_calls: 1 } }, { operations: tableOf(never) });
  void near.call("a/never");
  const { error } = await near.call("a/never");
  assert.deepEqual([error?.code, error?.details], ["RESOURCE_EXHAUSTED", { limit: "pending_calls" }]);
});

test("the registry client lists what the caller may call, and asks for each spec once", async () => {
  const secret: OperationDefinition = { name: "a/secret", access: { required_scopes: ["x"] }, handler: () => 1 };
  const inner: OperationDefinition = { name: "a/inner", visibility: "internal", handler: () => 1 };
  const { near, transports } = await joined({}, { operations: tableOf(add, secret, inner) });
  assert.deepEqual(await near.registry.list(), [{ name: "math/add", op_type: "query" }]);
  assert.deepEqual(await near.registry.list({ prefix: "x" }), []);
  assert.deepEqual(await near.registry.list({ query: "ADD" }), [{ name: "math/add", op_type: "query" }]);
  assert.equal((await near.registry.schema("/math/add")).name, "math/add");
  const sent = transports[0].sent.length;
  await near.registry.schema("math/add");
  assert.equal(transports[0].sent.length, sent);
  await assert.rejects(near.registry.schema("a/secret"), { code: "NOT_FOUND" });
});

test("definitions that cannot be operations are refused", () => {
  const table = new OperationTable();
  for (const name of ["", "plain", "a/", "/a//b", "a b/c", "a/b/"]) {
    assert.throws(() => table.register({ name, handler: () => 1 }), OperationError, name);
  }
  table.register(add);
  assert.throws(() => table.register(add), /registered already/);
  assert.throws(() => table.register({ ...add, name: "a/c", type: "event" as never }), /not query, mutation/);
});

const isolate = hasHost ? "this is an isolate" : false;
test("outside an isolate there is no host, and everything says so", { skip: isolate }, async () => {
  await assert.rejects(hostEnv.call("a/b"), /no host here/);
  assert.throws(() => operations.register(add), /no host here/);
});
