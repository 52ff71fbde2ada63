import { signal, type ReadonlySignal, type Signal } from "@preact/signals-core";

/** A count of changes. Nodes change by the thousand, so its signal is made when somebody looks. */
export class Changes {
  #count = 0;
  #signal: Signal<number> | undefined;

  get signal(): ReadonlySignal<number> {
    return (this.#signal ??= signal(this.#count));
  }

  add(): void {
    this.#count += 1;
    if (this.#signal !== undefined) this.#signal.value = this.#count;
  }
}
