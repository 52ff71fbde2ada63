import { Stop, unlessAborted } from "./abort.ts";
import { isSettled, type CallRecord, type Status } from "./call_graph.ts";
import { ItemStream } from "./item_stream.ts";
import { Slots } from "./limiter.ts";
import { NodeCell } from "./node_state.ts";
import type { RegionPlan, Unit } from "./plan.ts";
import { regionOf, type Place } from "./place.ts";
import { aborted, codeOf, messageOf, NodeError } from "./run_error.ts";
import type { RunContext } from "./run_context.ts";
import { memberOf, type Source } from "./source.ts";
import { isTensor, type TensorHandle } from "./value_type.ts";
import type { Turn } from "./turn.ts";
import { runUnit, type UnitRun } from "./unit_run.ts";

/** Where a region runs: below what, for which item, under which name. */
export interface RegionPlaceInRun {
  readonly parent: RegionRun | undefined;
  /** What stands before the paths of its nodes instead of that of its place. */
  readonly prefix: string;
  /** The record of what it is part of. */
  readonly record: number | undefined;
  /** Of a map. */
  readonly item?: unknown;
  readonly stop: Stop;
  /** Nobody takes its output: the tensors in it are disposed with the others. */
  readonly drop?: boolean;
  /** When its graph may run. */
  readonly turn?: Turn | undefined;
  /** Hears the output, and is waited for, before tensors are disposed. */
  readonly hear?: ((output: unknown) => unknown) | undefined;
}

/** One unit that is running. */
export interface RunningUnit {
  readonly unit: Unit;
  readonly cells: readonly NodeCell[];
  readonly done: Promise<void>;
  /** Of a stream: readers may begin. */
  readonly stream: ItemStream | undefined;
  readonly started: Promise<void> | undefined;
}

/** One run of a region: starts its units when what they need is there. */
export class RegionRun {
  readonly plan: RegionPlan;
  readonly context: RunContext;
  readonly at: RegionPlaceInRun;
  readonly #values = new Map<string, unknown>();
  readonly #slots = new Map<Place, Slots>();
  readonly #owned: TensorHandle[] = [];
  readonly #units: RunningUnit[] = [];

  constructor(context: RunContext, plan: RegionPlan, at: RegionPlaceInRun) {
    this.context = context;
    this.plan = plan;
    this.at = at;
  }

  /** The name of a node in this run. */
  pathOf(place: Place): string {
    const own = this.plan.place.path;
    return own === "/" ? place.path : this.at.prefix + place.path.slice(own.length);
  }

  /** Runs all units; the value of the region's output. */
  async run(): Promise<unknown> {
    for (const unit of this.plan.units) this.#units.push(this.#start(unit));
    const failures: unknown[] = [];
    for (const unit of this.#units) {
      try {
        await unit.done;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) {
      this.#release([]);
      const own = (error: unknown) => codeOf(error) !== "DEPENDENCY_FAILED" && codeOf(error) !== "ABORTED";
      throw failures.find(own) ?? failures[0];
    }
    const output = this.valueOf(this.plan.output);
    let leaving: readonly TensorHandle[] = [];
    try {
      if (this.at.hear !== undefined) await this.at.hear(output);
      if (this.at.drop !== true) leaving = [...tensorsIn(output)];
    } finally {
      this.#release(leaving);
    }
    return output;
  }

  /** The states of its nodes. */
  get cells(): readonly NodeCell[] {
    return this.#units.flatMap((unit) => unit.cells);
  }

  /** The value of a source, here or around. */
  valueOf(source: Source): unknown {
    switch (source.kind) {
      case "literal":
        return source.value;
      case "signal":
        return source.signal.peek();
      case "object":
        return Object.fromEntries([...source.members].map(([name, member]) => [name, this.valueOf(member)]));
      case "list":
        return source.items.map((item) => this.valueOf(item));
      case "input":
        return memberOf(this.context.inputs[source.name], source.member);
      case "item":
        return memberOf(this.#around(source.place).at.item, source.member);
      case "result":
        return this.#around(regionOf(source.place)).result(source.place, source.member);
      default:
        throw new NodeError("INTERNAL", this.at.prefix, `a ${source.kind} has no value here`);
    }
  }

  result(place: Place, member: readonly string[]): unknown {
    const parts = this.#values.get(place.path);
    if (!(parts instanceof StaticOutputs)) return memberOf(parts, member);
    const [name] = member;
    const byName = name === undefined ? -1 : this.context.outputNames(place).indexOf(name);
    return parts.values.get(byName >= 0 ? byName : Number(name ?? 0));
  }

  /** Keeps what a node gave. Tensors of `owned` are disposed with the region unless its output has them. */
  keep(place: Place, value: unknown): void {
    this.#values.set(place.path, value);
  }

  keepStatic(place: Place, index: number, value: unknown): void {
    const known = this.#values.get(place.path);
    const outputs = known instanceof StaticOutputs ? known : new StaticOutputs();
    outputs.values.set(index, value);
    this.#values.set(place.path, outputs);
  }

  own(value: unknown): void {
    this.#owned.push(...tensorsIn(value));
  }

  /** The running stream that a source is the output of. */
  streamOf(source: Source): ItemStream | undefined {
    return source.kind === "result" && source.member.length === 0 ? this.#streamUnit(source)?.stream : undefined;
  }

  slotsOf(limits: readonly Place[]): Slots[] {
    return limits.map((place) => {
      const owner = this.#around(regionOf(place));
      const known = owner.#slots.get(place) ?? new Slots(Number(place.props["maxConcurrency"]));
      owner.#slots.set(place, known);
      return known;
    });
  }

  #streamUnit(source: Source): RunningUnit | undefined {
    return source.kind === "result"
      ? this.#units.find(({ unit }) => unit.kind === "operation" && unit.place === source.place)
      : undefined;
  }

  #around(region: Place): RegionRun {
    for (let at: RegionRun | undefined = this; at !== undefined; at = at.at.parent)
      if (at.plan.place === region) return at;
    throw new NodeError("INTERNAL", this.at.prefix, `${region.path} is not around it`);
  }

