import { type Cancellation, onAbort } from "./cancellation.ts";
import { PubSubError } from "./error.ts";

/** What operators give: a stream whose `return` reaches its source at once, also while a value is awaited. */
export type Stream<T> = AsyncIterableIterator<T, undefined>;

/** What operators take: an async iterable or a plain one. */
export type StreamSource<T> = AsyncIterable<T> | Iterable<T>;

/** The end of a stream. */
export const kDone: IteratorResult<never, undefined> = { done: true, value: undefined };

/** The iterator of a source; a plain one becomes an async one. */
export function open<T>(source: StreamSource<T>): AsyncIterator<T> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  const inner = source[Symbol.iterator]();
  return {
    next: async () => inner.next() as IteratorResult<T>,
    return: async () => (inner.return?.() ?? kDone) as IteratorResult<T>,
  };
}

/** A stream made from another, step by step: calls of `next` wait for one another. */
class Derived<S, T> implements Stream<T> {
  private ended = false;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly source: AsyncIterator<S>,
    private readonly step: (source: AsyncIterator<S>) => Promise<IteratorResult<T, undefined>>,
  ) {}

  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.last.then(() => (this.ended ? kDone : this.run()));
    this.last = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (!this.ended) {
      this.ended = true;
      await this.source.return?.();
    }
    return kDone;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async run(): Promise<IteratorResult<T, undefined>> {
    try {
      const result = await this.step(this.source);
      if (result.done === true) this.ended = true;
      return this.ended ? kDone : result;
    } catch (error) {
      // An error of the step leaves the source open. It is not waited for: it may have stopped for good.
      void this.return().catch(() => undefined);
      throw error;
    }
  }
}

/** `change` of each value; it gets the position too, and may be asynchronous: values stay in order. */
export function map<T, R>(source: StreamSource<T>, change: (value: T, index: number) => R | Promise<R>): Stream<R> {
  let index = 0;
  return new Derived<T, R>(open(source), async (values) => {
    const { done, value } = await values.next();
    return done === true ? kDone : { done: false, value: await change(value, index++) };
  });
}

/** The values for which `wanted` holds. */
export function filter<T, R extends T>(
  source: StreamSource<T>,
  wanted: (value: T, index: number) => value is R,
): Stream<R>;
export function filter<T>(
  source: StreamSource<T>,
  wanted: (value: T, index: number) => boolean | Promise<boolean>,
): Stream<T>;
export function filter<T>(
  source: StreamSource<T>,
  wanted: (value: T, index: number) => boolean | Promise<boolean>,
): Stream<T> {
  let index = 0;
  return new Derived<T, T>(open(source), async (values) => {
    for (;;) {
      const { done, value } = await values.next();
      if (done === true) return kDone;
      if (await wanted(value, index++)) return { done: false, value };
    }
  });
}

/**
 * The first `count` values; the source is left with the last of them, not when another is asked for. Throws PubSubError
 * `invalid_argument` for a count that is no integer from 0.
 */
export function take<T>(source: StreamSource<T>, count: number): Stream<T> {
  if (!Number.isInteger(count) || count < 0) {
    throw new PubSubError("invalid_argument", `take: the count is an integer of at least 0, not ${count}`);
  }
  let left = count;
  return new Derived<T, T>(open(source), async (values) => {
    if (left === 0) {
      if (count === 0) await values.return?.();
      return kDone;
    }
    const { done, value } = await values.next();
    if (done === true) return kDone;
    if (--left === 0) await values.return?.();
    return { done: false, value };
  });
}

/** The stream until `signal` is aborted: then, at once, its reason as an error. */
export function abortable<T>(source: StreamSource<T>, signal: Cancellation): Stream<T> {
  return new Derived<T, T>(open(source), (values) => {
    let forget = (): void => undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      forget = onAbort(signal, reject);
    });
    if (signal.aborted) return aborted;
    const value = values.next() as Promise<IteratorResult<T, undefined>>;
    return Promise.race([aborted, value]).finally(forget);
  });
}
