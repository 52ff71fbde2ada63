import { fits, type Fit, type JsonSchema } from "./schema_fit.ts";

/** What is known of an operation: the part of its spec that templates need. */
export interface OperationInfo {
  readonly name: string;
  readonly op_type: "query" | "mutation" | "subscription";
  readonly input_schema: JsonSchema;
  readonly output_schema: JsonSchema;
}

/** An output that fits an input. */
export interface OperationEdge {
  readonly from: string;
  /** A member of the output; none: all of it. */
  readonly member: string | undefined;
  readonly to: string;
  /** A member of the input; none: all of it. */
  readonly input: string | undefined;
  readonly fit: Exclude<Fit, "no">;
}

type Members = readonly (readonly [string | undefined, JsonSchema])[];

/** A schema and the schemas of its members. */
function membersOf(schema: JsonSchema): Members {
  const properties =
    typeof schema === "object" && schema["TypeDef:Tensor"] === undefined ? schema["properties"] : undefined;
  return [[undefined, schema], ...Object.entries((properties ?? {}) as Record<string, JsonSchema>)];
}

/** Which operation's output fits which input, from the specs. Edges are worked out when they are asked for. */
export class OperationGraph {
  readonly #operations: ReadonlyMap<string, OperationInfo>;

  constructor(operations: Iterable<OperationInfo>) {
    this.#operations = new Map([...operations].map((info) => [info.name, info]));
  }

  get(name: string): OperationInfo | undefined {
    return this.#operations.get(name);
  }

  get names(): readonly string[] {
    return [...this.#operations.keys()];
  }

  /** Inputs that an operation's output fits. */
  consumers(name: string): OperationEdge[] {
    const from = this.#operations.get(name);
    return from === undefined ? [] : [...this.#operations.values()].flatMap((to) => edges(from, to));
  }

  /** Outputs that fit an operation's inputs, or one of them. */
  producers(name: string, input?: string): OperationEdge[] {
    const to = this.#operations.get(name);
    if (to === undefined) return [];
    const all = [...this.#operations.values()].flatMap((from) => edges(from, to));
    return input === undefined ? all : all.filter((edge) => edge.input === input);
  }

  /** How well an output, or a member of it, fits an input, or a member of that. */
  fit(from: string, member: string | undefined, to: string, input: string | undefined): Fit {
    const [source, target] = [this.#operations.get(from), this.#operations.get(to)];
    if (source === undefined || target === undefined) return "maybe";
    const given = membersOf(source.output_schema).find(([name]) => name === member)?.[1] ?? true;
    const wanted = membersOf(target.input_schema).find(([name]) => name === input)?.[1] ?? true;
    return fits(itemsOf(source, given), wanted);
  }
}

/** A subscription gives a list of what its schema says. */
function itemsOf({ op_type }: OperationInfo, schema: JsonSchema): JsonSchema {
  return op_type === "subscription" ? { type: "array", items: schema } : schema;
}

function edges(from: OperationInfo, to: OperationInfo): OperationEdge[] {
  const found: OperationEdge[] = [];
  for (const [input, wanted] of membersOf(to.input_schema)) {
    // An input that takes anything says nothing.
    if (wanted === true || Object.keys(wanted as object).length === 0) continue;
    for (const [member, given] of membersOf(from.output_schema)) {
      const fit = fits(member === undefined ? itemsOf(from, given) : given, wanted);
      if (fit !== "no") found.push({ from: from.name, member, to: to.name, input, fit });
    }
  }
  return found;
}
