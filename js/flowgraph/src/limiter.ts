import type { Stop } from "./abort.ts";

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

  /** Resolves with what gives the slots back; rejects never, but gives up when it is stopped. */
  take(slots: readonly Slots[], stop: Stop): Promise<() => void> {
    return new Promise((resolve) => {
      const give = () => {
        for (const each of slots) each.taken -= 1;
        this.#advance();
      };
      const waiter: Waiter = {
        slots,
        start: () => {
          for (const each of slots) each.taken += 1;
          stop.offAbort(leave);
          resolve(give);
        },
      };
      const leave = () => {
        const at = this.#waiting.indexOf(waiter);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        resolve(() => undefined);
      };
      if (stop.aborted) {
        resolve(() => undefined);
        return;
      }
      stop.onAbort(leave);
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
