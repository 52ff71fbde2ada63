import assert from "node:assert/strict";
import { test } from "node:test";
import { h, type Node } from "@alknet/ujsx";
import { signal } from "@preact/signals-core";
import {
  callerOf,
  Conditional,
  Executor,
  type HandlerContext,
  Input,
  Map as MapOver,
  Operation,
  Output,
  Parallel,
  Sequential,
  Subgraph,
  type Execution,
} from "./index.ts";
import { failure, FakeCaller, ManualClock, settle } from "./testing/fakes.ts";

function start(
  template: Node,
  caller: FakeCaller,
  inputs: Record<string, unknown> = {},
  clock = new ManualClock(),
): Execution {
  return new Executor({ caller, clock }).start(template, inputs);
}

const statuses = (execution: Execution) =>
  Object.fromEntries([...execution.nodes].map(([path, node]) => [path, node.status.value]));

const op = (id: string, input?: unknown, rest: object = {}) => h(Operation, { id, name: `op/${id}`, input, ...rest });

test("A sequence runs its operations one after the other, each with the output of the one before", async () => {
  const caller = new FakeCaller();
  const execution = start(
    h(Sequential, {}, op("a", { x: "$.input.x" }), op("b"), op("c", { b: "$.output", a: "$.nodes.a.output.deep.0" })),
    caller,
    { x: 3 },
  );
  await settle();
  assert.deepEqual(caller.waiting, ["op/a"]);
  assert.deepEqual(statuses(execution), { "/0/a": "running", "/0/b": "waiting", "/0/c": "waiting" });
  assert.equal(execution.status("/0").value, "running");
  await caller.answer("op/a", { deep: [7] });
  await caller.answer("op/b", "B");
  await caller.answer("op/c", "C");
  assert.equal(await execution.result, "C");
  assert.deepEqual(
    caller.calls.map(({ input }) => input),
    [{ x: 3 }, { deep: [7] }, { b: "B", a: 7 }],
  );
  assert.equal(execution.status("/0").value, "completed");
});

test("Failure propagates to dependants while others go on", async () => {
  const caller = new FakeCaller();
  const execution = start(h(Parallel, {}, h(Sequential, { id: "left" }, op("a"), op("b")), op("c")), caller);
  await settle();
  assert.deepEqual(caller.waiting, ["op/a", "op/c"]);
  await caller.fail("op/a", failure("INTERNAL"));
  assert.deepEqual(statuses(execution), { "/0/left/a": "failed", "/0/left/b": "failed", "/0/c": "running" });
  assert.equal((execution.node("/0/left/b")?.error.value as { code: string }).code, "DEPENDENCY_FAILED");
  await caller.answer("op/c", 1);
  await assert.rejects(execution.result, /internal/);
  assert.equal(execution.node("/0/c")?.status.value, "completed");
  assert.equal(execution.status("/").value, "failed");
});

test("An abort reaches running calls and all that wait", async () => {
  const caller = new FakeCaller();
  const execution = start(h(Sequential, {}, op("a"), op("b")), caller);
  await settle();
  const called = caller.signalOf("op/a");
  execution.abort("enough");
  await assert.rejects(execution.result, { code: "ABORTED" });
  assert.equal(called?.aborted, true);
  assert.deepEqual(statuses(execution), { "/0/a": "aborted", "/0/b": "aborted" });
  assert.deepEqual(
    execution.calls.records.map(({ status }) => status),
    ["aborted", "aborted"],
  );
});

test("An abort of one node cascades to what depends on it", async () => {
  const caller = new FakeCaller();
  const execution = start(h(Parallel, {}, h(Sequential, { id: "left" }, op("a"), op("b")), op("c")), caller);
  await settle();
  execution.node("/0/left/a")?.abort("no");
  await settle();
  assert.deepEqual(statuses(execution), { "/0/left/a": "aborted", "/0/left/b": "aborted", "/0/c": "running" });
  await caller.answer("op/c", 1);
  await assert.rejects(execution.result, { code: "ABORTED" });
});

