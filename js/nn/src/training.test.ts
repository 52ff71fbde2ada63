import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Executor, Input, Operation, Output, Param, Sequential } from "@alknet/flowgraph";
import { h } from "@alknet/ujsx";
import { ComputeNode, skip } from "../../flowgraph/src/testing/program.ts";
import {
  adagrad,
  adam,
  adamw,
  learningRate,
  lion,
  LossScaler,
  renamed,
  renameParameters,
  rmsprop,
  sgd,
  TrainingStep,
  type Schedule,
  type TrainingStepProps,
} from "./index.ts";

let node: ComputeNode;
before(async () => {
  if (skip === false) node = await ComputeNode.start();
});
after(() => node?.stop());

/** The loss w x of one parameter that begins with 1. */
function step(props: Omit<TrainingStepProps, "id" | "input" | "children">) {
  return h(
    Sequential,
    {},
    h(
      TrainingStep,
      { ...props, id: "step", input: { x: "$.input.x" } },
      h(Input, { name: "x", dtype: "f32", shape: [] }),
      h(Param, { name: "w", shape: [], init: 1 }),
      h(Operation, { key: "loss", name: "tensor/mul", input: { input: "$.params.w", other: "$.input.x" } }),
      h(Output, { name: "loss" }),
    ),
  );
}

/** The loss before and after one step of rate 0.1 with gradient x. */
async function losses(
  props: Omit<TrainingStepProps, "id" | "input" | "children" | "learning_rate">,
  x = 2,
): Promise<number[]> {
  const executor = new Executor({ caller: node });
  const template = step({ ...props, learning_rate: 0.1 });
  const values = [];
  for (let i = 0; i < 2; i += 1) {
    const outputs = (await executor.run(template, { x })) as Record<string, unknown>;
    values.push((await node.read(outputs["loss"])) as number);
  }
  return values;
}

test("Every optimiser takes its first step as PyTorch does", { skip }, async () => {
  const after = async (optimizer: TrainingStepProps["optimizer"]) => ((await losses({ optimizer }))[1] as number) / 2;
  const near = (value: number, wanted: number) => assert.ok(Math.abs(value - wanted) < 1e-5, `${value}, not ${wanted}`);
  near(await after(sgd()), 1 - 0.1 * 2);
  near(await after(sgd({ weight_decay: 0.5 })), 1 - 0.1 * 2.5);
  near(await after(adam()), 1 - 0.1);
  near(await after(adamw()), 1 * (1 - 0.1 * 0.01) - 0.1);
  near(await after(rmsprop()), 1 - (0.1 * 2) / Math.sqrt(0.01 * 4));
  near(await after(adagrad()), 1 - 0.1);
  near(await after(lion({ weight_decay: 0.1 })), 1 * (1 - 0.1 * 0.1) - 0.1);
});

test("Gradients are clipped, and those that are not finite change nothing", { skip }, async () => {
  const optimizer = sgd();
  assert.ok(Math.abs(((await losses({ optimizer, clip_value: 0.5 }))[1] as number) - 2 * 0.95) < 1e-6);
  assert.ok(Math.abs(((await losses({ optimizer, clip_norm: 1 }))[1] as number) - 2 * 0.9) < 1e-5);
  const executor = new Executor({ caller: node });
  const outputs = (await executor.run(step({ optimizer, learning_rate: 0.1, loss_scale: 1e30 }), {
    x: 1e20,
  })) as Record<string, unknown>;
  assert.equal(await node.read(outputs["gradients_finite"]), false);
});

test("Gradients of several batches are added up to one step", { skip }, async () => {
  const executor = new Executor({ caller: node });
  const optimizer = sgd();
  for (const x of [1, 3]) await executor.run(step({ optimizer, learning_rate: 0.1, accumulate: "add" }), { x });
  await executor.run(step({ optimizer, learning_rate: 0.1, accumulate: { apply: 2 } }), { x: 0 });
  const outputs = (await executor.run(step({ optimizer, learning_rate: 0, accumulate: "add" }), { x: 1 })) as Record<
    string,
    unknown
  >;
  assert.ok(Math.abs(((await node.read(outputs["loss"])) as number) - (1 - 0.1 * 2)) < 1e-6, "the mean of 1 and 3");
});

test("Schedules are those of PyTorch", () => {
  const rates = (schedule: Schedule, steps: number[]) =>
    steps.map((at) => Number(learningRate(schedule, at).toPrecision(6)));
  assert.deepEqual(rates({ name: "step", rate: 1, step_size: 3, gamma: 0.5 }, [0, 2, 3, 6]), [1, 1, 0.5, 0.25]);
  assert.deepEqual(
    rates({ name: "cosine", rate: 1, steps: 4, minimum: 0.2 }, [0, 1, 2, 4, 9]),
    [1, 0.882843, 0.6, 0.2, 0.2],
  );
  assert.deepEqual(rates({ name: "warm_up", then: 2, steps: 4, start_factor: 0.5 }, [0, 2, 4, 9]), [1, 1.5, 2, 2]);
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10)
  assert.deepEqual(
    rates({ name: "one_cycle", maximum: 1, steps: 10 }, [0, 1, 2, 5, 9]),
    [0.04, 0.52, 1, 0.611262, 4e-6],
  );
  assert.throws(() => learningRate({ name: "cosine", rate: 1, steps: 0 }, 0), RangeError);
  assert.throws(() => learningRate({ name: "one_cycle", maximum: 1, steps: 10, rise: 2 }, 0), RangeError);
});

test("The scale of losses halves after gradients that are not finite, and grows again", () => {
  const scaler = new LossScaler({ initial: 8, growth_interval: 2 });
  const scales = [false, true, true, true].map((finite) => {
    scaler.update(finite);
    return scaler.scale;
  });
  assert.deepEqual(scales, [4, 4, 8, 8]);
});

test("Names of a file become names of parameters", () => {
  const table = { "pooler.weight": "head.weight", "bert.encoder.layer.*": "encoder.*", "*.gamma": "*.weight" };
  assert.equal(renamed("bert.encoder.layer.3.bias", table), "encoder.3.bias");
  assert.equal(renamed("norm.gamma", table), "norm.weight");
  assert.equal(renamed("pooler.weight", table), "head.weight");
  assert.equal(renamed("other", table), "other");
  assert.deepEqual(renameParameters({ "a.gamma": 1, b: 2 }, table), { "a.weight": 1, b: 2 });
  assert.throws(() => renameParameters({ "a.gamma": 1, "a.weight": 2 }, table), RangeError);
});
