import { Map as MapOver, Operation, Sequential, Subgraph, type HandlerContext } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import type { Optimizer } from "./optimizers.ts";
import { learningRate, type Schedule } from "./schedules.ts";
import { Epoch, type Scalars, type StepItem } from "./training_step.ts";

/** Values for the model's inputs by name: tensors' handles and numbers. */
export type Batch = Readonly<Record<string, unknown>>;

/** Batches, in the order of an epoch, which counts from 1. The next one is made while a step runs. */
export type Batches = (epoch: number) => Iterable<Batch> | AsyncIterable<Batch>;

/** How one epoch went. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Steps so far. */
  readonly step: number;
  /** The mean over the examples. */
  readonly loss: number;
  /** Of the validation; absent without one. */
  readonly held_out_loss?: number;
  /** Means over the validation's examples of the outputs that `metrics` names. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly learning_rate: number;
  readonly seconds: number;
}

/** What happens while a model is fitted. */
export type FitEvent =
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly learning_rate: number;
      readonly examples: number;
    }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly best: boolean }
  | {
      readonly kind: "end";
      /** All epochs, no better model for `patience` epochs, or a loss that is no number any more. */
      readonly reason: "epochs" | "patience" | "diverged";
      /** The epoch with the lowest held-out loss (without validation: loss); 0 when there is none. */
      readonly best: number;
      readonly history: readonly EpochRecord[];
    };

/** A line of a plot. */
export interface PlotSeries {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** What a checkpoint has to hold beside the store. */
export interface FitCheckpoint {
  readonly epoch: number;
  /** The handle of the store. */
  readonly store: string | undefined;
  /** Whether no epoch before was better. */
  readonly best: boolean;
  readonly history: readonly EpochRecord[];
}

/** What the program does with progress and results. All that is missing is left out. */
export interface FitHost {
  progress?(event: FitEvent): unknown;
  /** One line of the metrics. */
  metrics?(record: EpochRecord): unknown;
  /** After each epoch, with all epochs so far. */
  plot?(name: string, series: readonly PlotSeries[]): unknown;
  checkpoint?(checkpoint: FitCheckpoint): unknown;
  /** Milliseconds, for `seconds`; without it they are 0. */
  now?(): number;
}

/** Props of `<Fit>`. */
export interface FitProps {
  readonly id?: string;
  readonly data: Batches;
  /** Batches that the model is judged by after each epoch. */
  readonly validation?: Batches;
  readonly epochs: number;
  readonly optimizer: Optimizer;
  readonly learning_rate: Schedule;
  readonly host?: FitHost;
  /** The output that is the loss; `loss` unless given. */
  readonly loss?: string;
  /** Outputs of one element whose means over the validation are recorded. */
  readonly metrics?: readonly string[];
  /** Stop after so many epochs without a lower held-out loss (without validation: loss); 0, never, unless given. */
  readonly patience?: number;
  /** Epochs from one checkpoint to the next; 1 unless given. */
  readonly checkpoint_every?: number;
  readonly clip_value?: number;
  readonly clip_norm?: number;
  /** Dispose the tensors of a batch when it was used. */
  readonly release?: boolean;
  /** Epochs that a checkpoint has been through. */
  readonly history?: readonly EpochRecord[];
  /** The model with its `<Input>`s and `<Output>`s. */
  readonly children?: Node;
}

/** A mean of numbers with weights. */
class Mean {
  #sum = 0;
  #weight = 0;

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#weight += weight;
  }

  get value(): number {
    return this.#weight === 0 ? Number.NaN : this.#sum / this.#weight;
  }
}

/** Examples in a batch: the first size of its first tensor. */
function countOf(batch: Batch): number {
  const shapes = Object.values(batch).map((value) => (value as { readonly shape?: readonly number[] } | null)?.shape);
  return shapes.find((shape) => shape !== undefined && shape.length > 0)?.[0] ?? 1;
}

const judged = ({ held_out_loss, loss }: EpochRecord): number => held_out_loss ?? loss;