test("Parallel bounds how many operations run at a time, also deep inside", async () => {
  const caller = new FakeCaller();
  const execution = start(
    h(Parallel, { maxConcurrency: 2 }, op("a"), h(Sequential, {}, op("b"), op("c")), op("d")),
    caller,
  );
  await settle();
  assert.deepEqual(caller.waiting, ["op/a", "op/b"]);
  assert.equal(execution.node("/0/d")?.status.value, "ready");
  await caller.answer("op/b", "b");
  assert.deepEqual(caller.waiting, ["op/a", "op/d"]);
  await caller.answer("op/a", "a");
  await caller.answer("op/d", "d");
  await caller.answer("op/c", "c");
  assert.deepEqual(await execution.result, { a: "a", 1: "c", d: "d" });
});

test("A node is tried again after failures that may pass, with growing waits", async () => {
  const clock = new ManualClock();
  let tries = 0;
  const caller = new FakeCaller({
    "op/a": () => {
      tries += 1;
      if (tries < 3) throw failure("TIMEOUT", true);
      return "done";
    },
  });
  const execution = start(op("a", null, { retry: { attempts: 5, delay: 100 } }), caller, {}, clock);
  await settle();
  assert.equal(tries, 1);
  await clock.advance(99);
  assert.equal(tries, 1);
  await clock.advance(1);
  assert.equal(tries, 2);
  await clock.advance(200);
  assert.equal(await execution.result, "done");
  assert.equal(execution.node("/a")?.attempts.value, 3);
  assert.equal(clock.pending, 0);
});

test("A final error is not tried again", async () => {
  const caller = new FakeCaller({
    "op/a": () => {
      throw failure("INVALID_INPUT", false);
    },
  });
  const execution = start(op("a", null, { retry: 5 }), caller);
  await assert.rejects(execution.result, { code: "INVALID_INPUT" });
  assert.equal(caller.calls.length, 1);
});

test("A try that takes too long is aborted, and counts as one that may pass", async () => {
  const clock = new ManualClock();
  const caller = new FakeCaller();
  const execution = start(op("a", null, { timeout: 50, retry: 2 }), caller, {}, clock);
  await settle();
  const first = caller.signalOf("op/a");
  await clock.advance(50);
  assert.equal(first?.aborted, true);
  assert.equal(caller.calls.length, 2);
  await clock.advance(50);
  await assert.rejects(execution.result, { code: "TIMEOUT", path: "/a" });
  assert.equal(clock.pending, 0);
});

test("A conditional runs one branch, which sees what is around it", async () => {
  const template = h(
    Sequential,
    {},
    op("a"),
    h(Conditional, { id: "choice", test: "$.output.good", then: op("yes", "$.nodes.a.output.value"), else: op("no") }),
  );
  for (const good of [true, false]) {
    const handlers = { "op/a": () => ({ good, value: 5 }), "op/yes": (x: number) => x + 1, "op/no": (x: object) => x };
    const execution = start(template, new FakeCaller(handlers));
    assert.deepEqual(await execution.result, good ? 6 : { good, value: 5 });
    assert.deepEqual(
      [...execution.nodes.keys()].sort(),
      good ? ["/0/a", "/0/choice", "/0/choice/then/yes"] : ["/0/a", "/0/choice", "/0/choice/else/no"],
    );
  }
});

test("A signal decides when its conditional runs", async () => {
  const test = signal(false);
  const caller = new FakeCaller({ "op/yes": () => "yes" });
  const execution = start(h(Sequential, {}, op("a"), h(Conditional, { test, then: op("yes", null) })), caller);
  await settle();
  test.value = true;
  await caller.answer("op/a", 0);
  assert.equal(await execution.result, "yes");
});

test("A map runs its children for each item, so many at a time, and keeps the order", async () => {
  let running = 0;
  let most = 0;
  const caller = new FakeCaller({
    "op/double": async ({ x, k }: { x: number; k: number }) => {
      most = Math.max(most, (running += 1));
      await settle();
      running -= 1;
      return 2 * x + k;
    },
  });
  const template = h(
    MapOver,
    { over: "$.input.list", as: "n", maxConcurrency: 3, id: "all" },
    op("double", { x: "$.n.value", k: "$.input.k" }),
  );
  const execution = start(template, caller, { list: [1, 2, 3, 4, 5].map((value) => ({ value })), k: 1 });
  assert.deepEqual(await execution.result, [3, 5, 7, 9, 11]);
  assert.equal(most, 3);
  assert.equal(execution.node("/all[4]/double")?.output.value, 11);
  const map = execution.calls.children()[0];
  assert.equal(execution.calls.children(map?.id).length, 5);
});

