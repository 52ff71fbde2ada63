import { attempts } from "./attempts.ts";
import { type Stop, unlessAborted } from "./abort.ts";
import type { CallOptions } from "./caller.ts";
import type { CallRecord, Status } from "./call_graph.ts";
import type { HandlerContext, OperationProps } from "./components.ts";
import type { ItemStream } from "./item_stream.ts";
import { runMap } from "./map_run.ts";
import type { NodeCell } from "./node_state.ts";
import type { ConditionalUnit, OperationUnit, StaticUnit, SubgraphUnit, Unit } from "./plan.ts";
import { RegionRun } from "./region_run.ts";
import { aborted, called } from "./run_error.ts";
import type { Source } from "./source.ts";
import { isTensor, tensorAt } from "./value_type.ts";

/** One run of one unit. */
export interface UnitRun {
  readonly path: string;
  readonly record: number;
  readonly cells: readonly NodeCell[];
  readonly stop: Stop;
  readonly stream: ItemStream | undefined;
  /** Tells the nodes and the call graph. */
  readonly set: (status: Status, failure?: CallRecord["error"]) => void;
  /** Lets readers of a stream begin. */
  readonly open: () => void;
}

/** Runs a unit whose preconditions are met. */
export async function runUnit(region: RegionRun, unit: Unit, run: UnitRun): Promise<void> {
  // What others run inside of, or wait for while it runs, holds no slot.
  const holds = unit.kind !== "map" && unit.kind !== "conditional" && run.stream === undefined;
  const slots = holds ? region.slotsOf(unit.limits) : [];
  if (slots.length > 0) run.set("ready");
  const give = slots.length > 0 ? await region.context.limiter.take(slots, run.stop) : undefined;
  try {
    if (run.stop.aborted) throw aborted(run.path, run.stop.reason);
    run.set("running");
    await unlessAborted(work(region, unit, run), run.stop, () => aborted(run.path, run.stop.reason));
  } finally {
    give?.();
  }
}

function work(region: RegionRun, unit: Unit, run: UnitRun): Promise<void> {
  switch (unit.kind) {
    case "static":
      return runStatic(region, unit, run);
    case "subgraph":
      return runSubgraph(region, unit, run);
    case "operation":
      return runOperation(region, unit, run);
    case "conditional":
      return runConditional(region, unit, run);
    case "map":
      return runMap(region, unit, run);
  }
}

/** What a node gave, where others find it. */
export function finish(region: RegionRun, unit: Exclude<Unit, StaticUnit>, run: UnitRun, value: unknown): void {
  region.keep(unit.place, value);
  for (const cell of run.cells) cell.set("output", value);
}

/** Values for the inputs of a graph, by name. Of several tensors the first counts. */
function graphInputs(region: RegionRun, inputs: ReadonlyMap<string, Source>): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...inputs].map(([name, source]) => [name, firstTensor(region.valueOf(source))]));
}

function firstTensor(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isTensor(value)) return value;
  return tensorAt(value) ?? tensorAt(Object.values(value)[0]) ?? value;
}

/** Runs a graph, here: tensors of peers are copied for it. */
async function runGraph(
  region: RegionRun,
  unit: StaticUnit | SubgraphUnit,
  run: UnitRun,
): Promise<Readonly<Record<string, unknown>>> {
  const { graphs, homes, dispose } = region.context;
  const { signal } = run.stop;
  const { transform, values } = unit.kind === "subgraph" ? unit : { transform: undefined, values: undefined };
  const given = graphInputs(region, unit.inputs);
  return homes.withCopies({ operation: "compute/run", signal }, given, dispose, (inputs) =>
    graphs.run(unit.part, inputs as typeof given, { transform, values, signal, turn: region.at.turn }),
  );
}

async function runStatic(region: RegionRun, unit: StaticUnit, run: UnitRun): Promise<void> {
  const outputs = await runGraph(region, unit, run);
  region.own(Object.values(outputs));
  for (const { name, place, index } of unit.outputs) {
    region.keepStatic(place, index, outputs[name]);
    const cell = run.cells[unit.places.indexOf(place)];
    if (cell !== undefined && index === 0) cell.set("output", outputs[name]);
  }
}

async function runSubgraph(region: RegionRun, unit: SubgraphUnit, run: UnitRun): Promise<void> {
  const outputs = await runGraph(region, unit, run);
  if (unit.values === undefined) region.own(Object.values(outputs));
  finish(region, unit, run, outputs);
}

async function runConditional(region: RegionRun, unit: ConditionalUnit, run: UnitRun): Promise<void> {
  const test = region.valueOf(unit.test);
  const plan = test ? unit.then : unit.otherwise;
  const prefix = `${run.path}/${plan.place.id}`;
  const branch = new RegionRun(region.context, plan, {
    parent: region,
    prefix,
    record: run.record,
    stop: run.stop,
  });
  finish(region, unit, run, await branch.run());
}

async function runOperation(region: RegionRun, unit: OperationUnit, run: UnitRun): Promise<void> {
  const { context } = region;
  const { name, peer, run: handler, retry, timeout } = unit.place.props as unknown as OperationProps;
  const input = region.valueOf(unit.input);
  const once = async (stop: Stop): Promise<unknown> => {
    if (handler !== undefined) {
      return (handler as (input: unknown, context: HandlerContext) => unknown)(input, {
        get signal() {
          return stop.signal;
        },
        call: (operation, given) => context.caller.call(operation, given, { signal: stop.signal }),
        store: context.graphs.store,
      });
    }
    const { signal } = stop;
    const options: CallOptions = peer === undefined ? { signal } : { signal, peer };
    const call = (given: unknown): Promise<unknown> =>
      run.stream === undefined
        ? context.caller.call(name, given, options)
        : readStream(region, name, given, { options, stop }, run);
    try {
      const output = await context.homes.withCopies({ operation: name, peer, signal }, input, context.dispose, call);
      context.homes.note(name, peer, input, output);
      return output;
    } catch (error) {
      throw called(error, run.path, peer === undefined ? name : `${name} at ${peer}`);
    }
  };
  const value = await attempts(once, {
    path: run.path,
    // What a stream has answered cannot be taken back.
    retry: run.stream === undefined ? retry : undefined,
    timeout,
    clock: context.clock,
    stop: run.stop,
    onAttempt: (attempt) => {
      for (const cell of run.cells) cell.set("attempts", attempt);
      context.calls.update(run.record, { attempts: attempt });
    },
  });
  if (name.startsWith("tensor/") && handler === undefined) region.own(value);
  finish(region, unit, run, value);
}

/** Takes what a subscription answers; all of it is the output. */
async function readStream(
  region: RegionRun,
  name: string,
  input: unknown,
  { options, stop }: { readonly options: CallOptions; readonly stop: Stop },
  run: UnitRun,
): Promise<unknown> {
  const stream = run.stream as ItemStream;
  const { caller } = region.context;
  if (caller.subscribe === undefined) throw new Error(`the caller cannot subscribe to ${name}`);
  run.open();
  const answers = caller.subscribe(name, input, options)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessAborted(answers.next(), stop, () => stop.reason);
      if (next.done === true) break;
      for (const cell of run.cells) cell.set("latest", next.value);
      await unlessAborted(stream.push(next.value), stop, () => stop.reason);
    }
  } finally {
    if (stop.aborted) void Promise.resolve(answers.return?.()).catch(() => undefined);
  }
  stream.end();
  return stream.items;
}