/** The index of the first epoch with the lowest loss; -1 when none has one that is a number. */
function bestOf(history: readonly EpochRecord[]): number {
  const values = history.map(judged);
  return values.indexOf(values.reduce((a, b) => (b < a || Number.isNaN(a) ? b : a), Number.NaN));
}

/** One training, from its first epoch to its last. */
class Training {
  readonly #props: FitProps;
  readonly #host: FitHost;
  #history: EpochRecord[] = [];
  #step = 0;
  #begin = 0;
  #rate = 0;
  #over = false;
  #loss = new Mean();
  #held = new Map<string, Mean>();

  constructor(props: FitProps) {
    this.#props = props;
    this.#host = props.host ?? {};
  }

  /** The epochs that are still to go, each when the one before is over. */
  async *epochs(): AsyncGenerator<{
    epoch: number;
    batches: AsyncIterable<StepItem>;
    validation: AsyncIterable<StepItem>;
  }> {
    this.#over = false;
    this.#history = [...(this.#props.history ?? [])];
    this.#step = this.#history.at(-1)?.step ?? 0;
    while (this.#history.length < this.#props.epochs && !this.#patienceEnds()) {
      const epoch = this.#history.length + 1;
      this.#begin = this.#host.now?.() ?? 0;
      this.#loss = new Mean();
      this.#held = new Map();
      yield {
        epoch,
        batches: new Items(() => this.#training(epoch)),
        validation: new Items(() => this.#judging(epoch)),
      };
    }
    await this.#end(this.#history.length < this.#props.epochs ? "patience" : "epochs");
  }

  async #end(reason: "epochs" | "patience" | "diverged"): Promise<void> {
    this.#over = true;
    const best = bestOf(this.#history) + 1;
    await this.#host.progress?.({ kind: "end", reason, best, history: this.#history });
  }

  async *#training(epoch: number): AsyncGenerator<StepItem> {
    let step = this.#step; // batches are made before the steps that they are for
    for await (const inputs of this.#props.data(epoch)) {
      yield { inputs, learning_rate: learningRate(this.#props.learning_rate, step), count: countOf(inputs) };
      step += 1;
    }
  }

  async *#judging(epoch: number): AsyncGenerator<StepItem> {
    const { validation } = this.#props;
    if (validation === undefined) return;
    for await (const inputs of validation(epoch)) yield { inputs, learning_rate: 0, count: countOf(inputs) };
  }

  /** A step was taken. */
  async stepped(loss: number, { learning_rate, count }: StepItem): Promise<void> {
    if (this.#over) return; // the step after one that diverged
    this.#step += 1;
    this.#rate = learning_rate;
    this.#loss.add(loss, count);
    const epoch = this.#history.length + 1;
    if (Number.isNaN(loss)) {
      await this.#end("diverged");
      throw new RangeError(
        `[Fit] the loss of step ${this.#step}, in epoch ${epoch}, is NaN: the training diverged. Lower the learning rate ` +
          `(it was ${learning_rate}), give clip_norm, or look for NaN in the data`,
      );
    }
    await this.#host.progress?.({ kind: "step", epoch, step: this.#step, loss, learning_rate, examples: count });
  }

  /** A batch of the validation was computed. */
  validated(scalars: Scalars, { count }: StepItem): void {
    for (const [name, value] of Object.entries(scalars)) {
      const mean = this.#held.get(name) ?? new Mean();
      mean.add(Number(value), count);
      this.#held.set(name, mean);
    }
  }

  /** An epoch is over. */
  async ended(store: string | undefined): Promise<EpochRecord> {
    const { loss = "loss", epochs, checkpoint_every = 1, metrics = [] } = this.#props;
    const held = this.#held.get(loss);
    const record: EpochRecord = {
      epoch: this.#history.length + 1,
      step: this.#step,
      loss: this.#loss.value,
      ...(held === undefined ? {} : { held_out_loss: held.value }),
      metrics: Object.fromEntries(
        metrics.flatMap((name) => (this.#held.has(name) ? [[name, (this.#held.get(name) as Mean).value]] : [])),
      ),
      learning_rate: this.#rate,
      seconds: ((this.#host.now?.() ?? 0) - this.#begin) / 1000,
    };
    this.#history.push(record);
    const best = bestOf(this.#history) === this.#history.length - 1;
    await this.#host.progress?.({ kind: "epoch", record, best });
    const last = record.epoch === epochs || this.#patienceEnds();
    const due = record.epoch % checkpoint_every === 0 || last;
    await Promise.all([
      this.#host.metrics?.(record),
      due && this.#host.checkpoint?.({ epoch: record.epoch, store, best, history: [...this.#history] }),
      this.#plot(),
    ]);
    return record;
  }

  async #plot(): Promise<void> {
    if (this.#host.plot === undefined) return;
    const x = this.#history.map(({ epoch }) => epoch);
    const line = (name: string, value: (record: EpochRecord) => number | undefined): PlotSeries[] => {
      const y = this.#history.map(value);
      return y.every((each) => each !== undefined) ? [{ name, x, y: y as number[] }] : [];
    };
    await this.#host.plot("loss", [
      ...line("training", ({ loss }) => loss),
      ...line("held out", ({ held_out_loss }) => held_out_loss),
    ]);
    for (const name of this.#props.metrics ?? [])
      await this.#host.plot(
        name,
        line(name, ({ metrics }) => metrics[name]),
      );
  }

  #patienceEnds(): boolean {
    const { patience = 0 } = this.#props;
    if (patience === 0 || this.#history.length === 0) return false;
    return this.#history.length - 1 - bestOf(this.#history) >= patience;
  }
}

/** Items that are made when somebody asks. */
class Items implements AsyncIterable<StepItem> {
  readonly #make: () => AsyncGenerator<StepItem>;

  constructor(make: () => AsyncGenerator<StepItem>) {
    this.#make = make;
  }

  [Symbol.asyncIterator](): AsyncIterator<StepItem> {
    return this.#make();
  }
}

/** Epochs that begin anew for each run. */
class Epochs implements AsyncIterable<unknown> {
  readonly #training: Training;

  constructor(training: Training) {
    this.#training = training;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.#training.epochs();
  }
}

/** The model on each batch of the validation, without training. */
function Validation({ training, props }: { readonly training: Training; readonly props: FitProps }): Node {
  const values = [props.loss ?? "loss", ...(props.metrics ?? [])];
  const onItem = (scalars: unknown, item: unknown) => training.validated(scalars as Scalars, item as StepItem);
  return h(
    MapOver,
    { over: "$.epoch.validation", as: "batch", collect: false, release: props.release ?? false, onItem },
    h(Subgraph, { key: "model", input: "$.batch.inputs" as never, training: false, values }, props.children),
  );
}

/**
 * Trains a model: epochs of steps, the model judged after each, checkpoints, an early stop, and everything that
 * happens told to `host`. Its output is the list of the epochs' records.
 */
export function Fit(props: FitProps): Node {
  const training = new Training(props);
  const { id, optimizer, loss, clip_value, clip_norm, release, children } = props;
  const given = Object.entries({ optimizer, loss, clip_value, clip_norm, release }).filter(
    ([, value]) => value !== undefined,
  );
  const step = Object.fromEntries(given) as { optimizer: Optimizer };
  return h(
    MapOver,
    { ...(id === undefined ? {} : { id }), over: new Epochs(training), as: "epoch" },
    h(
      Sequential,
      { key: "epoch" },
      h(
        Epoch,
        { ...step, key: "train", over: "$.epoch.batches", onStep: (value, item) => training.stepped(value, item) },
        children,
      ),
      props.validation === undefined ? null : h(Validation, { key: "validate", training, props }),
      h(Operation, {
        key: "record",
        name: "local/epoch",
        input: null,
        run: (_: null, context: HandlerContext) => training.ended(context.store),
      }),
    ),
  );
}