  #start(unit: Unit): RunningUnit {
    const { calls, clock } = this.context;
    const stop = new Stop(this.at.stop);
    const cells = unit.places.map((place) => this.context.cell(this.pathOf(place), (reason) => stop.abort(reason)));
    const streams = unit.kind === "operation" && this.context.isStream(unit.place);
    const stream = streams ? new ItemStream(unit.place.props["collect"] !== false) : undefined;
    let open: () => void = () => undefined;
    const started = stream && new Promise<void>((resolve) => (open = resolve));
    const path = this.pathOf(unit.places[0] as Place);
    const record = calls.begin({ path, operation: nameOf(unit), peer: peerOf(unit), parent: this.at.record });
    const set = (status: Status, failure?: CallRecord["error"]) => {
      if (status === "running") calls.update(record, { status, startedAt: clock.now() });
      else if (failure !== undefined) calls.update(record, { status, endedAt: clock.now(), error: failure });
      else calls.update(record, isSettled(status) ? { status, endedAt: clock.now() } : { status });
      for (const cell of cells) cell.set("status", status);
    };
    const done = this.#work(unit, { path, record, cells, stop, stream, set, open });
    done.catch(() => undefined); // `run` waits for one after the other
    return { unit, cells, done, stream, started };
  }

  async #work(unit: Unit, run: UnitRun): Promise<void> {
    const { path, cells, stop } = run;
    for (const cell of cells) cell.set("status", "waiting");
    await undefined; // until all units of the region are known
    try {
      if (unit.after.length > 0) {
        await unlessAborted(this.#preconditions(unit, path), stop, () => aborted(path, stop.reason));
      }
      await runUnit(this, unit, run);
      run.set("completed");
    } catch (error) {
      const stopped = stop.aborted || codeOf(error) === "ABORTED";
      const failure = stopped && codeOf(error) !== "ABORTED" ? aborted(path, stop.reason) : error;
      for (const cell of cells) cell.set("error", failure);
      run.stream?.fail(failure);
      run.set(stopped ? "aborted" : "failed", { code: codeOf(failure), message: messageOf(failure) });
      throw failure;
    } finally {
      stop.release();
      run.open();
    }
  }

  /** Waits for the units before one; of a stream only its beginning where a map reads it. */
  async #preconditions(unit: Unit, path: string): Promise<void> {
    const stream = unit.kind === "map" ? this.#streamUnit(unit.over) : undefined;
    const before = unit.after.map((index) => this.#units[index] as RunningUnit);
    const waits = before.map((each) => (each === stream ? (each.started ?? each.done) : each.done));
    const ends = await Promise.allSettled(waits);
    const at = ends.findIndex((end) => end.status === "rejected");
    if (at < 0) return;
    const cause: unknown = (ends[at] as PromiseRejectedResult).reason;
    const needed = this.pathOf((before[at] as RunningUnit).unit.places[0] as Place);
    if (codeOf(cause) === "ABORTED") throw aborted(path, cause);
    throw new NodeError("DEPENDENCY_FAILED", path, `${path} needs ${needed}, which failed: ${messageOf(cause)}`, cause);
  }

  /** Disposes tensors that were made here; those that leave belong to the region around. */
  #release(leaving: readonly TensorHandle[]): void {
    if (this.#owned.length === 0) return;
    const names = new Set(leaving.map((tensor) => tensor.$tensor));
    const gone = this.#owned.filter((tensor) => !names.has(tensor.$tensor));
    const stay = this.#owned.filter((tensor) => names.has(tensor.$tensor));
    this.at.parent?.own(stay);
    this.context.dispose(gone);
  }
}

class StaticOutputs {
  readonly values = new Map<number, unknown>();
}

/** All tensors in a value. */
export function* tensorsIn(value: unknown): Generator<TensorHandle> {
  if (isTensor(value)) yield value;
  else if (Array.isArray(value)) for (const item of value) yield* tensorsIn(item);
  else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const member of Object.values(value)) yield* tensorsIn(member);
  }
}

function nameOf(unit: Unit): string {
  if (unit.kind === "operation") return String(unit.place.props["name"]);
  return unit.kind === "static" || unit.kind === "subgraph" ? "compute/run" : unit.kind;
}

function peerOf(unit: Unit): string | undefined {
  return unit.kind === "operation" ? (unit.place.props["peer"] as string | undefined) : undefined;
}
