import type { AbortSignalLike } from "./host.ts";

/** Slots of which so many may be taken at a time. */
export class Slots {
  taken = 0;
  readonly count: number;

  constructor(count: number) {
    this.count = Math.max(1, Math.floor(count));
  }
}

interface Waiter {
  readonly slots: readonly Slots[];
  readonly start: () => void;
}

/** Gives slots of several groups at once, in the order of asking as far as there is room. */
export class Limiter {
  readonly #waiting: Waiter[] = [];

  /** Resolves with what gives the slots back; rejects never, but gives up when the signal aborts. */
  take(slots: readonly Slots[], signal: AbortSignalLike): Promise<() => void> {
    return new Promise((resolve) => {
      const give = () => {
        for (const each of slots) each.taken -= 1;
        this.#advance();
      };
      const waiter: Waiter = {
        slots,
        start: () => {
          for (const each of slots) each.taken += 1;
          signal.removeEventListener("abort", leave);
          resolve(give);
        },
      };
      const leave = () => {
        const at = this.#waiting.indexOf(waiter);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        resolve(() => undefined);
      };
      if (signal.aborted) {
        resolve(() => undefined);
        return;
      }
      signal.addEventListener("abort", leave);
      this.#waiting.push(waiter);
      this.#advance();
    });
  }

  #advance(): void {
    for (let i = 0; i < this.#waiting.length;) {
      const waiter = this.#waiting[i] as Waiter;
      if (waiter.slots.every((each) => each.taken < each.count)) {
        this.#waiting.splice(i, 1);
        waiter.start();
      } else {
        i += 1;
      }
    }
  }
}
