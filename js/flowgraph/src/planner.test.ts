import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { h, type Node } from "@alknet/ujsx";
import {
  Executor,
  Input,
  Map as MapOver,
  Operation,
  Output,
  Param,
  Parallel,
  planTemplate,
  renderGraph,
  Sequential,
  Subgraph,
  type TensorHandle,
} from "./index.ts";
import { ComputeNode, skip } from "./testing/program.ts";

const op = (name: string, input?: unknown, rest: object = {}) => h(Operation, { name, input, ...rest });

/** relu and scale of x, then something dynamic, then two more nodes. */
function mixed(scale: number, last: number): Node {
  return h(
    Sequential,
    {},
    h(Input, { name: "x", dtype: "f32", shape: ["n"] }),
    op("tensor/relu", "$.input.x", { key: "relu" }),
    op("tensor/mul", { other: scale }, { key: "scale" }),
    op("local/twice", "$.output", { key: "local", run: (x: unknown) => x }),
    op("tensor/neg", undefined, { key: "neg" }),
    op("tensor/add", { other: last }, { key: "add" }),
  );
}

test("Static nodes join to parts around dynamic ones", () => {
  const plan = planTemplate(mixed(2, 1));
  assert.deepEqual(
    plan.root.units.map((unit) => [unit.kind, unit.places.map((place) => place.id), unit.after]),
    [
      ["static", ["relu", "scale"], []],
      ["operation", ["local"], [0]],
      ["static", ["neg", "add"], [1]],
    ],
  );
});

test("An edit plans anew only the part that it changes", () => {
  const first = planTemplate(mixed(2, 1));
  const second = planTemplate(mixed(2, 5), { previous: first });
  assert.equal(second.reused.length, 1);
  const parts = (plan: typeof first) => plan.root.units.flatMap((unit) => (unit.kind === "static" ? [unit.part] : []));
  assert.equal(parts(second)[0], parts(first)[0]);
  assert.notEqual(parts(second)[1]?.hash, parts(first)[1]?.hash);
});

test("Parts that nothing joins are planned apart", () => {
  const plan = planTemplate(
    h(
      Parallel,
      {},
      h(Input, { name: "x", dtype: "f32", shape: [2] }),
      op("tensor/relu", "$.input.x"),
      op("tensor/neg", "$.input.x"),
    ),
  );
  assert.equal(plan.root.units.length, 2);
});

test("What needs its own output is a cycle, also over dynamic nodes", () => {
  const template = h(
    Parallel,
    {},
    op("op/a", "$.nodes.b.output", { id: "a" }),
    op("op/b", "$.nodes.a.output", { id: "b" }),
  );
  assert.throws(() => planTemplate(template), /its own output/);
});

let node: ComputeNode;
before(async () => {
  if (skip === false) node = await ComputeNode.start();
});
after(() => node?.stop());

test("Parts run as plans of the C++ program, compiled once", { skip }, async () => {
  const executor = new Executor({ caller: node });
  const x = await node.tensor("f32", [3], [-1, 2, 3]);
  node.called.length = 0;
  assert.deepEqual(await node.read(await executor.run(mixed(2, 1), { x })), [1, -3, -5]);
  assert.deepEqual(await node.read(await executor.run(mixed(2, 5), { x })), [5, 1, -1]);
  const compiled = node.called.filter((name) => name === "compute/compile").length;
  assert.equal(compiled, 3, "the first part once, the second for each of its two contents");
  const stats = (await node.call("compute/stats", {})) as { resources: { count?: number } };
  assert.ok(stats.resources !== undefined);
});

test("A map over batches replays its static part and disposes what is not kept", { skip }, async () => {
  const executor = new Executor({ caller: node });
  const batches = await Promise.all([1, 2, 3].map((value) => node.tensor("f32", [2], [value, value])));
  const total = (tensor: unknown) => node.read(tensor);
  const template = h(
    MapOver,
    { over: "$.input.batches", as: "batch", of: { "": { dtype: "f32", shape: [2] } } },
    h(
      Sequential,
      {},
      op("tensor/square", "$.batch"),
      op("tensor/sum"),
      h(Operation, { name: "local/read", run: total }),
    ),
  );
  node.called.length = 0;
  assert.deepEqual(await executor.run(template, { batches }), [2, 8, 18]);
  assert.equal(node.called.filter((name) => name === "compute/compile").length, 1);
  assert.equal(node.called.filter((name) => name === "compute/dispose").length, 3);
});

test("Initial values do not depend on how a template is divided", { skip }, async () => {
  const uniform = { name: "uniform", low: -1, high: 1 };
  const layers = (between: Node) =>
    h(
      Sequential,
      {},
      h(Input, { name: "x", dtype: "f32", shape: [1, 2] }),
      h(Param, { name: "a", shape: [2, 2], init: uniform }),
      h(Param, { name: "b", shape: [2, 2], init: uniform }),
      op("tensor/matmul", { input: "$.input.x", other: "$.params.a" }),
      between,
      op("tensor/matmul", { other: "$.params.b" }),
    );
  const x = await node.tensor("f32", [1, 2], [[1, 2]]);
  const values = [];
  for (const between of [null, h(Operation, { name: "local/same", run: (y: unknown) => y })]) {
    values.push(await node.read(await new Executor({ caller: node, seed: 7 }).run(layers(between), { x })));
  }
  assert.deepEqual(values[0], values[1]);
});

