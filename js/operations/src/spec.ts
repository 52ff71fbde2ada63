import { OperationError } from "./error.ts";

/** One answer that reads, one that changes something, or any number of answers. */
export type OperationType = "query" | "mutation" | "subscription";

/** What an operation asks of its caller. All of it must hold. */
export interface AccessControl {
  /** All of these. */
  readonly required_scopes?: readonly string[];
  /** And one of these. */
  readonly required_scopes_any?: readonly string[];
  /** And `resource_action` on a resource of this type. */
  readonly resource_type?: string;
  readonly resource_action?: string;
}

/** A domain error that an operation may end with. */
export interface ErrorSpec {
  readonly code: string;
  readonly description?: string;
  /** JSON Schema of the error's `details`. */
  readonly schema?: unknown;
  readonly http_status?: number;
}

/** What an operation is, in the form of `services/schema`. */
export interface OperationSpec {
  readonly name: string;
  readonly namespace?: string;
  readonly op_type: OperationType;
  readonly visibility?: "external" | "internal";
  /** JSON Schema with `TypeDef:*` kinds. */
  readonly input_schema?: unknown;
  readonly output_schema?: unknown;
  readonly error_schemas?: readonly ErrorSpec[];
  readonly access_control?: AccessControl;
  /** JSON pointer into the input, to the id that `resource_type` is checked for. */
  readonly resource_id_path?: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly version?: string;
  readonly default_timeout_ms?: number;
}

/** A line of `services/list`. */
export type OperationSummary = Pick<OperationSpec, "name" | "op_type" | "title" | "description" | "tags">;

const kName = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/;
const kTypes: ReadonlySet<unknown> = new Set(["query", "mutation", "subscription"]);

/** A name without its leading slash. */
export function plainName(name: string): string {
  return name.startsWith("/") ? name.slice(1) : name;
}

/** Throws OperationError INVALID_INPUT for a spec whose name or type no operation can have. */
export function checkSpec(spec: OperationSpec): void {
  if (!kName.test(spec.name)) {
    throw new OperationError("INVALID_INPUT", `"${spec.name}" is no name of an operation: use "namespace/operation"`);
  }
  if (!kTypes.has(spec.op_type)) {
    const type = String(spec.op_type);
    throw new OperationError("INVALID_INPUT", `${spec.name}: "${type}" is not query, mutation or subscription`);
  }
}
