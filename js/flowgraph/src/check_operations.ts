import type { Reader } from "./graph_host.ts";
import { callInput } from "./leaves.ts";
import { didYouMean } from "./near.ts";
import type { OperationGraph, OperationInfo } from "./operation_graph.ts";
import { tensorOpName } from "./op_table.ts";
import { inside, type Place } from "./place.ts";
import type { ProblemCode } from "./problem.ts";
import { fits, type JsonSchema } from "./schema_fit.ts";
import type { Source } from "./source.ts";

/** What is wrong with a value by a schema: texts, of which there are none for a good one. */
export type ValueCheck = (schema: JsonSchema, value: unknown) => readonly string[];

/** What operations are checked against. */
interface Specs {
  readonly operations?: OperationGraph;
  readonly peerOperations?: OperationGraph;
  readonly validate?: ValueCheck;
}

type Properties = Readonly<Record<string, JsonSchema>>;

/** The schema of a literal: of scalars their value, of others their type. */
function schemaOf(value: unknown): JsonSchema {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) {
    const type = value === null ? "null" : typeof value;
    return { type: Number.isInteger(value) ? "integer" : type, const: value };
  }
  if (Array.isArray(value)) return { type: "array" };
  return true;
}

/** Checks the operations of a template that are called against their specs. Mistakes go to the template's problems. */
export function checkOperations(reader: Reader, specs: Specs): void {
  for (const place of inside(reader.template.root)) {
    const { name, run, peer } = place.props;
    const operations = peer === undefined ? specs.operations : specs.peerOperations;
    if (place.kind !== "operation" || operations === undefined) continue;
    if (run !== undefined) continue;
    const node = reader.nodes.at(place);
    const info = operations.get(String(name));
    if (node !== undefined) {
      if (info !== undefined) new Call(reader, operations, specs.validate, place, info).parameters(node.parameters);
    } else if (peer === undefined && tensorOpName(String(name)) !== undefined) {
      continue; // the op table has said that there is none
    } else if (info === undefined) {
      reader.template.problems.add(
        place.path,
        "unknown_operation",
        `there is no operation ${String(name)}${didYouMean(String(name), operations.names)}`,
      );
    } else {
      new Call(reader, operations, specs.validate, place, info).check();
    }
  }
}

/** One operation that is called. */
class Call {
  constructor(
    private readonly reader: Reader,
    private readonly operations: OperationGraph,
    private readonly validate: ValueCheck | undefined,
    private readonly place: Place,
    private readonly info: OperationInfo,
  ) {}

  check(): void {
    const source = callInput(this.reader, this.place);
    const whole = this.info.input_schema;
    if (source.kind !== "object" && !(source.kind === "literal" && isObject(source.value))) {
      this.member(undefined, source, whole);
      return;
    }
    const members: [string, Source][] =
      source.kind === "object"
        ? [...source.members]
        : Object.entries(source.value as object).map(([key, value]) => [key, { kind: "literal", value }]);
    if (typeof whole === "boolean") return;
    const properties = (whole["properties"] ?? {}) as Properties;
    for (const [key, member] of members) {
      const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (schema !== undefined) this.member(key, member, schema);
      else if (whole["additionalProperties"] === false || whole["TypeDef:Struct"] !== undefined) {
        const near = didYouMean(key, Object.keys(properties));
        this.problem("unknown_input", `${this.info.name} takes no "${key}"${near}`);
      }
    }
    for (const required of (whole["required"] ?? []) as string[]) {
      if (members.some(([key]) => key === required)) continue;
      this.problem("missing_input", `${this.info.name} needs "${required}"`);
    }
  }

  /** Checks the parameters of an operation on tensors, whose inputs the op table has checked. */
  parameters(given: ReadonlyMap<string, Source>): void {
    const whole = this.info.input_schema;
    const properties = (typeof whole === "boolean" ? {} : (whole["properties"] ?? {})) as Properties;
    for (const [name, source] of given) {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (schema !== undefined && source.kind === "literal") this.member(name, source, schema);
    }
  }

  /** Checks what one member of the input gets, or all of it. */
  private member(input: string | undefined, source: Source, schema: JsonSchema): void {
    const what = input === undefined ? `the input of ${this.info.name}` : `"${input}" of ${this.info.name}`;
    if (source.kind === "literal") {
      const reasons = this.validate?.(schema, source.value) ?? [];
      const wrong = this.validate === undefined ? fits(schemaOf(source.value), schema) === "no" : reasons.length > 0;
      if (!wrong) return;
      const why = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
      this.problem("bad_ref", `${what} cannot be ${shown(source.value)}${why}`);
      return;
    }
    if (source.kind !== "result" || source.place.kind !== "operation" || source.member.length > 1) return;
    const from = String(source.place.props["name"]);
    if (source.place.props["run"] !== undefined) return;
    if (this.operations.fit(from, source.member[0], this.info.name, input) === "no") {
      const given = [source.place.path, ...source.member].join(".");
      this.problem("bad_ref", `${what} cannot be the output ${given} of ${from}`);
    }
  }

  private problem(code: ProblemCode, message: string): void {
    this.reader.template.problems.add(this.place.path, code, message);
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
