import { flatten } from "./flatten.js";
import { arrayMember, isObject, isSchema, member, numberMember, setMember, textMember } from "./json.js";

/** @typedef {import("./json.js").Schema} Schema */
/** @typedef {import("./json.js").JsonObject} JsonObject */

/**
 * @typedef {"object" | "record" | "array" | "list" | "choice" | "enum" | "const" | "boolean" | "integer" | "number" |
 *   "string" | "bytes" | "timestamp" | "tensor" | "null" | "json" | "never"} ShapeKind
 * What a form can ask for. `record`: members of any name; `list`: an array of numbers, written in one line; `json`: any
 * value, written as JSON; `never`: no value at all.
 */

/** @typedef {{name: string, schema: Schema, required: boolean}} Property */
/** @typedef {{label: string, schema: Schema}} Variant */

/**
 * @typedef {object} Shape  What a schema asks for, one level deep; what lies below is described when it is needed, so
 *   that a recursive schema is as good as another.
 * @property {ShapeKind} kind
 * @property {string} type  for people: "Int32", "string", "Tensor f32 [n, 4]"
 * @property {string} title
 * @property {string} description
 * @property {JsonObject} schema  flat: references and `allOf` merged in
 * @property {Property[]} properties  of an object, in layout order
 * @property {Schema | undefined} values  of a record, and of an object's further members
 * @property {Schema} items  of an array, behind `prefix`
 * @property {Schema[]} prefix
 * @property {Variant[]} variants  of a choice
 * @property {unknown[]} options  of an enum; of a const its one value
 * @property {number | undefined} minimum
 * @property {number | undefined} maximum
 * @property {boolean} wide  an integer that may be a decimal string beyond the exact range of numbers
 * @property {boolean} special  a number that may be "NaN", "Infinity" or "-Infinity"
 */

const kSafe = Number.MAX_SAFE_INTEGER;

/**
 * The kinds that are numbers, with the range of a JSON number.
 * @type {Record<string, Partial<Shape>>}
 */
const kNumberKinds = {
  Int8: { kind: "integer", minimum: -128, maximum: 127 },
  Uint8: { kind: "integer", minimum: 0, maximum: 255 },
  Int16: { kind: "integer", minimum: -32768, maximum: 32767 },
  Uint16: { kind: "integer", minimum: 0, maximum: 65535 },
  Int32: { kind: "integer", minimum: -2147483648, maximum: 2147483647 },
  Uint32: { kind: "integer", minimum: 0, maximum: 4294967295 },
  Int64: { kind: "integer", minimum: -kSafe, maximum: kSafe, wide: true },
  Uint64: { kind: "integer", minimum: 0, maximum: kSafe, wide: true },
  Float16: { kind: "number", minimum: -65504, maximum: 65504, special: true },
  BFloat16: { kind: "number", minimum: -3.3895313892515355e38, maximum: 3.3895313892515355e38, special: true },
  Float32: { kind: "number", minimum: -3.4028234663852886e38, maximum: 3.4028234663852886e38, special: true },
  Float64: { kind: "number", minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE, special: true },
};

/** @type {Record<string, ShapeKind>} */
const kKinds = {
  Boolean: "boolean",
  Enum: "enum",
  String: "string",
  Bytes: "bytes",
  Timestamp: "timestamp",
  Record: "record",
  Array: "array",
  Struct: "object",
  Union: "choice",
  Tensor: "tensor",
};

/** @type {Record<string, ShapeKind>} */
const kTypes = {
  object: "object",
  array: "array",
  string: "string",
  boolean: "boolean",
  integer: "integer",
  number: "number",
  null: "null",
};

/**
 * What says the type of a schema without `type`.
 * @type {[string, ShapeKind][]}
 */
const kTelling = [
  ["properties", "object"],
  ["required", "object"],
  ["additionalProperties", "object"],
  ["items", "array"],
  ["prefixItems", "array"],
  ["minLength", "string"],
  ["maxLength", "string"],
  ["pattern", "string"],
  ["minimum", "number"],
  ["maximum", "number"],
];