test("After a failed item a map begins no more, and ends its source", async () => {
  let ended = false;
  const source = {
    *[Symbol.iterator]() {
      try {
        for (let i = 0; ; i += 1) yield i;
      } finally {
        ended = true;
      }
    },
  };
  const caller = new FakeCaller({
    "op/a": (i: number) => {
      if (i === 2) throw failure("INTERNAL");
      return i;
    },
  });
  const execution = start(h(MapOver, { over: source, as: "i" }, op("a", "$.i")), caller);
  await assert.rejects(execution.result, { code: "INTERNAL" });
  assert.equal(caller.calls.length, 3);
  assert.equal(ended, true);
});

test("A stream's items reach a map while it runs", async () => {
  const seen: string[] = [];
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const caller = new FakeCaller({
    "stream/tokens": async function* () {
      yield "one";
      await gate;
      yield "two";
    },
    "op/show": (token: string) => {
      seen.push(token);
      return token.length;
    },
  });
  const template = h(
    Sequential,
    {},
    h(Operation, { id: "tokens", name: "stream/tokens", input: {} }),
    h(MapOver, { id: "each", over: "$.output", as: "token" }, op("show", "$.token")),
    h(Output, { name: "sizes", value: "$.nodes.each.output" }),
    h(Output, { name: "tokens", value: "$.nodes.tokens.output" }),
  );
  const execution = start(template, caller);
  await settle();
  assert.deepEqual(seen, ["one"]);
  assert.equal(execution.node("/0/tokens")?.latest.value, "one");
  assert.equal(execution.node("/0/tokens")?.status.value, "running");
  release();
  assert.deepEqual(await execution.result, { sizes: [3, 3], tokens: ["one", "two"] });
});

test("A fast stream waits for a slow map", async () => {
  let made = 0;
  const caller = new FakeCaller({
    "stream/numbers": async function* () {
      for (made = 0; made < 100; made += 1) yield made;
    },
  });
  const template = h(
    Sequential,
    {},
    h(Operation, { name: "stream/numbers", input: {}, collect: false }),
    h(MapOver, { over: "$.output", as: "n", collect: false }, op("slow", "$.n")),
  );
  const execution = start(template, caller);
  await settle();
  assert.ok(made < 30, `${made} items are made ahead`);
  execution.abort();
  await assert.rejects(execution.result, { code: "ABORTED" });
});

test("A handler of the template takes the place of an operation", async () => {
  const caller = new FakeCaller({ "op/a": () => 20 });
  const run = async (x: number, { call }: { call: (name: string, input: unknown) => Promise<unknown> }) =>
    x + ((await call("op/a", 0)) as number);
  const execution = start(h(Operation, { name: "local/sum", input: "$.input.x", run }), caller, { x: 1 });
  assert.equal(await execution.result, 21);
});

test("The call graph says what happened, when, and inside of what", async () => {
  const clock = new ManualClock();
  const caller = new FakeCaller();
  const execution = start(h(MapOver, { id: "m", over: ["x"] }, op("a", "$.item", { peer: "gpu1" })), caller, {}, clock);
  await settle();
  await clock.advance(5);
  await caller.answer("op/a", 1);
  await execution.result;
  const [map, call] = execution.calls.records;
  assert.deepEqual(call, {
    id: 2,
    path: "/m[0]/a",
    operation: "op/a",
    peer: "gpu1",
    parent: map?.id,
    status: "completed",
    attempts: 1,
    startedAt: 0,
    endedAt: 5,
  });
  assert.equal(caller.calls[0]?.peer, "gpu1");
});

test("A conditional without a tree for the answer gives what it got", async () => {
  const caller = new FakeCaller({ "op/a": () => 7 });
  const template = h(Sequential, {}, op("a"), h(Conditional, { test: false, then: op("b") }));
  assert.equal(await start(template, caller).result, 7);
});

