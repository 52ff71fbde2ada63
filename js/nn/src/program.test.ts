import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Executor, Input, Output, renderGraph, Sequential, type TensorHandle } from "@alknet/flowgraph";
import { h } from "@alknet/ujsx";
import { ComputeNode, skip } from "../../flowgraph/src/testing/program.ts";
import {
  adam,
  Fit,
  Linear,
  MSELoss,
  type EpochRecord,
  type FitCheckpoint,
  type FitEvent,
  type PlotSeries,
} from "./index.ts";
import { cases } from "./testing/cases.ts";

let node: ComputeNode;
before(async () => {
  if (skip === false) node = await ComputeNode.start();
});
after(() => node?.stop());

test("The C++ program compiles what every module renders to", { skip }, async () => {
  for (const { name, template, training } of cases()) {
    const graph = renderGraph(template, { training });
    const { states } = (await node.call("compute/compile", { graph })) as { states: { name: string }[] };
    assert.deepEqual(states.map((state) => state.name).sort(), graph.states.map((state) => state.name).sort(), name);
  }
});

/** y = 2 a - 3 b + 1, to be found by a linear layer. */
function regression() {
  return [
    h(Input, { name: "x", dtype: "f32", shape: ["batch", 2] }),
    h(Input, { name: "target", dtype: "f32", shape: ["batch", 1] }),
    h(
      Sequential,
      {},
      h(Linear, { id: "fc", in: 2, out: 1, input: "$.input.x" }),
      h(MSELoss, { input: { target: "$.input.target" } }),
      h(Output, { name: "loss" }),
    ),
  ];
}

async function batch(seed: number, rows = 8): Promise<{ x: TensorHandle; target: TensorHandle }> {
  const points = [...Array(rows).keys()].map(
    (row) => [Math.sin(seed * 31 + row * 7), Math.cos(seed * 17 + row * 5)] as const,
  );
  const x = await node.tensor("f32", [rows, 2], points);
  const target = await node.tensor(
    "f32",
    [rows, 1],
    points.map(([a, b]) => [2 * a - 3 * b + 1]),
  );
  return { x, target };
}

async function* batches(count: number, first: number) {
  for (let i = 0; i < count; i += 1) yield batch(first + i, i === 0 ? 5 : 8);
}

interface Heard {
  readonly events: FitEvent[];
  readonly lines: EpochRecord[];
  readonly saved: FitCheckpoint[];
  readonly plots: Map<string, readonly PlotSeries[]>;
}

function listener(): { heard: Heard; host: object } {
  const heard: Heard = { events: [], lines: [], saved: [], plots: new Map() };
  let time = 0;
  const host = {
    progress: (event: FitEvent) => heard.events.push(event),
    metrics: (record: EpochRecord) => heard.lines.push(record),
    checkpoint: (checkpoint: FitCheckpoint) => heard.saved.push(checkpoint),
    plot: (name: string, series: readonly PlotSeries[]) => heard.plots.set(name, series),
    now: () => (time += 500),
  };
  return { heard, host };
}

