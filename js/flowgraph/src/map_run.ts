import { unlessAborted } from "./abort.ts";
import type { MapProps } from "./components.ts";
import type { Clock } from "./host.ts";
import type { MapUnit } from "./plan.ts";
import { RegionRun, tensorsIn } from "./region_run.ts";
import { called, NodeError } from "./run_error.ts";
import { Turn } from "./turn.ts";
import { finish, type UnitRun } from "./unit_run.ts";

type Items = Iterator<unknown> | AsyncIterator<unknown>;
type Listener = NonNullable<MapProps["onItem"]>;

/** Items of a pipeline that are under way: one is computed, one waits for it. */
const kPipelined = 2;

/** The items of a value of any kind that has some. */
function itemsOf(over: unknown, path: string): Items {
  const iterable = over as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  if (typeof over !== "string" && over !== null && over !== undefined) {
    if (typeof iterable?.[Symbol.asyncIterator] === "function")
      return (iterable as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    if (typeof iterable?.[Symbol.iterator] === "function") return (iterable as Iterable<unknown>)[Symbol.iterator]();
  }
  throw new NodeError(
    "INVALID_INPUT",
    path,
    `${path} goes over a list, an iterable or a stream, not ${over === null ? "null" : typeof over}`,
  );
}

/** Items, of which the next ones are made while those before are worked on: one after the other, so many ahead. */
class Ahead implements AsyncIterator<unknown> {
  readonly #items: Items;
  readonly #clock: Clock;
  readonly #count: number;
  readonly #made: Promise<IteratorResult<unknown>>[] = [];
  #last: Promise<IteratorResult<unknown>> | undefined;

  constructor(items: Items, clock: Clock, count: number) {
    this.#items = items;
    this.#clock = clock;
    this.#count = count;
  }

  async next(): Promise<IteratorResult<unknown>> {
    const next = await (this.#made.shift() ?? this.#items.next());
    while (next.done !== true && this.#made.length < this.#count) this.#made.push(this.#soon());
    return next;
  }

  /** Ends the source; `leave` gets the items that nobody took. */
  async return(leave?: (item: unknown) => void): Promise<IteratorResult<unknown>> {
    for (const made of this.#made.splice(0)) {
      void made.then(
        ({ done, value }) => (done === true ? undefined : leave?.(value)),
        () => undefined,
      );
    }
    await this.#items.return?.();
    return { done: true, value: undefined };
  }

  /** Asks when the work on the item before is under way, and has that item. */
  #soon(): Promise<IteratorResult<unknown>> {
    const before = this.#last;
    const next = new Promise<void>((resolve) => this.#clock.setTimeout(resolve, 0))
      .then(() => before)
      .then((last) => (last?.done === true ? last : this.#items.next()));
    next.catch(() => undefined); // whoever takes it hears of it
    this.#last = next;
    return next;
  }
}

/** Tells who listens to the items of a map; what it throws is the failure of that item. */
async function hear(onItem: Listener, output: unknown, item: unknown, path: string): Promise<void> {
  try {
    await onItem(output, item);
  } catch (error) {
    throw called(error, path, "onItem");
  }
}

/** Runs the body of a map for each item, so many at a time. After a failure no further item begins. */
export async function runMap(region: RegionRun, unit: MapUnit, run: UnitRun): Promise<void> {
  const props = unit.place.props as unknown as MapProps;
  const { maxConcurrency, collect = true, release = false, prefetch = false, onItem } = props;
  const pipelined = props.pipeline === true && region.context.caller.inOrder === true && unit.body.units.length === 1;
  const source = itemsOf(region.streamOf(unit.over) ?? region.valueOf(unit.over), run.path);
  const ahead = Number(prefetch);
  const items = ahead > 0 ? new Ahead(source, region.context.clock, ahead) : source;
  const letGo = (item: unknown) => {
    if (release) region.context.dispose([...tensorsIn(item)]);
  };
  const most = pipelined ? kPipelined : Math.max(1, Math.floor(maxConcurrency ?? 1) || 1);
  const outputs: unknown[] = [];
  const running = new Map<number, Promise<void>>();
  const failures: unknown[] = [];
  let turn: Turn | undefined;
  const one = async (index: number, item: unknown) => {
    const prefix = `${run.path}[${index}]`;
    const own = pipelined ? (turn = new Turn(turn)) : undefined;
    const body = new RegionRun(region.context, unit.body, {
      parent: region,
      prefix,
      record: run.record,
      item,
      stop: run.stop,
      drop: !collect,
      turn: own,
      hear: onItem && ((output) => hear(onItem, output, item, prefix)),
    });
    try {
      const output = await body.run();
      if (collect) outputs[index] = output;
      else region.context.forget(body.cells);
      for (const cell of run.cells) cell.set("latest", output);
    } catch (error) {
      failures.push(error);
    } finally {
      own?.taken();
      letGo(item);
      running.delete(index);
    }
  };
  let ended = false;
  try {
    for (let index = 0; !run.stop.aborted; index += 1) {
      while (running.size >= most) await Promise.race(running.values());
      if (failures.length > 0) break;
      const next = await unlessAborted(Promise.resolve(items.next()), run.stop, () => run.stop.reason);
      ended = next.done === true;
      if (ended) break;
      if (failures.length > 0) {
        letGo(next.value);
        break;
      }
      running.set(index, one(index, next.value));
    }
  } finally {
    await Promise.all(running.values());
    if (!ended) await items.return?.(letGo);
  }
  if (failures.length > 0) throw failures[0];
  finish(region, unit, run, outputs);
}
