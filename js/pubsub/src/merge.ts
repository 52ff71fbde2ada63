import { Fifo } from "./fifo.ts";
import { kDone, open, type Stream, type StreamSource } from "./operators.ts";

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The values of all sources as they come. Of each source at most one value is taken ahead, so a slow reader slows all.
 * It ends with the last of them; an error in one leaves the others and comes out after the values before it.
 */
export function merge<T>(...sources: readonly StreamSource<T>[]): Stream<T> {
  return new Merged(sources.map(open));
}

class Merged<T> implements Stream<T> {
  private readonly readers = new Fifo<Reader<T>>();
  private readonly ready = new Fifo<{ readonly value: T; readonly source: AsyncIterator<T> }>();
  private readonly running: Set<AsyncIterator<T>>;
  private failure: { readonly error: unknown } | undefined;
  private started = false;

  constructor(sources: readonly AsyncIterator<T>[]) {
    this.running = new Set(sources);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const first = !this.started;
    this.started = true;
    if (first) for (const source of this.running) this.pull(source);
    return new Promise((resolve, reject) => {
      this.readers.push({ resolve, reject });
      this.serve();
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.started = true;
    this.ready.clear();
    this.failure = undefined;
    const left = this.leave();
    this.serve();
    await left;
    return kDone;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private pull(source: AsyncIterator<T>): void {
    source.next().then(
      ({ done, value }) => {
        if (!this.running.has(source)) return;
        if (done === true) this.running.delete(source);
        else this.ready.push({ value: value as T, source });
        this.serve();
      },
      (error: unknown) => {
        if (!this.running.delete(source)) return;
        this.failure = { error };
        void this.leave();
        this.serve();
      },
    );
  }

  private async leave(): Promise<void> {
    const sources = [...this.running];
    this.running.clear();
    await Promise.allSettled(sources.map((source) => source.return?.()));
  }

  /** Gives readers what there is. */
  private serve(): void {
    while (this.readers.size > 0) {
      const one = this.ready.shift();
      if (one === undefined && this.failure === undefined && this.running.size > 0) return;
      const reader = this.readers.shift() as Reader<T>;
      if (one !== undefined) {
        reader.resolve({ done: false, value: one.value });
        if (this.running.has(one.source)) this.pull(one.source);
      } else if (this.failure !== undefined) {
        const { error } = this.failure;
        this.failure = undefined;
        reader.reject(error);
      } else {
        reader.resolve(kDone);
      }
    }
  }
}
