import { abortController, type AbortControllerLike, type AbortSignalLike } from "./host.ts";

/** A controller that also aborts when `outer` does. `release` ends the link. */
export function linkedController(outer: AbortSignalLike | undefined): AbortControllerLike & { release(): void } {
  const inner = abortController();
  const follow = () => inner.abort(outer?.reason);
  if (outer?.aborted === true) follow();
  else outer?.addEventListener("abort", follow);
  return {
    signal: inner.signal,
    abort: (reason) => inner.abort(reason),
    release: () => outer?.removeEventListener("abort", follow),
  };
}

/** A promise, or a rejection by `failure` as soon as the signal aborts. */
export async function unlessAborted<T>(
  promise: PromiseLike<T>,
  signal: AbortSignalLike,
  failure: () => unknown,
): Promise<T> {
  if (signal.aborted) {
    Promise.resolve(promise).catch(() => undefined); // nobody waits for it any more
    throw failure();
  }
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(failure());
    signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
