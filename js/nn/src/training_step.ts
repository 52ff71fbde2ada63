import { Map as MapOver, Operation, Sequential, Subgraph, type HandlerContext } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import type { Optimizer } from "./optimizers.ts";

/** Props of `<TrainingStep>`. */
export interface TrainingStepProps {
  readonly id?: string;
  /** Values for the inputs that the model declares, by name; the previous output, or the item of the map around, unless given. */
  readonly input?: unknown;
  readonly optimizer: Optimizer;
  /** A ref or a number. */
  readonly learning_rate: unknown;
  /** The output that is the loss; `loss` unless given. */
  readonly loss?: string;
  /** Every gradient is cut to [-v, v]. */
  readonly clip_value?: number;
  /** Gradients are scaled down together when their norm is larger. */
  readonly clip_norm?: number;
  /** A ref or a number: the loss is multiplied by it; gradients that are not finite change nothing. */
  readonly loss_scale?: unknown;
  /** Parts of gradient accumulation: `add`, or `{apply: count}` for the step after. */
  readonly accumulate?: "add" | { readonly apply: number };
  /** The model with its `<Input>`s and `<Output>`s, one of which is the loss. */
  readonly children?: Node;
}

/**
 * Forward, loss, gradients and optimiser as one run of one graph. Its outputs are those of the model, `gradient_norm`
 * with `clip_norm` and `gradients_finite` with `loss_scale`.
 */
export function TrainingStep(props: TrainingStepProps): Node {
  const {
    id,
    input,
    optimizer,
    learning_rate,
    loss = "loss",
    clip_value,
    clip_norm,
    loss_scale,
    accumulate,
    children,
  } = props;
  const options = {
    loss,
    optimizer,
    clip_value,
    clip_norm,
    accumulate,
    loss_scaling: loss_scale === undefined ? undefined : true,
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const rate = accumulate === "add" ? {} : { learning_rate };
  return h(
    Subgraph,
    {
      ...(id === undefined ? {} : { id }),
      ...(input === undefined ? {} : { input: input as Readonly<Record<string, unknown>> }),
      training: true,
      transform: { operation: "compute/train_step", input: given },
      extra: loss_scale === undefined ? rate : { ...rate, loss_scale },
    },
    children,
  );
}

/** What a batch is for a step: values for the model's inputs, and what else the step reads. */
export interface StepItem {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly learning_rate: number;
  /** Examples in it: the weight of its loss in the mean. */
  readonly count: number;
}

/** Props of `<Epoch>`. */
export interface EpochProps extends Omit<TrainingStepProps, "input" | "learning_rate" | "loss_scale" | "accumulate"> {
  /** A ref or a value: items `StepItem`. */
  readonly over: unknown;
  /** Dispose the tensors of a batch after its step. */
  readonly release?: boolean;
  /** Called after each step with its loss. */
  readonly onStep?: (loss: number, item: StepItem) => unknown;
}

/** Outputs of a step as numbers, by name. */
export type Scalars = Readonly<Record<string, number>>;

/**
 * Reads outputs of the element `from` as numbers and hands them to `then`, with the item of the map around. One node, for
 * there is one in each step of a training.
 */
export function readScalars(
  name: string,
  names: readonly string[],
  from: string,
  then: (scalars: Scalars, item: StepItem) => unknown,
): Node {
  const run = async (
    { outputs, item }: { readonly outputs: Readonly<Record<string, unknown>>; readonly item: StepItem },
    context: HandlerContext,
  ): Promise<Scalars> => {
    const read = async (tensor: unknown) => {
      const { values } = (await context.call("compute/read_tensor", { tensor, as: "values" })) as { values: unknown };
      return Number(values);
    };
    const values = await Promise.all(names.map((each) => read(outputs[each])));
    const scalars = Object.fromEntries(names.map((each, i) => [each, values[i] as number]));
    await then(scalars, item);
    return scalars;
  };
  const outputs = Object.fromEntries(names.map((each) => [each, `${from}.${each}`]));
  return h(Operation, { key: name, name: `local/${name}`, input: { outputs, item: "$.batch" }, run });
}

/** A training step for each batch, one after the other. Its outputs are dropped; `onStep` hears the losses. */
export function Epoch(props: EpochProps): Node {
  const { over, release = false, onStep, id, children, ...step } = props;
  const loss = props.loss ?? "loss";
  return h(
    MapOver,
    { ...(id === undefined ? {} : { id }), over, as: "batch", collect: false, release, prefetch: true },
    h(
      Sequential,
      { key: "step" },
      h(
        TrainingStep,
        { ...step, key: "train", input: "$.batch.inputs", learning_rate: "$.batch.learning_rate" },
        children,
      ),
      readScalars("step", [loss], "$.nodes.train.output", (scalars, item) => onStep?.(scalars[loss] as number, item)),
    ),
  );
}
