// What the host of the scripts provides and the language's own library does not declare.

/** The part of the web's AbortSignal that is used here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The part of the web's AbortController that is used here. */
export interface AbortControllerLike {
  readonly signal: AbortSignalLike;
  abort(reason?: unknown): void;
}

/** The time, and something to happen later. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

interface HostGlobals {
  AbortController: new () => AbortControllerLike;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

const globals = globalThis as unknown as HostGlobals;

/** An AbortController of the host. */
export function abortController(): AbortControllerLike {
  return new globals.AbortController();
}

/** The clock of the host. */
export const hostClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, milliseconds) => globals.setTimeout(run, milliseconds),
  clearTimeout: (timer) => globals.clearTimeout(timer),
};
