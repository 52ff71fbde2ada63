// Calls of the program that this script runs in, inside an isolate.
import type { Identity } from "./access.ts";
import { type Caller, type CallOptions, type Env, makeEnv } from "./caller.ts";
import { OperationError } from "./error.ts";
import {
  type HostCaller,
  type HostCallOptions,
  type HostContext,
  type HostHandler,
  hostModule,
  type HostOutcome,
} from "./host_module.ts";
import { given, noteOrigin, settled } from "./node_values.ts";
import { type AbortSignalLike, now, platform } from "./platform.ts";
import { type OperationContext, type OperationDefinition, type Operations, specOf } from "./registry.ts";
import { RemoteRegistry } from "./remote_registry.ts";
import type { ResponseEnvelope } from "./response.ts";
import { type OperationSpec, plainName } from "./spec.ts";

function errorOf({ requestId, error }: HostOutcome): OperationError | undefined {
  if (error === undefined) return undefined;
  const { code, message, ...facts } = error;
  return new OperationError(code, message, { ...facts, requestId });
}

function unsendable(error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  return new OperationError("INVALID_INPUT", error instanceof Error ? error.message : String(error));
}

let lastToken = 0;
const kProgram = {};

/** A Caller over what the native module gives. */
export class HostCallerAdapter implements Caller {
  readonly #host: HostCaller;
  readonly owner: object;
  readonly nested: boolean;
  readonly inOrder = true;

  /** `own`: with the resources of the program. `nested`: as part of the call that a handler serves. */
  constructor(host: HostCaller, { own, nested }: { readonly own: boolean; readonly nested: boolean }) {
    this.#host = host;
    this.owner = own ? kProgram : this;
    this.nested = nested;
  }

  async call<T = unknown>(operation: string, input?: unknown, options: CallOptions = {}): Promise<ResponseEnvelope<T>> {
    const startedAt = Date.now();
    const begun = now();
    const { data, requestId, error } = await this.#outcome(operation, input, options);
    const timing = { startedAt, durationMs: now() - begun };
    const facts = { requestId, operation: plainName(operation), source: options.peer ?? "local", timing };
    const failure = error instanceof OperationError ? error : errorOf({ requestId, ...(error ? { error } : {}) });
    return failure === undefined ? { ...facts, data: data as T } : { ...facts, error: failure };
  }

  async #outcome(operation: string, input: unknown, options: CallOptions): Promise<HostOutcome> {
    const { signal } = options;
    try {
      const waits = settled(input, this);
      if (waits !== undefined) await waits;
    } catch (error) {
      return { requestId: "", error: unsendable(error) };
    }
    if (signal?.aborted === true) return { requestId: "", error: aborted(signal.reason) };
    const token = signal === undefined ? undefined : ++lastToken;
    const stop = (): void => {
      if (token !== undefined) this.#host.abort(token);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const outcome = await this.#host.call(operation, input === undefined ? {} : input, hostOptions(options, token));
      if (this.nested) noteOrigin(outcome.data, { caller: this, lent: false });
      return outcome;
    } catch (error) {
      return { requestId: "", error: unsendable(error) };
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async *subscribe<T = unknown>(
    operation: string,
    input?: unknown,
    options: CallOptions = {},
  ): AsyncGenerator<T, void, void> {
    const { signal } = options;
    const waits = settled(input, this);
    if (waits !== undefined) await waits;
    if (signal?.aborted === true) throw aborted(signal.reason);
    const items = this.#host.subscribe(operation, input === undefined ? {} : input, hostOptions(options, undefined));
    const stop = (): void => items.close();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        const next = await items.next();
        if ((signal as AbortSignalLike | undefined)?.aborted === true) throw aborted(signal?.reason);
        const error = errorOf(next);
        if (error !== undefined) throw error;
        if (next.done) return;
        if (this.nested) noteOrigin(next.data, { caller: this, lent: false });
        yield next.data as T;
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      items.close();
    }
  }
}

function hostOptions({ peer, timeout, transfer, authToken, forwardedFor }: CallOptions, token: number | undefined): HostCallOptions {
  return { peer, timeout, transfer, authToken, forwardedFor, token };
}

function aborted(reason: unknown): OperationError {
  return reason instanceof OperationError ? reason : new OperationError("ABORTED", "the call was given up");
}

/** What a handler of the program sees of a call. */
function contextOf(host: HostContext, caller: Caller): OperationContext {
  const controller = new platform.AbortController();
  host.onAbort(() => controller.abort(new OperationError("ABORTED", "the caller gave the call up")));
  return {
    requestId: host.requestId,
    parentId: host.parentId,
    operation: host.operation,
    identity: (host.identity ?? undefined) as Identity | undefined,
    forwardedFor: host.forwardedFor,
    signal: controller.signal,
    remaining: () => host.remaining(),
    env: makeEnv(caller),
  };
}

/** A handler as the host calls it: handles in its input are the caller's, and what it returns becomes theirs. */
function hostHandler({ handler }: OperationDefinition, streams: boolean): HostHandler {
  return (input, host) => {
    const caller = new HostCallerAdapter(host, { own: host.own, nested: true });
    noteOrigin(input, { caller, lent: true });
    const give = (output: unknown): unknown => (streams ? givenItems(output, caller) : given(output, caller));
    const output = handler(input, contextOf(host, caller));
    return output instanceof Promise ? output.then(give) : give(output);
  };
}

/** Items of a subscription as its caller gets them. No generator: giving it up reaches `items` while one is awaited. */
function givenItems(items: unknown, to: Caller): AsyncIterableIterator<unknown> {
  const from = items as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const iterator = from?.[Symbol.asyncIterator]?.() ?? from?.[Symbol.iterator]?.();
  if (iterator === undefined) {
    throw new TypeError("the handler of a subscription gave nothing to iterate: use an async generator function");
  }
  return {
    next: async () => {
      const next = await iterator.next();
      return next.done === true ? next : { done: false, value: await given(next.value, to) };
    },
    return: async (value) => (await iterator.return?.(value)) ?? { done: true, value },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const own = new Map<string, OperationSpec>();

class HostOperations implements Operations {
  register(definition: OperationDefinition): { unregister(): void } {
    const spec = specOf(definition);
    if (hostModule === undefined) throw noHost();
    const handler = hostHandler(definition, spec.op_type === "subscription");
    const unregister = hostModule.register(spec, definition.environment ?? [], handler);
    own.set(spec.name, spec);
    return {
      unregister: () => {
        if (own.get(spec.name) === spec) own.delete(spec.name);
        unregister();
      },
    };
  }
}

function noHost(): OperationError {
  return new OperationError("INTERNAL", "there is no host here: this is no isolate of alknet; use connect(url)");
}

class NoHost implements Caller {
  call(): Promise<never> {
    return Promise.reject(noHost());
  }
  // eslint-disable-next-line require-yield
  async *subscribe(): AsyncGenerator<never, void, void> {
    throw noHost();
  }
}

/** Whether this is an isolate of alknet, so that `env` and `operations` are there. */
export const hasHost: boolean = hostModule !== undefined;

/** Calls operations of the program that runs this script. Outside an isolate every call fails. */
export const env: Env = makeEnv(
  hostModule === undefined ? new NoHost() : new HostCallerAdapter(hostModule, { own: true, nested: false }),
);

/** Makes functions of this script operations of the program that runs it. */
export const operations: Operations = new HostOperations();

/** What this script has made operations of the program, internal ones too, by name. */
export const ownOperations: ReadonlyMap<string, OperationSpec> = own;

/** What the program that runs this script has. */
export const registry: RemoteRegistry = new RemoteRegistry(env);
