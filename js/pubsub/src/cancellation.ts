import { PubSubError } from "./error.ts";

/** What cancels: an AbortSignal, or any object of this shape. */
export interface Cancellation {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What a cancelled stream throws: the signal's reason. */
export function reasonOf(signal: Cancellation): unknown {
  return signal.reason ?? new PubSubError("aborted", "the stream was cancelled");
}

/**
 * Calls `action` once when `signal` is aborted, at once if it is already. Returns what forgets it. Without a signal,
 * nothing.
 */
export function onAbort(signal: Cancellation | undefined, action: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    action(reasonOf(signal));
    return () => undefined;
  }
  const forget = (): void => signal.removeEventListener("abort", listener);
  const listener = (): void => {
    forget();
    action(reasonOf(signal));
  };
  signal.addEventListener("abort", listener);
  return forget;
}
