import { type SchemaOptions, type TObject, type TProperties, type TRef, type TSchema, Type } from "@sinclair/typebox";
import * as TypeDef from "./builders/index.ts";
import { kNumeric } from "./builders/keywords.ts";
import { type SchemaError, schemaError } from "./error.ts";
import { isObject, type Json, jsonEqual, type JsonObject, member, pointerTo, setMember } from "./json.ts";
import { findTypeDef, type Kind, kKinds, kTypeDefPrefix, type TypeDefKeyword } from "./kinds.ts";
import { type Place, Places } from "./places.ts";
import type { Dtype } from "./tensor_spec.ts";

/** Keywords that say nothing about instances. */
const kAnnotations = new Set(
  (
    "$schema $id $comment title description default examples deprecated readOnly writeOnly contentEncoding " +
    "contentMediaType $anchor"
  ).split(" "),
);

/** Keywords that are about instances of one type, which must then be written too. */
const kByType: Readonly<Record<string, readonly string[]>> = {
  string: ["minLength", "maxLength", "pattern", "format"],
  number: kNumeric,
  integer: kNumeric,
  array: ["items", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"],
  object: ["properties", "required", "additionalProperties", "minProperties", "maxProperties", "patternProperties"],
  boolean: [],
  null: [],
};

/**
 * The TypeBox type of a JSON Schema that was parsed from text, which lacks TypeBox's symbols: what the builders and
 * TypeBox write, and schemas by hand, with TypeDef kinds or standard keywords. Standard keywords that the kinds stand
 * for are added. A schema with references becomes an Import of a Module, its `$ref`s names of that.
 *
 * Throws SchemaError `schema_invalid` for keywords that TypeBox has no type for: `oneOf`, `if`, `prefixItems`,
 * `dependent*`, `unevaluated*`, `propertyNames`, several `patternProperties`, and keywords of a type without `type`.
 */
export function fromJSON(json: unknown): TSchema {
  return new Reviver(new Places(json)).run();
}

class Reviver {
  private readonly names = new Map<Json, string>();
  private readonly definitions: Record<string, TSchema> = {};
  private readonly pending: Place[] = [];

  constructor(private readonly places: Places) {}

  run(): TSchema {
    const root = this.revive(this.places.root);
    if (this.pending.length === 0) return root;
    const start = typeof root["$ref"] === "string" ? root["$ref"] : this.nameOf(this.places.root);
    for (let place = this.pending.pop(); place !== undefined; place = this.pending.pop()) {
      const name = this.nameOf(place);
      const type = this.revive(place);
      this.definitions[name] = typeof type["$id"] === "string" ? { ...type, $id: name } : type;
    }
    return TypeDef.Module(this.definitions).Import(start);
  }

  /** The name of a definition; one that is new waits to be revived. */
  private nameOf(place: Place): string {
    const known = this.names.get(place.schema);
    if (known !== undefined) return known;
    const [, definition] = /^\/\$defs\/([^/~]+)$/.exec(place.pointer) ?? [];
    const id = isObject(place.schema) ? member(place.schema, "$id") : undefined;
    const wanted = definition ?? (typeof id === "string" ? id : "root");
    const taken = new Set(this.names.values());
    let name = wanted;
    for (let i = 2; taken.has(name); ++i) name = `${wanted}_${i}`;
    this.names.set(place.schema, name);
    this.pending.push(place);
    return name;
  }

  private revive(place: Place): TSchema {
    const { schema } = place;
    if (schema === true) return Type.Unknown();
    if (!isObject(schema)) return Type.Never();
    const type = findTypeDef(schema);
    return type === undefined ? this.plain(place, schema) : this.typed(place, schema, type);
  }

  private child(place: Place, ...steps: string[]): TSchema {
    return this.revive(this.places.child(place, ...steps));
  }

  private unsupported(place: Place, keyword: string, what: string): SchemaError {
    return schemaError("schema_invalid", pointerTo(place.pointer, keyword), what);
  }

  // Kinds

  private typed(place: Place, schema: JsonObject, type: TypeDefKeyword): TSchema {
    const { kind, keyword, options } = type;
    if (kind === undefined) throw this.unsupported(place, keyword, "there is no such kind; see the table of kinds");
    const annotations = select(schema, (name) => kAnnotations.has(name));
    const built = this.build(kind, place, schema, { ...options, ...annotations });
    const consumed = consumedBy(kind, schema, built);
    const left = select(schema, (name, value) => {
      const implied = consumed.includes(name) || kAnnotations.has(name) || name.startsWith(kTypeDefPrefix);
      return !implied && !jsonEqual(built[name], value);
    });
    delete left["$defs"];
    if (Object.keys(left).length === 0) return built;
    // What the kind does not say by itself holds beside it.
    const { [keyword]: typeDef, ...standard } = built;
    const also = this.conjuncts(place, typeof built["type"] === "string" ? { type: built["type"], ...left } : left);
    return Type.Intersect([standard as TSchema, ...also], { ...annotations, [keyword]: typeDef });
  }

  private build(kind: Kind, place: Place, schema: JsonObject, options: SchemaOptions): TSchema {
    const keyword = kTypeDefPrefix + kind;
    switch (kKinds[kind].form) {
      case "integer":
      case "float":
        return this.number(TypeDef[kind as "Float32"], schema, options);
      case "text": {
        if (kind === "Json") return TypeDef.Json(options);
        const limits = select(schema, (name) => kByType["string"]?.includes(name) === true);
        return TypeDef[kind as "String"]({ ...options, ...limits });
      }
      case "boolean":
        return TypeDef.Boolean(options);
      case "enum":
        return TypeDef.Enum((schema["enum"] ?? []) as unknown as [string, ...string[]], options);
      case "array": {
        const limits = select(schema, (name) => ["minItems", "maxItems", "uniqueItems"].includes(name));
        return TypeDef.Array(this.child(place, "items"), { ...options, ...limits });
      }
      case "struct": {
        const properties = this.properties(place, schema);
        const limits = select(schema, (name) => ["minProperties", "maxProperties"].includes(name));
        return TypeDef.Struct(properties, { ...options, ...limits });
      }
      case "record":
        return TypeDef.Record(this.held(place, keyword, "values"), options);
      case "union":
        return this.union(place, keyword, options);
      case "tensor": {
        const dtype = member(options, "dtype");
        const element = typeof dtype === "string" ? (dtype as Dtype) : this.held(place, keyword, "dtype");
        return TypeDef.Tensor(element, member(options, "shape") as number[], options);
      }
      default:
        return TypeDef.Blob(this.held(place, keyword, "item"), options);
    }
  }

  private number(build: (options?: SchemaOptions) => TSchema, schema: JsonObject, options: SchemaOptions): TSchema {
    return build({ ...options, ...numericOf(schema, build()) });
  }

  private held(place: Place, keyword: string, name: string): TSchema {
    return this.revive(this.places.heldBy(place, keyword, name));
  }

  private union(place: Place, keyword: string, options: SchemaOptions): TSchema {
    const mapping: Record<string, TObject | TRef> = {};
    for (const tag of Object.keys(member(options, "mapping") as object)) {
      setMember(mapping, tag, this.child(place, keyword, "mapping", tag));
    }
    return TypeDef.Union(member(options, "discriminator") as string, mapping, options) as TSchema;
  }

  // Standard keywords

  private plain(place: Place, schema: JsonObject): TSchema {
    const annotations = select(schema, (name) => kAnnotations.has(name));
    const assertions = select(schema, (name) => !kAnnotations.has(name) && name !== "$defs" && name !== "definitions");
    const parts = this.conjuncts(place, assertions);
    const [first] = parts;
    if (first === undefined) return Type.Unknown(annotations);
    return parts.length === 1 ? { ...first, ...annotations } : Type.Intersect(parts, annotations);
  }

  /** Types that together say what the keywords say. */
  private conjuncts(place: Place, keywords: Record<string, unknown>): TSchema[] {
    const out: TSchema[] = [];
    const left = new Map(Object.entries(keywords));
    const take = (name: string): unknown => {
      const value = left.get(name);
      left.delete(name);
      return value;
    };
    const list = (name: string): TSchema[] =>
      (take(name) as unknown[]).map((_item, i) => this.child(place, name, String(i)));
    if (left.has("type")) out.push(this.ofTypes(place, keywords, take("type"), (name) => void left.delete(name)));
    if (left.has("$ref")) out.push(Type.Ref(this.nameOf(this.places.resolve(place, take("$ref") as string))));
    if (left.has("const")) {
      const value = take("const");
      // TypeBox writes the type of a literal too.
      if (out.length === 1 && (out[0] as TSchema)["type"] === typeof value) out.pop();
      out.push(literal(value) ?? this.refuse(place, "const"));
    }
    if (left.has("enum")) {
      const values = take("enum") as unknown[];
      out.push(
        Type.Union(
          values.map((value) => literal(value) ?? this.refuse(place, "enum")),
          { enum: values },
        ),
      );
    }
    if (left.has("anyOf")) out.push(Type.Union(list("anyOf")));
    if (left.has("allOf")) out.push(...list("allOf"));
    if (left.has("not")) {
      take("not");
      out.push(Type.Not(this.child(place, "not")));
    }
    for (const name of left.keys()) this.refuse(place, name);
    return out;
  }

  private refuse(place: Place, keyword: string): never {
    throw this.unsupported(place, keyword, "TypeBox has no type for this keyword here");
  }

  private ofTypes(
    place: Place,
    schema: Record<string, unknown>,
    types: unknown,
    used: (name: string) => void,
  ): TSchema {
    const names = Array.isArray(types) ? (types as string[]) : [types as string];
    const choices = names.map((name) => {
      const own = kByType[name];
      if (own === undefined) return this.refuse(place, "type");
      own.forEach(used);
      return this.ofType(
        place,
        name,
        select(schema, (keyword) => own.includes(keyword)),
      );
    });
    return Type.Union(choices) as TSchema;
  }

  private ofType(place: Place, name: string, limits: Record<string, unknown>): TSchema {
    switch (name) {
      case "string":
        return Type.String(limits);
      case "number":
        return Type.Number(limits);
      case "integer":
        return Type.Integer(limits);
      case "boolean":
        return Type.Boolean();
      case "null":
        return Type.Null();
      case "array": {
        const { items, contains, ...rest } = limits;
        if (Array.isArray(items)) return this.refuse(place, "items");
        const own = contains === undefined ? rest : { ...rest, contains: this.child(place, "contains") };
        return Type.Array(items === undefined ? Type.Unknown() : this.child(place, "items"), own);
      }
      default:
        return this.object(place, limits as JsonObject);
    }
  }

  private object(place: Place, schema: JsonObject): TSchema {
    const { properties: _properties, required: _required, patternProperties, ...rest } = schema;
    const more = rest["additionalProperties"];
    const options = isObject(more)
      ? { ...rest, additionalProperties: this.child(place, "additionalProperties") }
      : rest;
    if (patternProperties === undefined) return Type.Object(this.properties(place, schema), options as SchemaOptions);
    const [[pattern] = [""], ...others] = Object.entries(patternProperties as JsonObject);
    if (others.length > 0 || Object.hasOwn(schema, "properties")) return this.refuse(place, "patternProperties");
    const values = this.child(place, "patternProperties", pattern);
    return Type.Record(Type.RegExp(pattern), values, options as SchemaOptions);
  }

  /** The members of `properties`; those not in `required` are Optional. */
  private properties(place: Place, schema: JsonObject): TProperties {
    const required = (schema["required"] ?? []) as readonly string[];
    const out: TProperties = {};
    for (const name of Object.keys((schema["properties"] ?? {}) as JsonObject)) {
      const type = this.child(place, "properties", name);
      setMember(out, name, required.includes(name) ? type : Type.Optional(type));
    }
    for (const name of required) if (!Object.hasOwn(out, name)) setMember(out, name, Type.Unknown());
    return out;
  }
}

/** The members that `wanted` picks. */
function select(
  schema: Readonly<Record<string, unknown>>,
  wanted: (name: string, value: unknown) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([name, value]) => wanted(name, value)));
}

