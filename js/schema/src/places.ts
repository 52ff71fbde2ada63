import { schemaError } from "./error.ts";
import { isObject, type Json, type JsonObject, member, pointerTo } from "./json.ts";
import { findTypeDef, kTypeDefPrefix, parseKind } from "./kinds.ts";
import { decode, resolveUri } from "./uri.ts";

/** A schema with a URI of its own (`$id`), or the document. */
interface Resource {
  readonly base: string;
  readonly root: Place;
  readonly anchors: Map<string, Place>;
  readonly outer: Resource | undefined;
}

/** A schema, and where it is in the document. */
export interface Place {
  readonly schema: Json;
  readonly pointer: string;
  readonly resource: Resource;
}

type Holds = "schema" | "list" | "map";

/** Keywords that hold schemas. */
const kHolders: Readonly<Record<string, Holds>> = {
  $defs: "map",
  additionalProperties: "schema",
  allOf: "list",
  anyOf: "list",
  contains: "schema",
  contentSchema: "schema",
  definitions: "map",
  dependentSchemas: "map",
  else: "schema",
  if: "schema",
  items: "schema",
  not: "schema",
  oneOf: "list",
  patternProperties: "map",
  prefixItems: "list",
  properties: "map",
  propertyNames: "schema",
  then: "schema",
  unevaluatedItems: "schema",
  unevaluatedProperties: "schema",
};

/** Members of TypeDef objects that hold schemas. */
const kTypeDefHolders: Readonly<Record<string, Holds>> = {
  "Record.values": "schema",
  "Union.mapping": "map",
  "Tensor.dtype": "schema",
  "Blob.item": "schema",
};

/** A `$ref` in a row of references, at most this many; also how deep schemas and values may nest. */
export const kMaxDepth = 64;

const kMaxSchemaText = 32 << 20;

/** The schemas held by `schema`, each with the steps that lead to it. A text in place of a schema is left out. */
export function heldSchemas(schema: JsonObject): { readonly steps: readonly string[]; readonly schema: Json }[] {
  const out: { steps: string[]; schema: Json }[] = [];
  const add = (value: unknown, holds: Holds | undefined, steps: string[]): void => {
    if (holds === "schema") {
      if (isObject(value) || typeof value === "boolean") out.push({ steps, schema: value });
    } else if (holds !== undefined && typeof value === "object" && value !== null) {
      for (const [name, held] of Object.entries(value)) add(held, "schema", [...steps, name]);
    }
  };
  const holder = (table: Readonly<Record<string, Holds>>, name: string): Holds | undefined =>
    Object.hasOwn(table, name) ? table[name] : undefined;
  for (const [keyword, value] of Object.entries(schema)) add(value, holder(kHolders, keyword), [keyword]);
  const type = findTypeDef(schema);
  for (const [name, value] of Object.entries(type?.options ?? {})) {
    add(value, holder(kTypeDefHolders, `${type?.kind}.${name}`), [type?.keyword ?? "", name]);
  }
  return out;
}

/**
 * The places of a document: finds what `$ref` names by `$id`, `$anchor`, JSON pointer, or name in `$defs`. Nothing is
 * fetched.
 */
export class Places {
  readonly root: Place;
  private readonly known = new Map<object, Place>();
  private readonly byUri = new Map<string, Resource>();

  /** Copies `schema`, so that each schema is at one place; symbols of TypeBox are left out. */
  constructor(schema: unknown) {
    this.root = this.scan(copyOf(schema), "", undefined, 0);
  }

  /** The place of a schema inside that of `from`. */
  child(from: Place, ...steps: readonly (string | number)[]): Place {
    let schema: unknown = from.schema;
    let pointer = from.pointer;
    for (const step of steps) {
      schema = member(schema as object, String(step));
      pointer = pointerTo(pointer, step);
    }
    const found = typeof schema === "object" && schema !== null ? this.known.get(schema) : undefined;
    return found ?? { schema: schema as Json, pointer, resource: from.resource };
  }

  /** The schema that a TypeDef object has in `name`, where a text is short for the kind of that name. */
  heldBy(from: Place, keyword: string, name: string): Place {
    const held = this.child(from, keyword, name);
    if (typeof held.schema !== "string") return held;
    if (parseKind(held.schema) === undefined) {
      throw schemaError("schema_invalid", held.pointer, `"${held.schema}" is no kind`);
    }
    const expanded: JsonObject = { [kTypeDefPrefix + held.schema]: true };
    return { ...held, schema: expanded };
  }

