import { type Cancellation, onAbort } from "./cancellation.ts";
import { PubSubError } from "./error.ts";
import { Fifo } from "./fifo.ts";

/** What a full queue does with one more value: let the sender wait, forget the oldest value, or refuse it. */
export type Overflow = "wait" | "drop-oldest" | "error";

/** How a queue behaves. */
export interface QueueOptions {
  /** The most values that it holds, at least 1; 64 by default. */
  readonly capacity?: number;
  /** `wait` by default. */
  readonly overflow?: Overflow;
  /** Ends the queue at once: what it holds is lost, and the reader gets the reason as an error. */
  readonly signal?: Cancellation;
  /** Called once when no more values are taken: ended, failed, cancelled, or the reader left. */
  readonly onClose?: () => void;
}

interface Waiting<T> {
  readonly value: T;
  readonly resolve: (taken: boolean) => void;
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const kDone: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Values on their way from senders to one reader, who takes them by `for await`. It holds at most `capacity` values,
 * not counting senders that wait: those have to await `push` for the bound to hold. Several readers share the values.
 */
export class Queue<T> implements AsyncIterableIterator<T, undefined> {
  private readonly capacity: number;
  private readonly overflow: Overflow;
  private readonly onClose: () => void;
  private readonly forgetSignal: () => void;
  private readonly values = new Fifo<T>();
  private readonly senders = new Fifo<Waiting<T>>();
  private readonly readers = new Fifo<Reader<T>>();
  /** `ended`: no more values come. `left`: nobody reads them. */
  private state: "open" | "ended" | "left" = "open";
  /** What the reader gets after the last value. */
  private failure: { readonly error: unknown } | undefined;
  private forgotten = 0;

  /** Throws PubSubError `invalid_argument` for a capacity below 1. */
  constructor(options: QueueOptions = {}) {
    const { capacity = 64, overflow = "wait", signal, onClose = () => undefined } = options;
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new PubSubError("invalid_argument", `Queue: the capacity is an integer of at least 1, not ${capacity}`);
    }
    this.capacity = capacity;
    this.overflow = overflow;
    this.onClose = onClose;
    let forget = (): void => undefined;
    this.forgetSignal = () => forget();
    forget = onAbort(signal, (error) => this.abort(error));
  }

  /** Values that wait for the reader. */
  get size(): number {
    return this.values.size;
  }
  /** Values that were dropped for newer ones. */
  get dropped(): number {
    return this.forgotten;
  }

  /**
   * Sends a value; true when the queue has it, false when the reader has left, so that sending is in vain. Rejects with
   * PubSubError `overflow` when it is full and its rule is `error`, and `closed` after `end` or `fail`.
   */
  push(value: T): Promise<boolean> {
    if (this.state === "left") return Promise.resolve(false);
    if (this.state === "ended") return Promise.reject(new PubSubError("closed", "Queue: a value after the end"));
    const reader = this.readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value });
    } else if (this.values.size < this.capacity) {
      this.values.push(value);
    } else if (this.overflow === "wait") {
      return new Promise((resolve) => this.senders.push({ value, resolve }));
    } else if (this.overflow === "error") {
      return Promise.reject(new PubSubError("overflow", `Queue: the reader is ${this.capacity} values behind`));
    } else {
      this.values.shift();
      ++this.forgotten;
      this.values.push(value);
    }
    return Promise.resolve(true);
  }

  /** The last value was sent. What waits is still read. */
  end(): void {
    this.finish(undefined);
  }

  /** As `end`; then the reader gets `error`. */
  fail(error: unknown): void {
    this.finish({ error });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.values.size > 0) {
      const value = this.values.shift() as T;
      this.admit();
      return Promise.resolve({ done: false, value });
    }
    if (this.state === "open") return new Promise((resolve, reject) => this.readers.push({ resolve, reject }));
    this.forgetSignal();
    const { failure } = this;
    this.failure = undefined;
    return failure === undefined ? Promise.resolve(kDone) : Promise.reject(failure.error);
  }

  /** The reader leaves; `for await` calls it. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.leave(undefined);
    return Promise.resolve(kDone);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Makes room for a sender that waits. */
  private admit(): void {
    const sender = this.senders.shift();
    if (sender === undefined) return;
    this.values.push(sender.value);
    sender.resolve(true);
  }

  private finish(failure: { readonly error: unknown } | undefined): void {
    if (this.state !== "open") return;
    this.state = "ended";
    this.failure = failure;
    // Values of senders that wait were sent before the end.
    for (let sender = this.senders.shift(); sender !== undefined; sender = this.senders.shift()) {
      this.values.push(sender.value);
      sender.resolve(true);
    }
    this.dismiss();
  }

  private abort(error: unknown): void {
    if (this.state !== "left") this.leave({ error });
  }

  private leave(failure: { readonly error: unknown } | undefined): void {
    const wasOpen = this.state === "open";
    this.state = "left";
    this.failure = failure;
    this.values.clear();
    for (let sender = this.senders.shift(); sender !== undefined; sender = this.senders.shift()) sender.resolve(false);
    if (wasOpen) this.dismiss();
    else this.forgetSignal();
  }

  /** No more values come: tells the readers that wait, and whoever wants to know. */
  private dismiss(): void {
    if (this.state === "left") this.forgetSignal();
    for (let reader = this.readers.shift(); reader !== undefined; reader = this.readers.shift()) {
      const { failure } = this;
      this.failure = undefined;
      if (failure === undefined) reader.resolve(kDone);
      else reader.reject(failure.error);
    }
    this.onClose();
  }
}