test("A subgraph is transformed before it is compiled", { skip }, async () => {
  const model = h(
    Subgraph,
    {
      id: "step",
      input: { x: "$.input.x" },
      transform: { operation: "compute/train_step", input: { loss: "loss", optimizer: { name: "sgd" } } },
      extra: { learning_rate: "$.input.rate" },
    },
    h(Input, { name: "x", dtype: "f32", shape: [2] }),
    h(Param, { name: "w", shape: [2], init: 1 }),
    op("tensor/mul", { input: "$.input.x", other: "$.params.w" }, { id: "y" }),
    op("tensor/sum", "$.nodes.y.output", { id: "sum" }),
    h(Output, { name: "loss", value: "$.nodes.sum.output" }),
  );
  const template = h(Sequential, {}, model, h(Output, { name: "output", value: "$.nodes.step.output.loss" }));
  const executor = new Executor({ caller: node });
  const x = await node.tensor("f32", [2], [3, 4]);
  const losses = [];
  for (let i = 0; i < 2; i += 1) losses.push(await node.read(await executor.run(template, { x, rate: 0.1 })));
  assert.equal(losses[0], 7);
  assert.ok(Math.abs((losses[1] as number) - 4.5) < 1e-5, "7 - 0.1 * (9 + 16)");
});

test("A subgraph that is only read gives numbers, and computes nothing else", { skip }, async () => {
  const calls: string[] = [];
  const graphs: { outputs: readonly { name: string }[] }[] = [];
  const caller = {
    call: (name: string, input: unknown) => {
      calls.push(name);
      if (name === "compute/compile") graphs.push((input as { graph: (typeof graphs)[0] }).graph);
      return node.call(name, input);
    },
  };
  const model = (values: readonly string[]) =>
    h(
      Subgraph,
      { id: "model", input: { x: "$.input.x" }, values },
      h(Input, { name: "x", dtype: "f32", shape: [2] }),
      op("tensor/mul", { input: "$.input.x", other: 2 }, { id: "y" }),
      op("tensor/sum", "$.nodes.y.output", { id: "sum" }),
      op("tensor/log", { input: "$.input.x" }, { id: "log" }),
      h(Output, { name: "y", value: "$.nodes.y.output" }),
      h(Output, { name: "sum", value: "$.nodes.sum.output" }),
      h(Output, { name: "log", value: "$.nodes.log.output" }),
    );
  const x = await node.tensor("f32", [2], [3, -1]);
  const executor = new Executor({ caller });
  assert.deepEqual(await executor.run(model(["sum", "y"]), { x }), { y: [6, -2], sum: 4 });
  assert.deepEqual(calls, ["compute/compile", "compute/run"], "nothing is read or let go by other calls");
  assert.deepEqual(
    graphs[0]?.outputs.map(({ name }) => name),
    ["y", "sum"],
  );
  const log = (await executor.run(model(["log"]), { x })) as { log: unknown[] };
  assert.ok(Math.abs((log.log[0] as number) - Math.log(3)) < 1e-6);
  assert.equal(log.log[1], "NaN");
  await assert.rejects(executor.run(model(["total"]), { x }), /no output "total"/);
});

test("Parameters begin with what they are given", { skip }, async () => {
  const w = await node.tensor("f32", [2], [5, 6]);
  const template = [
    h(Input, { name: "x", dtype: "f32", shape: [2] }),
    h(Param, { name: "w", shape: [2] }),
    op("tensor/add", { input: "$.input.x", other: "$.params.w" }),
  ];
  const x = await node.tensor("f32", [2], [1, 1]);
  assert.deepEqual(
    await node.read(await new Executor({ caller: node, parameters: { w } }).run(template, { x })),
    [6, 7],
  );
  await assert.rejects(new Executor({ caller: node }).run(template, { x }), { code: "MISSING_PARAMETER" });
});

test("A failed part fails its nodes, and names them", { skip }, async () => {
  const executor = new Executor({ caller: node });
  const template = h(
    Sequential,
    {},
    h(Input, { name: "x", dtype: "f32", shape: ["n"] }),
    op("tensor/relu"),
    op("tensor/neg"),
  );
  const execution = executor.start(template, {
    x: await node.tensor(
      "f32",
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ),
  });
  await assert.rejects(execution.result);
  assert.deepEqual(
    [...execution.nodes].map(([path, { status }]) => [path, status.value]),
    [
      ["/0/1", "failed"],
      ["/0/2", "failed"],
    ],
  );
});

test("The graph that the C++ program refuses has problems at the same elements", { skip }, async () => {
  const graph = renderGraph([
    h(Input, { name: "x", dtype: "f32", shape: ["n", 3] }),
    op("tensor/reshape", { input: "$.input.x", shape: ["m", 3] }, { id: "r" }),
  ]);
  await assert.rejects(
    node.call("compute/compile", { graph }),
    (error: Error & { details?: { problems: { where: string }[] } }) => {
      assert.ok(error.details?.problems.some(({ where }) => where.includes("/r")));
      return true;
    },
  );
});

test("Objects that stand for handles are tensors, in inputs and in templates", { skip }, async () => {
  class Wrapped {
    readonly #handle: TensorHandle;
    constructor(handle: TensorHandle) {
      this.#handle = handle;
    }
    toJSON(): TensorHandle {
      return this.#handle;
    }
  }
  const wrapped = new Wrapped(await node.tensor("f32", [2], [1, 2]));
  const template = op("tensor/add", { input: "$.input.x", other: wrapped });
  assert.deepEqual(await node.read(await new Executor({ caller: node }).run(template, { x: wrapped })), [2, 4]);
});
