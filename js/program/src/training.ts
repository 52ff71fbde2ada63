/**
 * What a training is as a program: progress, JSON Lines, a metrics file, plots, checkpoints and going on with one.
 *
 * @packageDocumentation
 */
import type { EpochRecord, FitCheckpoint, FitEvent, FitHost, PlotSeries } from "@alknet/nn";
import { env, unwrap } from "@alknet/operations";
import { columns, isTerminal, write, writeChart, writeError } from "./index.ts";

declare const fs: {
  mkdir(path: string, options: { recursive: boolean }): Promise<unknown>;
  writeFile(path: string, text: string): Promise<void>;
};
declare const performance: { now(): number };

/** How a training runs as a program. */
export interface TrainingOptions {
  /**
   * Where `checkpoint.mt`, `metrics.jsonl` and the plots go; nothing is written without it. Plots take longer to draw than
   * many an epoch does: they are drawn at the end, and before it every ten seconds.
   */
  readonly folder?: string | undefined;
  /** Go on with the checkpoint of the folder. Throws when there is none. */
  readonly resume?: boolean | undefined;
  /** Of the plots. */
  readonly title?: string | undefined;
  /** For the progress bar. */
  readonly epochs?: number | undefined;
  /** Steps of an epoch, for the progress bar. */
  readonly steps?: number | undefined;
  /** Print JSON Lines; unless given, where standard output is no terminal. */
  readonly json?: boolean | undefined;
}

/** A training that runs as a program: props of `<Fit>` and options of its Executor. */
export interface Training {
  /** `<Fit host={...}>`. */
  readonly host: FitHost;
  /** `<Fit history={...}>`: the epochs that the checkpoint has been through. */
  readonly history: readonly EpochRecord[];
  /** `new Executor({...executor})`: the store of the checkpoint, to work on a copy of. */
  readonly executor: { readonly store?: string; readonly writable?: boolean };
  /** Prints the result: the last JSON line, which goes into the metrics file too, or `text` for a person. */
  finish(result: Readonly<Record<string, unknown>>, text: string): Promise<void>;
}

const kKey = "alknet.training"; // of the history in the checkpoint's metadata
const kBar = 30; // columns, where there is room
const kPlotEvery = 10_000; // milliseconds

/** An epoch as its JSON line: with the members that `alknet train` has. */
function lineOf({ epoch, step, metrics, ...record }: EpochRecord): string {
  return `${JSON.stringify({ step, epoch, ...record, ...metrics })}\n`;
}