test("The end of one node lets others begin in the order of the template", async () => {
  const caller = new FakeCaller();
  const template = h(Parallel, { maxConcurrency: 1 }, op("a", 0), op("b", 0), op("c", 0));
  const execution = start(template, caller);
  await settle();
  for (const name of ["op/a", "op/b", "op/c"]) {
    assert.deepEqual(caller.waiting, [name]);
    await caller.answer(name, name);
  }
  assert.deepEqual(await execution.result, { a: "op/a", b: "op/b", c: "op/c" });
});

test("A node that waits for a slot can be aborted, and takes none", async () => {
  const caller = new FakeCaller();
  const execution = start(h(Parallel, { maxConcurrency: 1 }, op("a", 0), op("b", 0), op("c", 0)), caller);
  await settle();
  execution.node("/0/b")?.abort();
  await settle();
  assert.equal(execution.node("/0/b")?.status.value, "aborted");
  await caller.answer("op/a", 1);
  assert.deepEqual(caller.waiting, ["op/c"]);
  await caller.answer("op/c", 1);
  await assert.rejects(execution.result, { code: "ABORTED" });
});

test("A failed stream fails the map over it", async () => {
  const caller = new FakeCaller({
    "stream/broken": async function* () {
      yield 1;
      throw failure("DEVICE_LOST");
    },
    "op/show": (n: number) => n,
  });
  const template = h(
    Sequential,
    {},
    h(Operation, { id: "source", name: "stream/broken", input: {}, retry: 3 }),
    h(MapOver, { id: "each", over: "$.output" }, op("show", "$.item")),
  );
  const execution = start(template, caller);
  await assert.rejects(execution.result, { code: "DEVICE_LOST" });
  assert.equal(caller.calls.filter(({ name }) => name === "stream/broken").length, 1);
  assert.equal(execution.node("/0/each")?.status.value, "failed");
});

test("Empty templates, maps and groups end at once", async () => {
  assert.deepEqual(await start(h(MapOver, { over: [] }, op("a", "$.item")), new FakeCaller()).result, []);
  assert.deepEqual(await start(h(Parallel, {}), new FakeCaller()).result, {});
  assert.equal(await start(h(Sequential, {}), new FakeCaller(), { input: 5 }).result, 5);
});

test("A signal from outside stops an execution", async () => {
  const caller = new FakeCaller();
  const controller = new AbortController();
  const execution = new Executor({ caller }).start(op("a", 0), {}, { signal: controller.signal });
  await settle();
  controller.abort("late");
  await assert.rejects(execution.result, /late/);
});

test("Callers with envelopes serve, and their errors are the nodes'", async () => {
  const env = {
    call: async (name: string, input?: unknown) =>
      name === "op/a" ? { data: input } : { error: failure("NOT_FOUND", false) },
    async *subscribe() {
      yield 1;
      yield 2;
    },
  };
  const executor = new Executor({ caller: callerOf(env) });
  assert.deepEqual(await executor.run(op("a", { x: "$.input.x" }), { x: 1 }), { x: 1 });
  await assert.rejects(executor.run(op("b", 0)), { code: "NOT_FOUND" });
  assert.deepEqual(await executor.run(h(Operation, { name: "op/c", input: {}, stream: true })), [1, 2]);
});

test("A record of a call is what it was when it was read", async () => {
  const caller = new FakeCaller();
  const execution = start(op("a"), caller);
  await settle();
  const [first] = execution.calls.records;
  assert.equal(first?.status, "running");
  await caller.answer("op/a", 1);
  await execution.result;
  assert.equal(first?.status, "running");
  assert.equal(execution.calls.get(first?.id as number)?.status, "completed");
});

test("A handler's signal is made when it is read, and then is what became of its node", async () => {
  const seen: string[] = [];
  let go = (): void => undefined;
  const waits = new Promise<void>((resolve) => (go = resolve));
  const executor = new Executor({ caller: new FakeCaller() });
  const host = globalThis.AbortController;
  let made = 0;
  globalThis.AbortController = class extends host {
    constructor() {
      super();
      made += 1;
    }
  };
  try {
    const run = async (_: unknown, context: HandlerContext) => {
      await waits;
      seen.push(`${made} made, aborted ${String(context.signal.aborted)}: ${String(context.signal.reason)}`);
    };
    const execution = executor.start(h(Operation, { id: "late", name: "local/late", input: null, run }));
    await settle();
    execution.abort("enough");
    await assert.rejects(execution.result, { code: "ABORTED" });
    go();
    await settle();
  } finally {
    globalThis.AbortController = host;
  }
  assert.deepEqual(seen, ["0 made, aborted true: enough"]);
});

