import { Map as MapOver, Subgraph } from "@alknet/flowgraph";
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
  /** Outputs to read in the same call: its output has their numbers and no tensors. */
  readonly values?: readonly string[] | undefined;
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
    values,
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
      values,
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
export interface EpochProps extends Omit<TrainingStepProps, "input" | "learning_rate" | "loss_scale" | "accumulate" | "values"> {
  /** A ref or a value: items `StepItem`. */
  readonly over: unknown;
  /** Dispose the tensors of a batch after its step. */
  readonly release?: boolean;
  /** Called after each step with its loss. */
  readonly onStep?: (loss: number, item: StepItem) => unknown;
}

/** Outputs of a step by name, as compute/run reads them: numbers, or texts such as "NaN". */
export type Scalars = Readonly<Record<string, unknown>>;

/**
 * A training step for each batch, one after the other. Its outputs are dropped; `onStep` hears the losses in their order,
 * that of a step while the next one runs.
 */
export function Epoch(props: EpochProps): Node {
  const { over, release = false, onStep, id, children, ...step } = props;
  const loss = props.loss ?? "loss";
  const map = {
    over,
    as: "batch",
    collect: false,
    release,
    pipeline: true,
    prefetch: 2,
    onItem: (scalars: unknown, item: unknown) => onStep?.(Number((scalars as Scalars)[loss]), item as StepItem),
  };
  return h(
    MapOver,
    id === undefined ? map : { id, ...map },
    h(
      TrainingStep,
      { ...step, key: "train", input: "$.batch.inputs", learning_rate: "$.batch.learning_rate", values: [loss] },
      children,
    ),
  );
}
