/** A place in a row of calls: each is made when the one before has been made, answered or not. */
export class Turn {
  /** The one before has been taken. */
  readonly ready: Promise<void> | undefined;
  readonly #taken: Promise<void>;
  #take: () => void = () => undefined;

  constructor(before: Turn | undefined) {
    this.ready = before === undefined ? undefined : before.#taken;
    this.#taken = new Promise((resolve) => (this.#take = resolve));
  }

  /** The call has been made, or never will be. */
  taken(): void {
    this.#take();
  }
}