/** An epoch for a person. */
function textOf({ epoch, loss, held_out_loss, metrics, seconds }: EpochRecord, best: boolean): string {
  const parts = [
    `loss ${loss.toFixed(4)}`,
    ...(held_out_loss === undefined ? [] : [`held out ${held_out_loss.toFixed(4)}`]),
    ...Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`),
    `${seconds.toFixed(1)} s`,
  ];
  return `epoch ${String(epoch).padStart(3)}: ${parts.join(", ")}${best ? " *" : ""}\n`;
}

class Program implements Training {
  readonly history: readonly EpochRecord[];
  readonly executor: Training["executor"];
  readonly host: FitHost;
  readonly #options: TrainingOptions;
  readonly #json: boolean;
  readonly #plots = new Map<string, readonly PlotSeries[]>(); // that are not drawn yet, by name
  #drawn = performance.now();
  #lines: string;

  constructor(options: TrainingOptions, history: readonly EpochRecord[], store: string | undefined) {
    this.#options = options;
    this.#json = options.json ?? !isTerminal.output;
    this.history = history;
    this.executor = store === undefined ? {} : { store, writable: true };
    this.#lines = history.map(lineOf).join("");
    const { folder } = options;
    this.host = {
      now: () => performance.now(),
      progress: (event) => this.#progress(event),
      ...(folder === undefined
        ? {}
        : {
            metrics: (record: EpochRecord) => this.#metrics(folder, record),
            plot: (name: string, series: readonly PlotSeries[]) => this.#plot(name, series),
            checkpoint: (checkpoint: FitCheckpoint) => this.#checkpoint(folder, checkpoint),
          }),
    };
  }

  async finish(result: Readonly<Record<string, unknown>>, text: string): Promise<void> {
    const line = `${JSON.stringify(result)}\n`;
    const { folder } = this.#options;
    if (folder !== undefined) await fs.writeFile(`${folder}/metrics.jsonl`, this.#lines + line);
    write(this.#json ? line : `${text}\n`);
  }

  #progress(event: FitEvent): void {
    if (event.kind === "step") return this.#bar(event);
    if (isTerminal.error) writeError("\r\x1b[K");
    if (event.kind === "epoch") return write(this.#json ? lineOf(event.record) : textOf(event.record, event.best));
    this.#draw();
    if (event.reason === "patience" && !this.#json) {
      write(`stopped early after epoch ${event.history.length}: epoch ${event.best} was the best\n`);
    }
  }

  #bar({ epoch, step, loss }: { readonly epoch: number; readonly step: number; readonly loss: number }): void {
    if (!isTerminal.error) return;
    const { epochs, steps } = this.#options;
    const width = columns() - 1; // in the last column some terminals begin the next line
    const head = `Epoch ${epoch}${epochs === undefined ? "" : ` of ${epochs}`}`;
    const tail = `loss ${loss.toFixed(4)}`;
    const room = Math.min(kBar, width - head.length - tail.length - " [] ".length);
    const done = steps === undefined ? 0 : Math.round(((((step - 1) % steps) + 1) / steps) * room);
    const bar = steps === undefined ? `step ${step} ` : room > 0 ? `[${"#".repeat(done).padEnd(room)}] ` : "";
    writeError(`\r${`${head} ${bar}${tail}`.slice(0, width)}\x1b[K`);
  }

  async #metrics(folder: string, record: EpochRecord): Promise<void> {
    this.#lines += lineOf(record);
    await fs.writeFile(`${folder}/metrics.jsonl`, this.#lines);
  }

  #plot(name: string, series: readonly PlotSeries[]): void {
    this.#plots.set(name, series);
    if (performance.now() - this.#drawn >= kPlotEvery) this.#draw();
  }

  #draw(): void {
    const { folder, title } = this.#options;
    for (const [name, series] of this.#plots) {
      const chart = { title: title === undefined ? name : `${title}: ${name}`, xLabel: "epoch", yLabel: name, series };
      for (const extension of ["png", "svg"]) writeChart(`${folder}/${name}.${extension}`, chart);
    }
    this.#plots.clear();
    this.#drawn = performance.now();
  }

  async #checkpoint(folder: string, { store, history }: FitCheckpoint): Promise<void> {
    const metadata = { title: this.#options.title ?? "a training", [kKey]: JSON.stringify(history) };
    await unwrap(env.call("compute/save_model", { store, path: `${folder}/checkpoint.mt`, metadata }));
  }
}

interface Loaded {
  readonly store: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Begins a training of `<Fit>` as a program, or goes on with one. */
export async function trainingProgram(options: TrainingOptions = {}): Promise<Training> {
  const { folder, resume = false } = options;
  if (!resume) {
    if (folder !== undefined) await fs.mkdir(folder, { recursive: true });
    return new Program(options, [], undefined);
  }
  if (folder === undefined) throw new TypeError("[training] to resume, give the folder with its checkpoint.mt");
  const path = `${folder}/checkpoint.mt`;
  const { store, metadata } = await unwrap(env.call<Loaded>("compute/load_model", { path }));
  const history = metadata[kKey];
  if (history === undefined) throw new TypeError(`[training] ${path} is no checkpoint of a training: begin one without resume, in another folder`);
  const numbers = (_: string, value: unknown): unknown => value ?? Number.NaN; // which JSON does not have
  return new Program(options, JSON.parse(history, numbers) as EpochRecord[], store);
}
