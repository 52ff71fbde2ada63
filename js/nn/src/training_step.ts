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

interface Read {
  readonly values: number;
}

/** Reads outputs of one element as numbers, by name. */
export function readScalars(names: readonly string[], from: string): Node {
  const { children, refs } = scalarReads(names, from);
  return [children, h(Operation, { key: "scalars", name: "local/scalars", input: refs, run: valuesOf })];
}

function scalarReads(names: readonly string[], from: string): { children: Node[]; refs: Record<string, string> } {
  const children = names.map((name) =>
    h(Operation, {
      key: `read_${name}`,
      name: "compute/read_tensor",
      input: { tensor: `${from}.${name}`, as: "values" },
    }),
  );
  return { children, refs: Object.fromEntries(names.map((name) => [name, `$.nodes.read_${name}.output`])) };
}

function valuesOf(input: Readonly<Record<string, Read>>): Record<string, number> {
  return Object.fromEntries(Object.entries(input).map(([name, { values }]) => [name, Number(values)]));
}

/** A training step for each batch, one after the other. Its outputs are dropped; `onStep` hears the losses. */
export function Epoch(props: EpochProps): Node {
  const { over, release = false, onStep, id, children, ...step } = props;
  const loss = props.loss ?? "loss";
  const tell = async (
    input: { readonly scalars: Readonly<Record<string, number>>; readonly item: StepItem },
    _context: HandlerContext,
  ) => {
    await onStep?.(input.scalars[loss] as number, input.item);
    return input.scalars;
  };
  return h(
    MapOver,
    { ...(id === undefined ? {} : { id }), over, as: "batch", collect: false, release },
    h(
      Sequential,
      { key: "step" },
      h(
        TrainingStep,
        { ...step, key: "train", input: "$.batch.inputs", learning_rate: "$.batch.learning_rate" },
        children,
      ),
      readScalars([loss], "$.nodes.train.output"),
      h(Operation, { key: "tell", name: "local/step", input: { scalars: "$.output", item: "$.batch" }, run: tell }),
    ),
  );
}
