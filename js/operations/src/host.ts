// Calls of the program that this script runs in, inside an isolate.
import type { Identity } from "./access.ts";
import { type Caller, type CallOptions, type Env, makeEnv } from "./caller.ts";
import { OperationError } from "./error.ts";
import {
  type HostCaller,
  type HostCallOptions,
  type HostContext,
  hostModule,
  type HostOutcome,
} from "./host_module.ts";
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

/** A Caller over what the native module gives. */
export class HostCallerAdapter implements Caller {
  readonly #host: HostCaller;

  constructor(host: HostCaller) {
    this.#host = host;
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
    if (signal?.aborted === true) return { requestId: "", error: aborted(signal.reason) };
    const token = signal === undefined ? undefined : ++lastToken;
    const stop = (): void => {
      if (token !== undefined) this.#host.abort(token);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await this.#host.call(operation, input === undefined ? {} : input, hostOptions(options, token));
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
function contextOf(host: HostContext): OperationContext {
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
    env: makeEnv(new HostCallerAdapter(host)),
  };
}

const own = new Map<string, OperationSpec>();

class HostOperations implements Operations {
  register(definition: OperationDefinition): { unregister(): void } {
    const spec = specOf(definition);
    if (hostModule === undefined) throw noHost();
    const { handler } = definition;
    const unregister = hostModule.register(spec, definition.environment ?? [], (input, context) =>
      handler(input, contextOf(context)),
    );
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
export const env: Env = makeEnv(hostModule === undefined ? new NoHost() : new HostCallerAdapter(hostModule));

/** Makes functions of this script operations of the program that runs it. */
export const operations: Operations = new HostOperations();

/** What this script has made operations of the program, internal ones too, by name. */
export const ownOperations: ReadonlyMap<string, OperationSpec> = own;

/** What the program that runs this script has. */
export const registry: RemoteRegistry = new RemoteRegistry(env);