test("After a failure no item begins, also one that was asked for before", async () => {
  const caller = new FakeCaller({ "compute/dispose": () => ({}) });
  let give: (name: string) => void = () => undefined;
  const asked: AsyncIterator<unknown> = {
    next: () => new Promise((resolve) => (give = ($tensor) => resolve({ value: { $tensor, dtype: "f32", shape: [] } }))),
  };
  const over = { [Symbol.asyncIterator]: () => asked };
  const execution = start(h(MapOver, { over, maxConcurrency: 2, release: true }, op("a", { x: "$.item" })), caller);
  await settle();
  give("x");
  await settle();
  await caller.fail("op/a", failure("INTERNAL", false));
  give("y");
  await assert.rejects(execution.result, { code: "INTERNAL" });
  assert.deepEqual(
    caller.calls.map(({ name, input }) => [name, (input as { handles?: string[] }).handles]),
    [
      ["op/a", undefined],
      ["compute/dispose", ["x"]],
      ["compute/dispose", ["y"]],
    ],
  );
});

test("Who listens to the items of a map hears each output before tensors are disposed, and is waited for", async () => {
  const tensor = (name: string) => ({ $tensor: name, dtype: "f32", shape: [] });
  const caller = new FakeCaller({
    "compute/to": () => tensor("copy"),
    "tensor/neg": () => tensor("negative"),
    "compute/dispose": () => ({}),
  });
  const heard: unknown[] = [];
  let go: () => void = () => undefined;
  const onItem = (output: unknown, item: unknown) => {
    heard.push([output, item]);
    return new Promise<void>((resolve) => (go = resolve));
  };
  // An operation at a peer is a node of its own.
  const neg = h(Operation, { id: "neg", name: "tensor/neg", peer: "gpu1", input: { input: "$.item" } });
  const execution = start(h(MapOver, { over: ["x", "y"].map(tensor), collect: false, release: true, onItem }, neg), caller);
  const disposed = () => caller.calls.filter(({ name }) => name === "compute/dispose").length;
  await settle();
  assert.equal(heard.length, 1);
  assert.deepEqual(heard[0], [tensor("negative"), tensor("x")]);
  assert.equal(disposed(), 1, "the copy");
  go();
  await settle();
  assert.equal(heard.length, 2, "the next item when the listener has ended");
  assert.equal(disposed(), 4, "then the output, the item and the next copy");
  go();
  assert.deepEqual(await execution.result, []);
});

test("What a listener of a map throws is the failure of that item", async () => {
  const onItem = (output: unknown) => {
    if (output === 2) throw new RangeError("too much");
  };
  const one = h(Operation, { name: "local/same", input: "$.item", run: (x: unknown) => x });
  const execution = start(h(MapOver, { id: "all", over: [1, 2, 3], collect: false, onItem }, one), new FakeCaller());
  await assert.rejects(execution.result, { path: "/all[1]", message: "/all[1] (onItem): too much" });
});

/** Runs graphs by hand; tensors of the peer gpu1 are copied when `copy` is called. */
class Runs {
  readonly inOrder: boolean;
  readonly given: string[] = [];
  copy: () => void = () => undefined;
  readonly #open: (() => void)[] = [];

  constructor(inOrder: boolean) {
    this.inOrder = inOrder;
  }

