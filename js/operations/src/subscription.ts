import type { OperationError } from "./error.ts";
import type { Message } from "./message.ts";

/** Items and bytes: a size, or what may still be sent. */
export interface Window {
  items: number;
  bytes: number;
}

interface Item {
  message: Message | undefined;
  readonly bytes: number;
}

/** One of our subscriptions: its unread items in the order in which they came, also when the bytes of one still come. */
export class Subscription {
  readonly #limit: Readonly<Window>;
  readonly #readable: () => void;
  readonly #held: Window = { items: 0, bytes: 0 };
  readonly #taken: Window = { items: 0, bytes: 0 };
  #items: Item[] = [];
  /** Of the link. */
  number = 0;
  /** Nothing more comes; what is queued can be read. */
  ended = false;
  /** How it ended, undefined when it completed. */
  error: OperationError | undefined;

  /** `readable` is called when there is something new to take: an item or the end. */
  constructor(limit: Readonly<Window>, readable: () => void) {
    this.#limit = limit;
    this.#readable = readable;
  }

  /** Whether one more item would pass the limit. */
  get full(): boolean {
    return this.#held.items >= this.#limit.items || this.#held.bytes >= this.#limit.bytes;
  }

  get unfilled(): boolean {
    return this.#items.some((item) => item.message === undefined);
  }

  /** Keeps the place of an item of `bytes` on the wire; the function that is returned puts it there. */
  reserve(bytes: number): (message: Message) => void {
    const item: Item = { message: undefined, bytes };
    this.#items.push(item);
    this.#held.items += 1;
    this.#held.bytes += bytes;
    return (message) => {
      item.message = message;
    };
  }

  /** Says that there may be something to take. */
  notify(): void {
    if (this.ended || this.#items[0]?.message !== undefined) this.#readable();
  }

  end(error: OperationError | undefined): void {
    const first = this.#items.findIndex((item) => item.message === undefined);
    if (first >= 0) this.#items = this.#items.slice(0, first);
    this.ended = true;
    this.error = error;
    this.#readable();
  }

  /** The next item, when it is whole. */
  take(): Message | undefined {
    const item = this.#items[0];
    if (item?.message === undefined) return undefined;
    this.#items.shift();
    this.#held.items -= 1;
    this.#held.bytes -= item.bytes;
    this.#taken.items += 1;
    this.#taken.bytes += item.bytes;
    return item.message;
  }

  /** What was taken since the last credit, once it is half of the limit. */
  credit(): Window | undefined {
    const { items, bytes } = this.#taken;
    if (items < this.#limit.items / 2 && bytes < this.#limit.bytes / 2) return undefined;
    this.#taken.items = 0;
    this.#taken.bytes = 0;
    return { items, bytes };
  }
}
