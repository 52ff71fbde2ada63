import type { Reader } from "./graph_host.ts";
import { callInput } from "./leaves.ts";
import { didYouMean } from "./near.ts";
import type { OperationGraph, OperationInfo } from "./operation_graph.ts";
import { inside, type Place } from "./place.ts";
import { fits, type JsonSchema } from "./schema_fit.ts";
import type { Source } from "./source.ts";

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
export function checkOperations(reader: Reader, operations: OperationGraph): void {
  for (const place of inside(reader.template.root)) {
    const { name, run, peer } = place.props;
    if (place.kind !== "operation" || run !== undefined || peer !== undefined || reader.nodes.at(place) !== undefined)
      continue;
    const info = operations.get(String(name));
    if (info === undefined) {
      reader.template.problems.add(
        place.path,
        "unknown_operation",
        `there is no operation ${String(name)}${didYouMean(String(name), operations.names)}`,
      );
    } else {
      checkInput(reader, operations, place, info);
    }
  }
}

function checkInput(reader: Reader, operations: OperationGraph, place: Place, info: OperationInfo): void {
  const { problems } = reader.template;
  const source = callInput(reader, place);
  const whole = info.input_schema;
  if (source.kind !== "object" && !(source.kind === "literal" && isObject(source.value))) {
    checkMember(reader, operations, place, info, undefined, source, whole);
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
    if (schema !== undefined) checkMember(reader, operations, place, info, key, member, schema);
    else if (whole["additionalProperties"] === false) {
      problems.add(
        place.path,
        "unknown_input",
        `${info.name} takes no "${key}"${didYouMean(key, Object.keys(properties))}`,
      );
    }
  }
  for (const required of (whole["required"] ?? []) as string[]) {
    if (!members.some(([key]) => key === required))
      problems.add(place.path, "missing_input", `${info.name} needs "${required}"`);
  }
}

function checkMember(
  reader: Reader,
  operations: OperationGraph,
  place: Place,
  info: OperationInfo,
  input: string | undefined,
  source: Source,
  schema: JsonSchema,
): void {
  const what = input === undefined ? `the input of ${info.name}` : `"${input}" of ${info.name}`;
  if (source.kind === "literal") {
    if (fits(schemaOf(source.value), schema) === "no") {
      reader.template.problems.add(place.path, "bad_ref", `${what} cannot be ${JSON.stringify(source.value)}`);
    }
    return;
  }
  if (source.kind !== "result" || source.place.kind !== "operation" || source.member.length > 1) return;
  const from = String(source.place.props["name"]);
  if (source.place.props["run"] !== undefined) return;
  if (operations.fit(from, source.member[0], info.name, input) === "no") {
    const given = [source.place.path, ...source.member].join(".");
    reader.template.problems.add(place.path, "bad_ref", `${what} cannot be the output ${given} of ${from}`);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