/** What makes more than a number of a number. */
const kNarrowing = ["enum", "const", "anyOf", "oneOf"];

const kPrefix = "TypeDef:";

/**
 * What `schema`, which lies in the document `root`, asks for. Never throws: what cannot be understood is `json`.
 * @param {Schema} schema
 * @param {Schema} root
 * @returns {Shape}
 */
export function describe(schema, root) {
  const flat = flatten(schema, root);
  if (flat === false) return shapeOf({}, { kind: "never", type: "no value" });
  if (flat === undefined) {
    // What its own words say still helps.
    const known = isObject(schema)
      ? { title: textMember(schema, "title"), description: textMember(schema, "description") }
      : {};
    return shapeOf(known, {});
  }
  const name = kindName(flat);
  const typed = name === undefined ? undefined : kindShape(name, flat, root);
  return typed ?? plainShape(flat, root);
}

/**
 * The `Kind` of a `TypeDef:Kind` keyword, if there is one.
 * @param {JsonObject} schema
 */
export function kindName(schema) {
  return Object.keys(schema)
    .find((key) => key.startsWith(kPrefix))
    ?.slice(kPrefix.length);
}

/**
 * @param {JsonObject} schema  flat
 * @param {Partial<Shape>} more
 * @returns {Shape}
 */
function shapeOf(schema, more) {
  const shape = {
    kind: /** @type {ShapeKind} */ ("json"),
    type: "any value",
    title: textMember(schema, "title"),
    description: textMember(schema, "description"),
    schema,
    properties: [],
    values: undefined,
    items: true,
    prefix: [],
    variants: [],
    options: [],
    wide: false,
    special: false,
    ...more,
  };
  return { ...shape, ...tightened(schema, more) };
}

/**
 * The range that both the kind and the keywords allow.
 * @param {JsonObject} schema
 * @param {Partial<Shape>} more
 */
function tightened(schema, more) {
  const low = [more.minimum, numberMember(schema, "minimum")].filter((bound) => bound !== undefined);
  const high = [more.maximum, numberMember(schema, "maximum")].filter((bound) => bound !== undefined);
  return {
    minimum: low.length > 0 ? Math.max(...low) : undefined,
    maximum: high.length > 0 ? Math.min(...high) : undefined,
  };
}

/**
 * @param {string} name
 * @param {JsonObject} flat
 * @param {Schema} root
 * @returns {Shape | undefined}
 */
function kindShape(name, flat, root) {
  const settings = member(flat, kPrefix + name);
  if (Object.hasOwn(kNumberKinds, name)) return shapeOf(flat, { ...kNumberKinds[name], type: name });
  if (name === "Json") return shapeOf(flat, { type: "any value" });
  if (name === "Blob") {
    const item = member(settings, "item");
    const of = isSchema(item) ? flatten(item, root) : undefined;
    const itemName = isObject(of) ? kindName(of) : undefined;
    if (itemName === "String") return shapeOf(flat, { kind: "string", type: itemName });
    if (itemName === "Bytes") return shapeOf(flat, { kind: "bytes", type: itemName });
    return shapeOf(flat, {
      type: itemName === undefined || itemName === "Json" ? "any value" : `array of ${itemName}`,
    });
  }
  const kind = Object.hasOwn(kKinds, name) ? kKinds[name] : undefined;
  if (kind === undefined) return undefined;
  const values = member(settings, "values");
  switch (kind) {
    case "enum":
      return shapeOf(flat, { kind, type: name, options: arrayMember(flat, "enum") });
    case "record":
      return shapeOf(flat, { kind, type: name, values: isSchema(values) ? values : true });
    case "array":
      return arrayShape(flat, root);
    case "object":
      return shapeOf(flat, { kind, type: name, properties: propertiesOf(flat, arrayMember(settings, "order")) });
    case "choice":
      return shapeOf(flat, { kind, type: name, variants: unionVariants(settings, root) });
    case "tensor":
      return shapeOf(flat, { kind, type: tensorType(settings, root) });
    default:
      return shapeOf(flat, { kind, type: name });
  }
}

