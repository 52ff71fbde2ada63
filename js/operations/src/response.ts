import type { OperationError } from "./error.ts";

/** What became of one call. */
export interface ResponseEnvelope<T = unknown> {
  /** The id of the call, the same in logs of both sides. */
  readonly requestId: string;
  /** The operation that was called. */
  readonly operation: string;
  /** Who answered: `local`, a peer's id, or the address of a connection. */
  readonly source: string;
  /** When the call began, in milliseconds since 1970, and how long it took. */
  readonly timing: { readonly startedAt: number; readonly durationMs: number };
  /** The output; absent when the call failed. */
  readonly data?: T;
  /** Why it failed; absent when there is an output. */
  readonly error?: OperationError;
}

/** Whether the call failed. */
export function isError<T>(envelope: ResponseEnvelope<T>): envelope is ResponseEnvelope<T> & { error: OperationError } {
  return envelope.error !== undefined;
}

/** The output of a call, or its OperationError thrown; of a promise of an envelope a promise of that. */
export function unwrap<T>(envelope: ResponseEnvelope<T>): T;
export function unwrap<T>(envelope: Promise<ResponseEnvelope<T>>): Promise<T>;
export function unwrap<T>(envelope: ResponseEnvelope<T> | Promise<ResponseEnvelope<T>>): T | Promise<T> {
  if (envelope instanceof Promise) return envelope.then((settled) => unwrap(settled));
  if (envelope.error !== undefined) throw envelope.error;
  return envelope.data as T;
}
