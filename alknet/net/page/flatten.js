import { arrayMember, isObject, isSchema, member, numberMember, pointerSteps, setMember, textMember } from "./json.js";

/** @typedef {import("./json.js").Schema} Schema */
/** @typedef {import("./json.js").JsonObject} JsonObject */

const kMergeSteps = 1000;

/**
 * `schema` with its reference followed and `allOf` merged in; undefined when that has no end or leads nowhere.
 * @param {Schema} schema
 * @param {Schema} root
 * @param {{steps: number}} [budget]  schemas that may be looked at
 * @returns {JsonObject | false | undefined}
 */
export function flatten(schema, root, budget = { steps: kMergeSteps }) {
  if (--budget.steps < 0) return undefined;
  if (typeof schema === "boolean") return schema && {};
  /** @type {Schema[]} */
  const parts = arrayMember(schema, "allOf").filter(isSchema);
  const reference = textMember(schema, "$ref");
  if (reference !== "") {
    const target = resolve(reference, root);
    if (target === undefined) return undefined;
    parts.unshift(target);
  }
  if (Object.hasOwn(schema, "$dynamicRef")) return undefined;
  if (parts.length === 0) return schema;
  const { $ref: _reference, allOf: _parts, ...rest } = schema;
  /** @type {JsonObject} */
  let merged = {};
  for (const part of parts) {
    const flat = flatten(part, root, budget);
    if (!isObject(flat)) return flat;
    merged = merge(merged, flat);
  }
  return merge(merged, rest);
}

/**
 * Both at once, as far as a form needs it; the gateway checks the rest.
 * @param {JsonObject} a
 * @param {JsonObject} b
 * @returns {JsonObject}
 */
function merge(a, b) {
  const merged = { ...a, ...b };
  const [one, two] = [member(a, "properties"), member(b, "properties")];
  if (isObject(one) && isObject(two)) {
    const properties = { ...one };
    for (const [name, schema] of Object.entries(two)) {
      setMember(properties, name, Object.hasOwn(one, name) ? { allOf: [one[name], schema] } : schema);
    }
    merged["properties"] = properties;
  }
  const required = [...arrayMember(a, "required"), ...arrayMember(b, "required")];
  if (required.length > 0) merged["required"] = [...new Set(required)];
  for (const [keyword, tighter] of kBounds) {
    const [x, y] = [numberMember(a, keyword), numberMember(b, keyword)];
    if (x !== undefined && y !== undefined) merged[keyword] = tighter(x, y);
  }
  return merged;
}

/** @type {[string, (a: number, b: number) => number][]} */
const kBounds = [
  ["minimum", Math.max],
  ["maximum", Math.min],
  ["minLength", Math.max],
  ["maxLength", Math.min],
  ["minItems", Math.max],
  ["maxItems", Math.min],
];

/**
 * What a reference within the document means: a pointer, an anchor or identifier, or a name of `$defs`.
 * @param {string} reference
 * @param {Schema} root
 * @returns {Schema | undefined}
 */
function resolve(reference, root) {
  if (reference.startsWith("#/") || reference === "#") {
    /** @type {unknown} */
    let at = root;
    for (const step of pointerSteps(decoded(reference.slice(1)))) {
      at = Array.isArray(at) ? at[Number(step)] : member(at, step);
    }
    return isSchema(at) ? at : undefined;
  }
  const definitions = member(root, "$defs") ?? member(root, "definitions");
  const named = member(definitions, reference);
  if (isSchema(named)) return named;
  if (textMember(root, "$id") === reference) return root;
  const anchor = reference.startsWith("#") ? reference.slice(1) : undefined;
  const found = Object.values(isObject(definitions) ? definitions : {}).find(
    (schema) => textMember(schema, "$id") === reference || (anchor && textMember(schema, "$anchor") === anchor),
  );
  return isSchema(found) ? found : undefined;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
