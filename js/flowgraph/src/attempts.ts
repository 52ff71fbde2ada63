import { linkedController, unlessAborted } from "./abort.ts";
import type { RetryOptions } from "./components.ts";
import type { AbortSignalLike, Clock } from "./host.ts";
import { codeOf, isFinal, NodeError } from "./run_error.ts";

/** How often and how long a node is tried. */
export interface AttemptOptions {
  readonly path: string;
  readonly retry: number | RetryOptions | undefined;
  /** Milliseconds for one try. */
  readonly timeout: number | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignalLike;
  readonly onAttempt: (attempt: number) => void;
}

/** Waits, unless the signal aborts. */
function pause(milliseconds: number, { clock, signal }: AttemptOptions): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clock.clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}

async function attempt<T>(work: (signal: AbortSignalLike) => Promise<T>, options: AttemptOptions): Promise<T> {
  const controller = linkedController(options.signal);
  const { timeout, clock, path } = options;
  const late = () => new NodeError("TIMEOUT", path, `${path} took longer than ${String(timeout)} ms`);
  const timer = timeout === undefined ? undefined : clock.setTimeout(() => controller.abort(late()), timeout);
  try {
    return await unlessAborted(work(controller.signal), controller.signal, () => controller.signal.reason);
  } finally {
    if (timer !== undefined) clock.clearTimeout(timer);
    controller.release();
  }
}

/** Does some work, again after failures that may pass; an abort and a final error end it. */
export async function attempts<T>(work: (signal: AbortSignalLike) => Promise<T>, options: AttemptOptions): Promise<T> {
  const { retry, signal } = options;
  const plan: RetryOptions = typeof retry === "number" ? { attempts: retry } : (retry ?? { attempts: 1 });
  let delay = plan.delay ?? 0;
  for (let count = 1; ; count += 1) {
    options.onAttempt(count);
    try {
      return await attempt(work, options);
    } catch (error) {
      const hopeless = isFinal(error) || (plan.codes !== undefined && !plan.codes.includes(codeOf(error)));
      if (signal.aborted || hopeless || count >= plan.attempts) throw error;
    }
    if (delay > 0) await pause(delay, options);
    delay *= plan.factor ?? 2;
    if (signal.aborted) throw signal.reason;
  }
}
