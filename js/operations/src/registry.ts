import { accessRefusal, type Identity, textAt } from "./access.ts";
import { type Caller, type CallOptions, type Env, makeEnv } from "./caller.ts";
import { OperationError } from "./error.ts";
import type { AbortSignalLike } from "./platform.ts";
import { checkSpec, type ErrorSpec, type OperationSpec, type OperationType, plainName } from "./spec.ts";
import type { AccessControl } from "./spec.ts";

/** What a handler knows about the call that it serves. */
export interface OperationContext {
  readonly requestId: string;
  /** The call that made this one; empty for a call from outside. */
  readonly parentId: string;
  readonly operation: string;
  /** Who calls; undefined for an anonymous caller. */
  readonly identity: Identity | undefined;
  /** What the caller says about the one it calls for. Never authority. */
  readonly forwardedFor?: unknown;
  /** Aborts when the caller gives up, its deadline passes or it is gone. */
  readonly signal: AbortSignalLike;
  /** Milliseconds that are left of the deadline; undefined without one. */
  remaining(): number | undefined;
  /** Calls other operations as part of this call: with the handler's authority, its deadline and its abort. */
  readonly env: Env;
}

/** Answers a query or mutation. */
export type OnceHandler = (input: unknown, context: OperationContext) => unknown;
/** Gives the items of a subscription. */
export type StreamHandler = (input: unknown, context: OperationContext) => AsyncIterable<unknown> | Iterable<unknown>;

/** An operation as a program declares it. */
export interface OperationDefinition {
  /** "namespace/operation". */
  readonly name: string;
  readonly type?: OperationType;
  readonly visibility?: "external" | "internal";
  /** JSON Schemas with `TypeDef:*` kinds, or TypeBox types. */
  readonly input?: unknown;
  readonly output?: unknown;
  readonly errors?: readonly ErrorSpec[];
  readonly access?: AccessControl;
  readonly resourceIdPath?: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly version?: string;
  /** Milliseconds that a call of it may take. */
  readonly timeout?: number;
  /** Which operations the handler may call by `context.env`: names, "ns/*", "*". None without it. */
  readonly environment?: readonly string[];
  /** An async generator function for a subscription. */
  readonly handler: OnceHandler | StreamHandler;
}

/** The spec of a definition. Throws OperationError INVALID_INPUT when there can be no such operation. */
export function specOf(definition: OperationDefinition): OperationSpec {
  const { name, type = "query", visibility = "external", input = {}, output = {}, errors = [], access = {} } = definition;
  if (typeof definition.handler !== "function") {
    throw new OperationError("INVALID_INPUT", `${String(name)}: \`handler\` is no function`);
  }
  const spec: OperationSpec = {
    name: plainName(String(name)),
    op_type: type,
    visibility,
    input_schema: input,
    output_schema: output,
    error_schemas: errors,
    access_control: access,
    ...(definition.resourceIdPath === undefined ? {} : { resource_id_path: definition.resourceIdPath }),
    ...(definition.title === undefined ? {} : { title: definition.title }),
    ...(definition.description === undefined ? {} : { description: definition.description }),
    ...(definition.tags === undefined ? {} : { tags: definition.tags }),
    ...(definition.version === undefined ? {} : { version: definition.version }),
    ...(definition.timeout === undefined ? {} : { default_timeout_ms: definition.timeout }),
  };
  checkSpec(spec);
  return spec;
}

/** Whether patterns (names, "ns/*", "*") reach an operation. */
export function reaches(patterns: readonly string[], operation: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === "*" || pattern === operation || (pattern.endsWith("/*") && operation.startsWith(pattern.slice(0, -1))),
  );
}

/** A registered operation. */
export interface RegisteredOperation {
  readonly spec: OperationSpec;
  readonly environment: readonly string[];
  readonly handler: OnceHandler | StreamHandler;
}

/** Where operations are put: the host's registry in an isolate, or a table that a connection serves. */
export interface Operations {
  /** Makes an operation. Throws OperationError for a name that is taken and for what is malformed. */
  register(definition: OperationDefinition): { unregister(): void };
}

/** Says why an input does not fit a schema; undefined when it does. */
export type Validate = (schema: unknown, value: unknown) => OperationError | undefined;

/** Operations that a program serves to whom it is connected to. */
export class OperationTable implements Operations {
  readonly #operations = new Map<string, RegisteredOperation>();
  readonly #validate: Validate | undefined;

  /** `validate` checks inputs before handlers see them; without it handlers check what they need. */
  constructor(validate?: Validate) {
    this.#validate = validate;
  }

  register(definition: OperationDefinition): { unregister(): void } {
    const spec = specOf(definition);
    if (this.#operations.has(spec.name)) {
      throw new OperationError("INVALID_INPUT", `${spec.name} is registered already`);
    }
    const operation = { spec, environment: definition.environment ?? [], handler: definition.handler };
    this.#operations.set(spec.name, operation);
    return {
      unregister: () => {
        if (this.#operations.get(spec.name) === operation) this.#operations.delete(spec.name);
      },
    };
  }

  /** Every operation, by name. */
  specs(): OperationSpec[] {
    return [...this.#operations.values()].map(({ spec }) => spec);
  }

  /**
   * The operation that a caller means, after every gate: it is there and external (NOT_FOUND), the caller may call it
   * (FORBIDDEN), and the input conforms (INVALID_INPUT).
   */
  admit(name: string, input: unknown, identity: Identity | undefined): RegisteredOperation | OperationError {
    const plain = plainName(name);
    const operation = this.#operations.get(plain);
    if (operation === undefined || operation.spec.visibility === "internal") {
      return new OperationError("NOT_FOUND", `there is no operation ${plain}`);
    }
    const { access_control: access = {}, resource_id_path: path, input_schema: schema } = operation.spec;
    const resource = path === undefined ? undefined : textAt(input, path);
    return accessRefusal(access, identity, resource) ?? this.#validate?.(schema, input) ?? operation;
  }
}

/** `caller` as a handler may use it: names that its environment does not reach are NOT_FOUND. */
export function scopedEnv(caller: Caller, operation: RegisteredOperation, options: CallOptions): Env {
  const check = (name: string): OperationError | undefined =>
    reaches(operation.environment, plainName(name))
      ? undefined
      : new OperationError("NOT_FOUND", `${operation.spec.name} may not call ${plainName(name)}`);
  const scoped: Caller = {
    call: async <T>(name: string, input?: unknown, own?: CallOptions) => {
      const error = check(name);
      if (error === undefined) return caller.call<T>(name, input, { ...options, ...own });
      const timing = { startedAt: Date.now(), durationMs: 0 };
      return { requestId: "", operation: plainName(name), source: "local", timing, error };
    },
    async *subscribe<T>(name: string, input?: unknown, own?: CallOptions) {
      const error = check(name);
      if (error !== undefined) throw error;
      yield* caller.subscribe<T>(name, input, { ...options, ...own });
    },
  };
  return makeEnv(scoped, caller);
}
