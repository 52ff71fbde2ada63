import { asCount, isObject, type Json, type JsonObject, jsonEqual, member } from "./json.ts";
import { type Kind, kKinds, kTypeDefPrefix, maxTextLength } from "./kinds.ts";
import type { SchemaNode } from "./node.ts";

/** Keywords in which two nodes differ. */
export interface KeywordChanges {
  /** Sorted. */
  readonly names: readonly string[];
  /** Those among them that each side has. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** `after` has one that `before` has not alike. */
  readonly adds: boolean;
}

/** Keywords that say nothing of a value. */
const kNotes = new Set(
  (
    "$comment title description examples deprecated readOnly writeOnly format $anchor contentEncoding " +
    "contentMediaType contentSchema $dynamicAnchor $id"
  ).split(" "),
);

/** Keywords that are compared as part of the structure, or that hold other schemas. */
const kStructural = new Set("properties required items default $ref $defs $schema $vocabulary definitions".split(" "));

const kNotFinite = { enum: ["NaN", "Infinity", "-Infinity"] };
const kHandle = {
  type: "object",
  properties: {
    $tensor: { type: "string" },
    dtype: { type: "string" },
    shape: { type: "array", items: { type: "integer", minimum: 0 } },
  },
  required: ["$tensor", "dtype", "shape"],
};

/** The standard keywords that a kind lowers to, as far as its name alone decides. */
function lowered(kind: Kind): Readonly<Record<string, unknown>> {
  const { form, min: minimum, max: maximum, regexp } = kKinds[kind];
  const pattern = regexp === undefined ? {} : { pattern: regexp.source };
  switch (form) {
    case "integer": {
      const numbers = { type: "integer", minimum, maximum };
      return regexp === undefined ? numbers : { anyOf: [numbers, { type: "string", ...pattern }] };
    }
    case "float":
      return { anyOf: [{ type: "number", minimum, maximum }, kNotFinite] };
    case "text":
      return kind === "Json" ? {} : { type: "string", ...pattern };
    case "tensor":
      return kHandle;
    case "boolean":
    case "array":
      return { type: form };
    case "enum":
      return { type: "string" };
    case "struct":
    case "record":
    case "union":
      return { type: "object" };
    default:
      return {};
  }
}

/** Whether a keyword says the names of an Enum once more: `const` the only one, `anyOf` each as a `const`. */
function restatesNames({ names }: SchemaNode, key: string, value: Json): boolean {
  if (key === "enum") return true;
  if (key === "const") return names.length === 1 && value === names[0];
  const choices = key === "anyOf" && Array.isArray(value) ? (value as readonly Json[]) : undefined;
  if (choices === undefined || choices.length !== names.length) return false;
  return choices.every((choice, i) => isObject(choice) && member(choice, "const") === names[i]);
}

/** Whether a keyword says no more than the kind does: builders emit what the kind lowers to. */
function isLowered(node: SchemaNode, key: string, value: Json, standard: object): boolean {
  if (Object.hasOwn(standard, key) && jsonEqual(member(standard, key), value)) return true;
  switch (node.kind) {
    case "Array":
      return node.count !== undefined && (key === "minItems" || key === "maxItems");
    case "Enum":
      return restatesNames(node, key, value);
    case "Struct":
      return key === "additionalProperties" && value === false;
    case "Union":
      return key === "anyOf" || key === "oneOf";
    case "Record":
      return key === "additionalProperties";
    case "Tensor":
      return key === "properties" || key === "type" || key === "additionalProperties";
    default: {
      const { kind, maxBytes } = node.kind === "Blob" && node.items !== undefined ? node.items : node;
      return key === "maxLength" && maxBytes !== undefined && asCount(value) === maxTextLength(kind, maxBytes);
    }
  }
}

/** The keywords of a node that are notes, or else limits. */
function keywordsOf(node: SchemaNode, notes: boolean): Map<string, Json> {
  const found = new Map<string, Json>();
  if (!isObject(node.schema)) return found;
  const standard = lowered(node.kind === "Blob" && node.items !== undefined ? node.items.kind : node.kind);
  for (const [key, value] of Object.entries(node.schema)) {
    if (key.startsWith(kTypeDefPrefix) || kStructural.has(key) || kNotes.has(key) !== notes) continue;
    if (notes || !isLowered(node, key, value, standard)) found.set(key, value);
  }
  return found;
}

function compare(before: ReadonlyMap<string, Json>, after: ReadonlyMap<string, Json>): KeywordChanges {
  const lacking = (list: ReadonlyMap<string, Json>, other: ReadonlyMap<string, Json>): [string, Json][] =>
    [...list].filter(([key, value]) => !other.has(key) || !jsonEqual(other.get(key), value));
  const [gone, come] = [lacking(before, after), lacking(after, before)];
  const names = [...new Set([...gone, ...come].map(([key]) => key))].sort();
  return { names, before: Object.fromEntries(gone), after: Object.fromEntries(come), adds: come.length > 0 };
}

/**
 * Standard keywords that limit values beyond what the kind says: `minimum`, `pattern`, ... What a kind lowers to, and
 * what the structure tells (`properties`, `items`, `default`), does not count.
 */
export function limitChanges(before: SchemaNode, after: SchemaNode): KeywordChanges {
  return compare(keywordsOf(before, false), keywordsOf(after, false));
}

/** Keywords that say nothing of values: `title`, `description`, ... */
export function noteChanges(before: SchemaNode, after: SchemaNode): KeywordChanges {
  return compare(keywordsOf(before, true), keywordsOf(after, true));
}
