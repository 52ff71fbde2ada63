import { Stop, unlessAborted } from "./abort.ts";
import type { RetryOptions } from "./components.ts";
import type { Clock } from "./host.ts";
import { codeOf, isFinal, NodeError } from "./run_error.ts";

/** How often and how long a node is tried. */
export interface AttemptOptions {
  readonly path: string;
  readonly retry: number | RetryOptions | undefined;
  /** Milliseconds for one try. */
  readonly timeout: number | undefined;
  readonly clock: Clock;
  readonly stop: Stop;
  readonly onAttempt: (attempt: number) => void;
}

/** Waits, unless it is stopped. */
function pause(milliseconds: number, { clock, stop }: AttemptOptions): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clock.clearTimeout(timer);
      stop.offAbort(end);
      resolve();
    };
    const timer = clock.setTimeout(end, milliseconds);
    stop.onAbort(end);
  });
}

async function attempt<T>(work: (stop: Stop) => Promise<T>, options: AttemptOptions): Promise<T> {
  const { timeout, clock, path } = options;
  if (timeout === undefined) return work(options.stop);
  const stop = new Stop(options.stop);
  const late = () => new NodeError("TIMEOUT", path, `${path} took longer than ${String(timeout)} ms`);
  const timer = clock.setTimeout(() => stop.abort(late()), timeout);
  try {
    return await unlessAborted(work(stop), stop, () => stop.reason);
  } finally {
    clock.clearTimeout(timer);
    stop.release();
  }
}

/** Does some work, again after failures that may pass; an abort and a final error end it. */
export async function attempts<T>(work: (stop: Stop) => Promise<T>, options: AttemptOptions): Promise<T> {
  const { retry, stop } = options;
  const plan: RetryOptions = typeof retry === "number" ? { attempts: retry } : (retry ?? { attempts: 1 });
  let delay = plan.delay ?? 0;
  for (let count = 1; ; count += 1) {
    options.onAttempt(count);
    try {
      return await attempt(work, options);
    } catch (error) {
      const hopeless = isFinal(error) || (plan.codes !== undefined && !plan.codes.includes(codeOf(error)));
      if (stop.aborted || hopeless || count >= plan.attempts) throw error;
    }
    if (delay > 0) await pause(delay, options);
    delay *= plan.factor ?? 2;
    if (stop.aborted) throw stop.reason;
  }
}