  /** What a `$ref` names; throws `schema_invalid` when that is nothing. */
  resolve(from: Place, reference: string): Place {
    const { uri, fragment } = resolveUri(from.resource.base, reference);
    const resource = reference.startsWith("#") || reference === "" ? from.resource : this.byUri.get(uri);
    let target: Place | undefined;
    if (resource !== undefined) {
      if (fragment === "") target = resource.root;
      else if (fragment.startsWith("/")) target = this.walk(resource.root, fragment);
      else target = resource.anchors.get(fragment);
    } else if (!/[:#]/.test(reference)) {
      target = this.findInDefs(from.resource, decode(reference));
    }
    if (target !== undefined && (isObject(target.schema) || typeof target.schema === "boolean")) return target;
    throw schemaError(
      "schema_invalid",
      pointerTo(from.pointer, "$ref"),
      `"${reference}" names nothing in this document`,
    );
  }

  /** Follows `$ref` from schemas without a kind to the one that has a kind, or to the end. */
  follow(place: Place): Place {
    let at = place;
    for (let hops = 0; hops <= kMaxDepth; ++hops) {
      const reference = isObject(at.schema) ? member(at.schema, "$ref") : undefined;
      if (typeof reference !== "string" || findTypeDef(at.schema as object) !== undefined) return at;
      at = this.resolve(at, reference);
    }
    throw schemaError("schema_too_deep", place.pointer, `more than ${kMaxDepth} references in a row`);
  }

  /** All schemas of the document that have a kind. */
  typed(): Place[] {
    return [...this.known.values()].filter((place) => findTypeDef(place.schema as object) !== undefined);
  }

  private scan(schema: Json, pointer: string, outer: Resource | undefined, depth: number): Place {
    if (depth > kMaxDepth) throw schemaError("schema_too_deep", pointer, `nested deeper than ${kMaxDepth}`);
    const place = this.named(schema, pointer, outer);
    if (!isObject(schema)) return place;
    this.known.set(schema, place);
    const anchor = member(schema, "$anchor");
    if (typeof anchor === "string") place.resource.anchors.set(anchor, place);
    for (const held of heldSchemas(schema)) {
      this.scan(held.schema, held.steps.reduce(pointerTo, pointer), place.resource, depth + 1);
    }
    return place;
  }

  /** The place of a schema, which is a resource of its own when it has an `$id` or is the document. */
  private named(schema: Json, pointer: string, outer: Resource | undefined): Place {
    const id = isObject(schema) ? member(schema, "$id") : undefined;
    if (typeof id !== "string" && outer !== undefined) return { schema, pointer, resource: outer };
    const { uri, fragment } = resolveUri(outer?.base ?? "", typeof id === "string" ? id : "");
    if (fragment !== "") throw schemaError("schema_invalid", pointerTo(pointer, "$id"), "must have no fragment");
    if (uri !== "" && this.byUri.has(uri)) {
      throw schemaError("schema_invalid", pointerTo(pointer, "$id"), "another schema has this $id");
    }
    const resource: Resource = {
      base: uri,
      get root(): Place {
        return place;
      },
      anchors: new Map(),
      outer,
    };
    const place: Place = { schema, pointer, resource };
    this.byUri.set(uri, resource);
    return place;
  }

  private walk(root: Place, pointer: string): Place | undefined {
    let at = root;
    for (const token of pointer.slice(1).split("/")) {
      const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof at.schema !== "object" || at.schema === null || !Object.hasOwn(at.schema, name)) return undefined;
      at = this.child(at, name);
    }
    return at;
  }

  /** From the innermost resource outwards: bundled schemas name their neighbours in the outer document. */
  private findInDefs(from: Resource, name: string): Place | undefined {
    for (let at: Resource | undefined = from; at !== undefined; at = at.outer) {
      const defs = isObject(at.root.schema) ? member(at.root.schema, "$defs") : undefined;
      if (isObject(defs) && Object.hasOwn(defs, name)) return this.child(at.root, "$defs", name);
    }
    return undefined;
  }
}

function copyOf(schema: unknown): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(schema);
  } catch (error) {
    throw schemaError("schema_invalid", "", `it is no JSON: ${String(error)}`);
  }
  if (text === undefined) throw schemaError("schema_invalid", "", "a schema is an object, true or false");
  if (text.length > kMaxSchemaText) throw schemaError("schema_too_large", "", "its text is over 32 MiB");
  const copy = JSON.parse(text) as Json;
  if (isObject(copy) || typeof copy === "boolean") return copy;
  throw schemaError("schema_invalid", "", "a schema is an object, true or false");
}
