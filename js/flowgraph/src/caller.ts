import type { AbortSignalLike } from "./host.ts";

/** How a call is made. */
export interface CallOptions {
  readonly signal: AbortSignalLike;
  /** The peer that it goes to; here unless given. */
  readonly peer?: string;
}

/**
 * What calls operations: a registry client, a connection, a test. Answers are outputs; failures are errors with `code`
 * and, where it is known, `retryable`.
 */
export interface Caller {
  /** Calls reach the operations in the order in which they are made, so that one may follow another unanswered. */
  readonly inOrder?: boolean;
  call(name: string, input: unknown, options: CallOptions): Promise<unknown>;
  /** Operations that answer many values. */
  subscribe?(name: string, input: unknown, options: CallOptions): AsyncIterable<unknown>;
  /** Whether an operation is one of those; asked of nodes that do not say so by `stream`. */
  isStream?(name: string): boolean;
}

/** Who calls with envelopes, as `env` and `Connection` of `@alknet/operations` do. */
export interface EnvelopeCaller {
  readonly inOrder?: unknown;
  call(
    name: string,
    input?: unknown,
    options?: CallOptions,
  ): Promise<{ readonly data?: unknown; readonly error?: unknown }>;
  subscribe(name: string, input?: unknown, options?: CallOptions): AsyncIterable<unknown>;
}

/** A caller for templates of one that answers with envelopes: `new Executor({caller: callerOf(env)})`. */
export function callerOf(env: EnvelopeCaller): Caller {
  return {
    inOrder: env.inOrder === true,
    async call(name, input, options) {
      const envelope = await env.call(name, input, options);
      if (envelope.error !== undefined) throw envelope.error;
      return envelope.data;
    },
    subscribe: (name, input, options) => env.subscribe(name, input, options),
  };
}
