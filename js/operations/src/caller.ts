import type { AbortSignalLike } from "./platform.ts";
import type { ResponseEnvelope } from "./response.ts";

/** How a call is made. */
export interface CallOptions {
  /** Gives the call up, and everything that it called. */
  readonly signal?: AbortSignalLike;
  /** Only that peer's operation of the name; without it the first that has it. */
  readonly peer?: string;
  /** Milliseconds until the call fails with TIMEOUT. A subscription has no deadline without it. */
  readonly timeout?: number;
  /** Buffers that are handed over instead of copied; they are detached. */
  readonly transfer?: readonly ArrayBufferLike[];
  /** Replaces the identity of the connection where it resolves. */
  readonly authToken?: string;
  /** Whom the call is made for. Never authority. */
  readonly forwardedFor?: unknown;
  /**
   * Paths ("bytes/*") at which `{"$bytes": n}` of the output stands for bytes, for operations that give such objects as
   * plain data too. Without it every one counts whose number is that of a buffer.
   */
  readonly outputBytes?: readonly string[];
}

/**
 * Somebody whose operations can be called: a node behind a connection, or the host of this isolate.
 *
 * Inputs and outputs are JSON values in which typed arrays and ArrayBuffers stand for bytes; bytes of outputs are
 * ArrayBuffers.
 */
export interface Caller {
  /** Stands for whose resources it uses: those of callers with the same are the same; undefined: not known. */
  readonly owner?: object;
  /** It calls as part of other calls, beside others of the same owner. */
  readonly nested?: boolean;
  /** Calls reach the operations in the order in which they are made. */
  readonly inOrder?: boolean;

  /** Calls a query or mutation. Never rejects: a failure is the envelope's `error`. */
  call<T = unknown>(operation: string, input?: unknown, options?: CallOptions): Promise<ResponseEnvelope<T>>;

  /**
   * The items of a subscription. Begins with the first `next`; items that are not taken hold the sender back. Leaving a
   * `for await` loop gives it up. Throws OperationError.
   */
  subscribe<T = unknown>(operation: string, input?: unknown, options?: CallOptions): AsyncGenerator<T, void, void>;
}

/** Calls one operation: `env.ns.op(input)`. Deeper names go on: `env.model.minilm.embed(input)`. */
export type OperationProxy = {
  (input?: unknown, options?: CallOptions): Promise<ResponseEnvelope>;
  readonly subscribe: (input?: unknown, options?: CallOptions) => AsyncGenerator<unknown, void, void>;
} & { readonly [name: string]: OperationProxy };

/** A Caller whose namespaces are members. */
export type Env = Caller & { readonly [namespace: string]: OperationProxy };

/** Names that promises, printers and test libraries look for on anything. */
const kNotOperations: ReadonlySet<string> = new Set(["then", "toJSON", "constructor", "prototype", "inspect"]);

function operationProxy(caller: Caller, name: string): OperationProxy {
  const call = (input?: unknown, options?: CallOptions): Promise<ResponseEnvelope> => caller.call(name, input, options);
  return new Proxy(call, {
    get(_target, member) {
      if (typeof member === "symbol" || kNotOperations.has(member)) return undefined;
      if (member === "subscribe") {
        return (input?: unknown, options?: CallOptions) => caller.subscribe(name, input, options);
      }
      return operationProxy(caller, `${name}/${member}`);
    },
  }) as unknown as OperationProxy;
}

const kBehind = Symbol("caller");

/** The caller that an Env stands for; any other caller itself. */
export function callerBehind(caller: Caller): Caller {
  return (caller as { readonly [kBehind]?: Caller })[kBehind] ?? caller;
}

/**
 * `caller` with a proxy for each namespace: `env.call`, `env.subscribe`, `env.ns.op(input, options)`. `behind`: whose
 * resources it uses.
 */
export function makeEnv(caller: Caller, behind: Caller = callerBehind(caller)): Env {
  const own: Caller = {
    call: (operation, input, options) => caller.call(operation, input, options),
    subscribe: (operation, input, options) => caller.subscribe(operation, input, options),
  };
  return new Proxy(own, {
    get(target, member) {
      if (member === "call" || member === "subscribe") return target[member];
      if (member === kBehind) return behind;
      if (member === "inOrder") return caller.inOrder ?? false;
      if (typeof member === "symbol" || kNotOperations.has(member)) return undefined;
      return operationProxy(caller, member);
    },
  }) as unknown as Env;
}
