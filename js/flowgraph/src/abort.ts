import { abortController, type AbortControllerLike, type AbortSignalLike } from "./host.ts";

/**
 * Whether some work shall stop, for those that do it. Nodes begin by the thousand, and an AbortSignal of the host is dear:
 * it is made when something outside, such as a caller or a handler, needs one.
 */
export class Stop {
  #listeners: Set<() => void> | undefined;
  readonly #outer: Stop | undefined;
  readonly #follow = () => this.abort(this.#outer?.reason);
  #host: AbortControllerLike | undefined;
  #aborted = false;
  #reason: unknown;

  /** @param outer when it aborts, this does; `release` ends the link */
  constructor(outer?: Stop) {
    this.#outer = outer;
    if (outer?.aborted === true) this.#follow();
    else outer?.onAbort(this.#follow);
  }

  /** What aborts when a signal of the host does, and a function that ends the link. */
  static of(outer: AbortSignalLike | undefined): { readonly stop: Stop; readonly release: () => void } {
    const stop = new Stop();
    const follow = () => stop.abort(outer?.reason);
    if (outer?.aborted === true) follow();
    else outer?.addEventListener("abort", follow);
    return { stop, release: () => outer?.removeEventListener("abort", follow) };
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** The same as a signal of the host. */
  get signal(): AbortSignalLike {
    if (this.#host === undefined) {
      this.#host = abortController();
      if (this.#aborted) this.#host.abort(this.#reason);
    }
    return this.#host.signal;
  }

  abort(reason?: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#host?.abort(reason);
    for (const listener of [...(this.#listeners ?? [])]) if (this.#listeners?.delete(listener) === true) listener();
  }

  /** `listener` is called once, when it aborts. */
  onAbort(listener: () => void): void {
    (this.#listeners ??= new Set()).add(listener);
  }

  offAbort(listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  release(): void {
    this.#outer?.offAbort(this.#follow);
  }
}

/** A promise, or a rejection by `failure` as soon as it is stopped. */
export function unlessAborted<T>(promise: PromiseLike<T>, stop: Stop, failure: () => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(failure());
    if (stop.aborted) give();
    else stop.onAbort(give);
    promise.then(
      (value) => {
        stop.offAbort(give);
        resolve(value);
      },
      (error: unknown) => {
        stop.offAbort(give);
        reject(error);
      },
    );
  });
}
