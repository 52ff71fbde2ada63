// The native module `alknet:host` (alknet/runtime/bridge.h), which isolates have and nobody else.
import type { ErrorFacts } from "./error.ts";
import type { OperationSpec } from "./spec.ts";

/** What became of a call: the output, or why there is none. */
export interface HostOutcome {
  readonly requestId: string;
  readonly data?: unknown;
  readonly error?: ErrorFacts & { readonly code: string; readonly message: string };
}

/** How the host is asked to call. */
export interface HostCallOptions {
  readonly peer?: string | undefined;
  readonly timeout?: number | undefined;
  readonly transfer?: readonly ArrayBufferLike[] | undefined;
  readonly authToken?: string | undefined;
  readonly forwardedFor?: unknown;
  /** A number by which `abort` finds the call. */
  readonly token?: number | undefined;
}

/** Items of a subscription, one at a time. */
export interface HostSubscription {
  /** The next item; `done` at the end, with an error unless it completed. */
  next(): Promise<HostOutcome & { readonly done: boolean }>;
  /** Gives it up. */
  close(): void;
}

/** Calls in the name of somebody: the program, or one request that a handler serves. */
export interface HostCaller {
  /** Never rejects. Throws TypeError for an input that cannot be sent. */
  call(operation: string, input: unknown, options: HostCallOptions): Promise<HostOutcome>;
  subscribe(operation: string, input: unknown, options: HostCallOptions): HostSubscription;
  /** Gives up the call that was made with this token. */
  abort(token: number): void;
}

/** What the host says of a call that a handler serves. */
export interface HostContext extends HostCaller {
  readonly requestId: string;
  readonly parentId: string;
  readonly operation: string;
  /** Whether the caller's resources are the program's. */
  readonly own: boolean;
  readonly identity: unknown;
  readonly forwardedFor: unknown;
  remaining(): number | undefined;
  /** `listener` is called once when the call is aborted or its deadline passes. */
  onAbort(listener: () => void): void;
}

/** A handler as the host calls it; of a subscription it gives an iterator or something that can be iterated. */
export type HostHandler = (input: unknown, context: HostContext) => unknown;

/** The module. */
export interface HostModule extends HostCaller {
  /** Puts an operation on the registry; the function that is returned removes it. Throws. */
  register(spec: OperationSpec, environment: readonly string[], handler: HostHandler): () => void;
}

interface Surroundings {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
}

/** The module, or undefined outside an isolate. */
async function findHost(): Promise<HostModule | undefined> {
  const { document, WorkerGlobalScope } = globalThis as Surroundings;
  if (document !== undefined || WorkerGlobalScope !== undefined) return undefined; // a browser, which would complain
  try {
    const name = "alknet:host"; // not a literal: bundlers would look for it
    return (await import(name)) as HostModule;
  } catch {
    return undefined;
  }
}

/** The module, or undefined outside an isolate. */
export const hostModule: HostModule | undefined = await findHost();
