import { unlessAborted } from "./abort.ts";
import type { MapProps } from "./components.ts";
import type { MapUnit } from "./plan.ts";
import { RegionRun, tensorsIn } from "./region_run.ts";
import { NodeError } from "./run_error.ts";
import { finish, type UnitRun } from "./unit_run.ts";

type Items = Iterator<unknown> | AsyncIterator<unknown>;

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

/** Runs the body of a map for each item, so many at a time. After a failure no further item begins. */
export async function runMap(region: RegionRun, unit: MapUnit, run: UnitRun): Promise<void> {
  const { maxConcurrency, collect = true, release = false } = unit.place.props as unknown as MapProps;
  const items = itemsOf(region.streamOf(unit.over) ?? region.valueOf(unit.over), run.path);
  const most = Math.max(1, Math.floor(maxConcurrency ?? 1) || 1);
  const outputs: unknown[] = [];
  const running = new Set<Promise<void>>();
  let failed = false;
  const one = async (index: number, item: unknown) => {
    const prefix = `${run.path}[${index}]`;
    const body = new RegionRun(region.context, unit.body, {
      parent: region,
      prefix,
      record: run.record,
      item,
      stop: run.stop,
      drop: !collect,
    });
    try {
      const output = await body.run();
      if (collect) outputs[index] = output;
      else region.context.forget(body.cells);
      for (const cell of run.cells) cell.set("latest", output);
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (release) region.context.dispose([...tensorsIn(item)]);
    }
  };
  let ended = false;
  try {
    for (let index = 0; !failed && !run.stop.aborted; index += 1) {
      while (running.size >= most) await Promise.race(running);
      const next = await unlessAborted(Promise.resolve(items.next()), run.stop, () => run.stop.reason);
      if (next.done === true) {
        ended = true;
        break;
      }
      const work = one(index, next.value).finally(() => running.delete(work));
      work.catch(() => undefined);
      running.add(work);
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
    if (!ended) await items.return?.();
  }
  finish(region, unit, run, outputs);
}