/** Sibling keywords that a builder takes in, or replaces by what says the same. */
function consumedBy(kind: Kind, schema: JsonObject, built: TSchema): readonly string[] {
  switch (kKinds[kind].form) {
    case "integer":
    case "float":
      return kNumeric;
    case "text":
      return kind === "String" ? ["maxLength", "pattern"] : ["maxLength"];
    case "array":
      return ["items"];
    case "struct":
      return ["properties", "required", "additionalProperties"];
    case "union":
      return sizeOf(schema["anyOf"]) === sizeOf(built["anyOf"]) ? ["anyOf"] : [];
    default:
      return [];
  }
}

function sizeOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** Bounds of numbers: beside the kind, or in the branch for numbers that builders write. */
function numericOf(schema: JsonObject, builtAlone: TSchema): Record<string, unknown> {
  const isNumeric = (name: string): boolean => (kNumeric as readonly string[]).includes(name);
  const [numbers, ...others] = (schema["anyOf"] ?? []) as readonly JsonObject[];
  const [, ...standard] = (builtAlone["anyOf"] ?? []) as readonly TSchema[];
  const written = isObject(numbers) && jsonEqual(others, standard) ? numbers : {};
  return { ...select(written, isNumeric), ...select(schema, isNumeric) };
}

function literal(value: unknown): TSchema | undefined {
  if (value === null) return Type.Null();
  const primitive = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  return primitive ? Type.Literal(value) : undefined;
}