/**
 * @param {JsonObject} flat
 * @param {Schema} root
 * @returns {Shape}
 */
function plainShape(flat, root) {
  if (Object.hasOwn(flat, "const")) return shapeOf(flat, { kind: "const", type: "constant", options: [flat["const"]] });
  const options = flat["enum"];
  if (Array.isArray(options)) return shapeOf(flat, { kind: "enum", type: `one of ${options.length}`, options });
  const variants = variantsOf(flat, root);
  if (variants.length > 0) return shapeOf(flat, { kind: "choice", type: `one of ${variants.length} forms`, variants });
  const type = textMember(flat, "type");
  const telling = kTelling.find(([keyword]) => Object.hasOwn(flat, keyword));
  const kind = Object.hasOwn(kTypes, type) ? kTypes[type] : telling?.[1];
  if (kind === "object") return objectShape(flat);
  if (kind === "array") return arrayShape(flat, root);
  if (kind === "string" && textMember(flat, "contentEncoding") === "base64") {
    return shapeOf(flat, { kind: "bytes", type: "Bytes" });
  }
  return kind === undefined ? shapeOf(flat, {}) : shapeOf(flat, { kind, type: kind });
}

/** @param {JsonObject} flat */
function objectShape(flat) {
  const properties = propertiesOf(flat, []);
  const further = member(flat, "additionalProperties");
  const patterns = member(flat, "patternProperties");
  const first = isObject(patterns) ? Object.values(patterns).find(isSchema) : undefined;
  const values = isSchema(further) && further !== false ? further : first;
  if (properties.length > 0 || further === false) {
    return shapeOf(flat, { kind: "object", type: "object", properties, values: further === true ? undefined : values });
  }
  return shapeOf(flat, { kind: "record", type: "object", values: values ?? true });
}

/**
 * @param {JsonObject} flat
 * @param {Schema} root
 */
function arrayShape(flat, root) {
  const items = member(flat, "items");
  const prefix = arrayMember(flat, "prefixItems").filter(isSchema);
  const of = isSchema(items) ? items : true;
  const name = prefix.length > 0 ? "tuple" : of === true ? "array" : `array of ${typeName(of, root)}`;
  const low = numberMember(flat, "minItems");
  const count = low !== undefined && low === numberMember(flat, "maxItems") ? ` × ${low}` : "";
  const kind = prefix.length === 0 && isNumber(of, root) ? "list" : "array";
  return shapeOf(flat, { kind, type: name + count, items: of, prefix });
}

/**
 * Whether a schema asks for numbers and nothing else. Looks no further down: an array may be made of itself.
 * @param {Schema} schema
 * @param {Schema} root
 */
function isNumber(schema, root) {
  const flat = flatten(schema, root);
  if (!isObject(flat)) return false;
  const name = kindName(flat);
  if (name !== undefined) return Object.hasOwn(kNumberKinds, name);
  const type = textMember(flat, "type");
  return (type === "integer" || type === "number") && !kNarrowing.some((keyword) => Object.hasOwn(flat, keyword));
}

/**
 * The type of a schema in a word or two, without looking further down.
 * @param {Schema} schema
 * @param {Schema} root
 */
export function typeName(schema, root) {
  const flat = flatten(schema, root, { steps: 50 });
  if (!isObject(flat)) return flat === false ? "no value" : "any value";
  const type = textMember(flat, "type");
  return kindName(flat) ?? (textMember(flat, "title") || type || (Object.hasOwn(flat, "enum") ? "one of" : "value"));
}

/**
 * @param {JsonObject} flat
 * @param {unknown[]} order  names in layout order; those that are missing follow
 * @returns {Property[]}
 */
function propertiesOf(flat, order) {
  const properties = member(flat, "properties");
  const required = new Set(arrayMember(flat, "required"));
  const declared = isObject(properties) ? Object.keys(properties) : [];
  // A required property that is not declared may be anything.
  const known = new Set([...declared, ...[...required].filter((name) => typeof name === "string")]);
  const names = new Set([...order.filter((name) => known.has(/** @type {string} */ (name))), ...known]);
  return [.../** @type {Set<string>} */ (names)].map((name) => {
    const schema = member(properties, name);
    return { name, schema: isSchema(schema) ? schema : true, required: required.has(name) };
  });
}

