/** Items that a producer may be ahead of the slowest reader. */
const ahead = 16;

/**
 * What a running node answers, for readers that may come while it runs. A reader gets all items from the first; the
 * producer waits while a reader is far behind.
 */
export class ItemStream implements AsyncIterable<unknown> {
  readonly #items: unknown[] = [];
  readonly #keep: boolean;
  /** Items that were let go. */
  #gone = 0;
  /** By reader: how many items it has taken. */
  readonly #taken = new Map<object, number>();
  #ended = false;
  #error: unknown;
  #failed = false;
  #wake: (() => void)[] = [];

  /** @param keep whether items stay for readers to come and for `items` when all readers have them */
  constructor(keep = true) {
    this.#keep = keep;
  }

  /** All items so far that were kept. */
  get items(): readonly unknown[] {
    return this.#items;
  }

  /** Adds an item; resolves when there is room for another. */
  async push(item: unknown): Promise<void> {
    this.#items.push(item);
    this.#notify();
    while (this.#lag() >= ahead) await this.#change();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  fail(error: unknown): void {
    this.#failed = true;
    this.#error = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    const reader = {};
    this.#taken.set(reader, 0);
    try {
      for (let at = 0; ;) {
        at = Math.max(at, this.#gone);
        if (at < this.#gone + this.#items.length) {
          const item = this.#items[at - this.#gone];
          at += 1;
          this.#taken.set(reader, at);
          this.#letGo();
          this.#notify();
          yield item;
        } else if (this.#failed) {
          throw this.#error;
        } else if (this.#ended) {
          return;
        } else {
          await this.#change();
        }
      }
    } finally {
      this.#taken.delete(reader);
      this.#notify();
    }
  }

  #lag(): number {
    const made = this.#gone + this.#items.length;
    return [...this.#taken.values()].reduce((most, taken) => Math.max(most, made - taken), 0);
  }

  #letGo(): void {
    if (this.#keep) return;
    const read = Math.min(...this.#taken.values());
    this.#items.splice(0, read - this.#gone);
    this.#gone = Math.max(this.#gone, read);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }
}