test("A template fits a model, tells how it goes, and leaves no tensor behind", { skip }, async () => {
  const { heard, host } = listener();
  const executor = new Executor({ caller: node, seed: 1 });
  const template = h(
    Fit,
    {
      data: () => batches(10, 1),
      validation: () => batches(2, 1000),
      epochs: 12,
      optimizer: adam(),
      learning_rate: { name: "warm_up", then: 0.1, steps: 5, start_factor: 0.1 },
      checkpoint_every: 5,
      release: true,
      host,
    },
    regression(),
  );
  const before = (await node.call("compute/stats", {})) as { resources: { count: number } };
  const history = (await executor.run(template)) as EpochRecord[];
  assert.equal(history.length, 12);
  const [first, last] = [history[0] as EpochRecord, history[11] as EpochRecord];
  assert.ok(last.loss < 1e-2 && first.loss > 1, `${first.loss} -> ${last.loss}`);
  assert.ok((last.held_out_loss as number) < 1e-2);
  assert.equal(last.step, 120);
  assert.equal(last.learning_rate, 0.1);
  assert.equal(first.seconds, 0.5);
  assert.deepEqual(heard.lines, history);
  assert.deepEqual(
    heard.saved.map(({ epoch }) => epoch),
    [5, 10, 12],
  );
  assert.equal(heard.saved[0]?.store, executor.store);
  assert.deepEqual(
    heard.plots.get("loss")?.map(({ name, y }) => [name, y.length]),
    [
      ["training", 12],
      ["held out", 12],
    ],
  );
  assert.equal(heard.events.filter(({ kind }) => kind === "step").length, 120);
  assert.deepEqual(heard.events.at(-1)?.kind, "end");
  const { execution } = (await node.call("compute/open", {
    plan: (
      (await node.call("compute/compile", {
        graph: {
          alknet_graph: 1,
          inputs: [],
          states: [{ name: "fc.weight", dtype: "f32", shape: [1, 2], scope: "store", trainable: true }],
          nodes: [],
          outputs: [{ name: "w", value: "fc.weight" }],
        },
      })) as { plan: string }
    ).plan,
    store: executor.store,
  })) as { execution: string };
  const { outputs } = (await node.call("compute/run", { execution, inputs: {} })) as { outputs: { w: TensorHandle } };
  const [[a, b]] = (await node.read(outputs.w)) as [[number, number]];
  assert.ok(Math.abs(a - 2) < 0.05 && Math.abs(b + 3) < 0.05, `${a}, ${b}`);
  const after = (await node.call("compute/stats", {})) as typeof before;
  // Two executions, the store, and what was opened here to read it.
  assert.equal(after.resources.count - before.resources.count, 6);
});

test("Fitting stops when the model gets no better, and goes on from a history", { skip }, async () => {
  const { heard, host } = listener();
  const executor = new Executor({ caller: node });
  const fit = (history?: readonly EpochRecord[]) =>
    h(
      Fit,
      {
        data: () => batches(2, 1),
        validation: () => batches(1, 1000),
        epochs: 50,
        optimizer: adam(),
        learning_rate: 0, // so that nothing gets better
        patience: 3,
        host,
        ...(history === undefined ? {} : { history }),
      },
      regression(),
    );
  const records = (await executor.run(fit())) as EpochRecord[];
  assert.equal(records.length, 4);
  assert.deepEqual(heard.events.at(-1), { kind: "end", reason: "patience", best: 1, history: records });
  assert.deepEqual(await executor.run(fit(records)), []);
  const more = (await executor.run(fit(records.slice(0, 2)))) as EpochRecord[];
  assert.deepEqual(
    more.map(({ epoch, step }) => [epoch, step]),
    [
      [3, 6],
      [4, 8],
    ],
  );
});

test("A loss that is NaN ends the training, and a held-out one is never the best", { skip }, async () => {
  const { heard, host } = listener();
  const nan = async function* () {
    const x = await node.tensor("f32", [1, 2], [[1, 1]]);
    yield { x, target: await node.call("tensor/log", { input: await node.tensor("f32", [1, 1], [[-1]]) }) };
  };
  const fit = (more: { data: () => AsyncIterable<object>; validation?: () => AsyncIterable<object> }) =>
    h(
      Fit,
      { ...(more as Pick<Parameters<typeof Fit>[0], "data">), epochs: 9, patience: 2, optimizer: adam(), learning_rate: 0.1, host },
      regression(),
    );
  await assert.rejects(new Executor({ caller: node }).run(fit({ data: nan })), /loss of step 1, in epoch 1, is NaN.*learning rate/);
  assert.deepEqual(heard.events, [{ kind: "end", reason: "diverged", best: 0, history: [] }]);
  // With a step under way when the one before is heard of.
  const inOrder = { inOrder: true, call: (name: string, input: unknown) => node.call(name, input) };
  const twice = async function* () {
    yield* nan();
    yield* nan();
  };
  heard.events.length = 0;
  await assert.rejects(new Executor({ caller: inOrder }).run(fit({ data: twice })), /loss of step 1, in epoch 1, is NaN/);
  assert.deepEqual(heard.events, [{ kind: "end", reason: "diverged", best: 0, history: [] }], "once");
  const executor = new Executor({ caller: node });
  const records = (await executor.run(fit({ data: () => batches(1, 1), validation: nan }))) as EpochRecord[];
  assert.equal(records.length, 2);
  assert.deepEqual(
    heard.saved.map(({ best }) => best),
    [false, false],
  );
});