/**
 * @param {unknown} settings  of `TypeDef:Union`
 * @param {Schema} root
 * @returns {Variant[]}
 */
function unionVariants(settings, root) {
  const discriminator = textMember(settings, "discriminator");
  const mapping = member(settings, "mapping");
  if (discriminator === "" || !isObject(mapping)) return [];
  const order = arrayMember(settings, "order").filter((tag) => typeof tag === "string");
  const tags = new Set([.../** @type {string[]} */ (order), ...Object.keys(mapping)]);
  return [...tags]
    .filter((tag) => Object.hasOwn(mapping, tag))
    .map((tag) => {
      const flat = flatten(/** @type {Schema} */ (mapping[tag]), root);
      const body = isObject(flat) ? flat : {};
      const properties = {};
      setMember(properties, discriminator, { const: tag });
      const more = member(body, "properties");
      for (const [name, schema] of Object.entries(isObject(more) ? more : {})) setMember(properties, name, schema);
      const plain = Object.fromEntries(Object.entries(body).filter(([key]) => !key.startsWith(kPrefix)));
      const required = [discriminator, ...arrayMember(body, "required")];
      return { label: tag, schema: { ...plain, type: "object", properties, required, additionalProperties: false } };
    });
}

/**
 * The forms of `anyOf`, `oneOf` or a list of types, each with what stands beside them.
 * @param {JsonObject} flat
 * @param {Schema} root
 * @returns {Variant[]}
 */
function variantsOf(flat, root) {
  const keyword = ["oneOf", "anyOf"].find((name) => arrayMember(flat, name).some(isSchema));
  if (keyword !== undefined) {
    const { [keyword]: forms, ...base } = flat;
    return /** @type {unknown[]} */ (forms).filter(isSchema).map((form, index) => ({
      label: variantLabel(form, root, index),
      schema: Object.keys(base).length > 0 && isObject(form) ? { allOf: [withoutNames(base), form] } : form,
    }));
  }
  const types = arrayMember(flat, "type").filter((type) => typeof type === "string");
  return types.map((type) => ({ label: /** @type {string} */ (type), schema: { ...flat, type } }));
}

/**
 * The title and description of a choice are not those of its forms.
 * @param {JsonObject} schema
 */
function withoutNames(schema) {
  const { title: _title, description: _description, default: _default, ...rest } = schema;
  return rest;
}

/**
 * @param {Schema} form
 * @param {Schema} root
 * @param {number} index
 */
function variantLabel(form, root, index) {
  const flat = flatten(form, root, { steps: 50 });
  if (!isObject(flat)) return `form ${index + 1}`;
  const title = textMember(flat, "title");
  if (title !== "") return title;
  if (Object.hasOwn(flat, "const")) return JSON.stringify(flat["const"]);
  const properties = member(flat, "properties");
  const tag = Object.values(isObject(properties) ? properties : {}).find(
    (schema) => textMember(schema, "const") !== "",
  );
  if (tag !== undefined) return textMember(tag, "const");
  const reference = textMember(form, "$ref").split("/").pop() ?? "";
  const required = arrayMember(flat, "required").join(", ");
  return (
    reference || kindName(flat) || (required && `with ${required}`) || textMember(flat, "type") || `form ${index + 1}`
  );
}

/**
 * @param {unknown} settings  of `TypeDef:Tensor`
 * @param {Schema} root
 */
function tensorType(settings, root) {
  const dtype = member(settings, "dtype");
  const name = typeof dtype === "string" ? ` ${dtype}` : isSchema(dtype) ? ` of ${typeName(dtype, root)}` : "";
  const shape = member(settings, "shape");
  const dimensions = Array.isArray(shape)
    ? ` [${shape.map((size) => (size === -1 ? "any" : String(size))).join(", ")}]`
    : "";
  return `Tensor${name}${dimensions}`;
}