  async call(name: string, input: unknown): Promise<unknown> {
    if (name === "compute/compile") return { plan: "p", states: [], inputs: [{ name: "x" }], outputs: ["y"] };
    if (name === "compute/to") {
      await new Promise<void>((resolve) => (this.copy = resolve));
      return { $tensor: "copy", dtype: "f32", shape: [] };
    }
    if (name !== "compute/run") return {};
    const { inputs } = input as { inputs: { x: { $tensor: string } } };
    this.given.push(inputs.x.$tensor);
    await new Promise<void>((resolve) => this.#open.push(resolve));
    return { outputs: {}, values: { y: this.given.length } };
  }

  async answer(): Promise<void> {
    this.#open.shift()?.();
    await settle();
  }
}

test("A pipeline has two runs under way, in the order of its items, where the caller keeps it", async () => {
  const at = ($tensor: string, peer?: string) => {
    const handle = { $tensor, dtype: "f32", shape: [] };
    return peer === undefined ? handle : { peer, toJSON: () => handle };
  };
  const graph = h(
    Subgraph,
    { id: "graph", input: { x: "$.item" }, values: ["y"] },
    h(Input, { name: "x", dtype: "f32", shape: [] }),
    h(Operation, { name: "tensor/neg", input: { input: "$.input.x" } }),
    h(Output, { name: "y" }),
  );
  const items = [at("a", "gpu1"), at("b"), at("c")];
  for (const inOrder of [true, false]) {
    const caller = new Runs(inOrder);
    const execution = new Executor({ caller }).start(h(MapOver, { over: items, collect: false, pipeline: true }, graph));
    await settle();
    assert.deepEqual(caller.given, [], "b waits for a, which waits for its copy");
    caller.copy();
    await settle();
    assert.deepEqual(caller.given, inOrder ? ["copy", "b"] : ["copy"]);
    await caller.answer();
    assert.deepEqual(caller.given, inOrder ? ["copy", "b", "c"] : ["copy", "b"]);
    await caller.answer();
    await caller.answer();
    assert.deepEqual(await execution.result, []);
    assert.deepEqual(caller.given, ["copy", "b", "c"]);
  }
});

test("A map that prefetches several items has them made one after the other", async () => {
  const caller = new FakeCaller();
  const clock = new ManualClock();
  const heard: string[] = [];
  const gates: (() => void)[] = [];
  const over = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        heard.push("asked");
        await new Promise<void>((resolve) => gates.push(resolve));
        return { value: heard.length };
      },
    }),
  };
  const execution = start(h(MapOver, { over, prefetch: 2, collect: false }, op("a", { x: "$.item" })), caller, {}, clock);
  await settle();
  gates.shift()?.();
  await settle();
  assert.deepEqual([heard.length, caller.waiting], [1, ["op/a"]]);
  await clock.advance(0);
  assert.equal(heard.length, 2, "the next but one waits for the next");
  gates.shift()?.();
  await settle();
  assert.equal(heard.length, 3, "two ahead");
  gates.shift()?.();
  await clock.advance(0);
  assert.equal(heard.length, 3, "and no more");
  execution.abort();
  await assert.rejects(execution.result, { code: "ABORTED" });
});

test("A map that prefetches has its next item made while one is worked on, and disposes what nobody took", async () => {
  const caller = new FakeCaller({ "compute/dispose": () => ({}) });
  const clock = new ManualClock();
  const heard: string[] = [];
  async function* items() {
    try {
      for (const name of ["x", "y", "z"]) {
        heard.push(`make ${name}`);
        yield { $tensor: name, dtype: "f32", shape: [] };
      }
    } finally {
      heard.push("end");
    }
  }
  const execution = start(
    h(MapOver, { over: items(), prefetch: true, release: true, collect: false }, op("a", { x: "$.item" })),
    caller,
    {},
    clock,
  );
  await settle();
  assert.deepEqual([heard, caller.waiting], [["make x"], ["op/a"]]);
  await clock.advance(0);
  assert.deepEqual(heard, ["make x", "make y"]);
  await caller.answer("op/a", 1);
  await settle();
  assert.deepEqual([heard, caller.waiting], [["make x", "make y"], ["op/a"]]);
  await clock.advance(0);
  await caller.fail("op/a", failure("INTERNAL", false));
  await assert.rejects(execution.result, { code: "INTERNAL" });
  assert.deepEqual(heard, ["make x", "make y", "make z", "end"]);
  const disposed = caller.calls.filter(({ name }) => name === "compute/dispose");
  assert.deepEqual(
    disposed.map(({ input }) => (input as { handles: string[] }).handles),
    [["x"], ["y"], ["z"]],
  );
});
