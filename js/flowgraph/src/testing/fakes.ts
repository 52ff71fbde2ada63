// A caller and a clock that tests drive by hand.
import type { Caller, CallOptions } from "../caller.ts";
import type { Clock } from "../host.ts";

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  #now = 0;
  #next = 1;
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, milliseconds: number): number {
    this.#timers.set(this.#next, { at: this.#now + milliseconds, run });
    return this.#next++;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and everything settle that follows. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].run();
      await settle();
    }
    this.#now = end;
  }
}

/** Waits until everything that needs no timer has happened. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 500; i += 1) await Promise.resolve();
}

type Handler = (input: never, options: CallOptions) => unknown;

/** Operations that are functions; calls that wait are ended by `answer` and `fail`. */
export class FakeCaller implements Caller {
  readonly calls: { readonly name: string; readonly input: unknown; readonly peer: string | undefined }[] = [];
  readonly #handlers: Readonly<Record<string, Handler>>;
  readonly #open = new Map<
    string,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void; options: CallOptions }
  >();

  constructor(handlers: Readonly<Record<string, Handler>> = {}) {
    this.#handlers = handlers;
  }

  async call(name: string, input: unknown, options: CallOptions): Promise<unknown> {
    this.calls.push({ name, input, peer: options.peer });
    const handler = this.#handlers[name];
    if (handler !== undefined) return handler(input as never, options);
    return new Promise((resolve, reject) => this.#open.set(name, { resolve, reject, options }));
  }

  subscribe(name: string, input: unknown, options: CallOptions): AsyncIterable<unknown> {
    this.calls.push({ name, input, peer: options.peer });
    return (this.#handlers[name] as Handler)(input as never, options) as AsyncIterable<unknown>;
  }

  isStream(name: string): boolean {
    return name.startsWith("stream/");
  }

  /** Names of calls that wait. */
  get waiting(): string[] {
    return [...this.#open.keys()];
  }

  signalOf(name: string): CallOptions["signal"] | undefined {
    return this.#open.get(name)?.options.signal;
  }

  async answer(name: string, value: unknown): Promise<void> {
    const open = this.#open.get(name);
    this.#open.delete(name);
    open?.resolve(value);
    await settle();
  }

  async fail(name: string, error: unknown): Promise<void> {
    const open = this.#open.get(name);
    this.#open.delete(name);
    open?.reject(error);
    await settle();
  }
}

/** An error as operations have it. */
export function failure(code: string, retryable?: boolean): Error {
  return Object.assign(new Error(code.toLowerCase()), { code }, retryable === undefined ? {} : { retryable });
}
