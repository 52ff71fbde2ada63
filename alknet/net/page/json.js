/** @typedef {Record<string, unknown>} JsonObject */
/** @typedef {boolean | JsonObject} Schema  A JSON Schema; members are checked where they are used. */

/**
 * Whether `value` is a JSON object: no array, not null.
 * @param {unknown} value
 * @returns {value is JsonObject}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether `value` may stand where a schema is wanted.
 * @param {unknown} value
 * @returns {value is Schema}
 */
export function isSchema(value) {
  return typeof value === "boolean" || isObject(value);
}

/**
 * The member of that name, or undefined; inherited properties are no members.
 * @param {unknown} object
 * @param {string} name
 * @returns {unknown}
 */
export function member(object, name) {
  return isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * The member of that name when it is a string, else "".
 * @param {unknown} object
 * @param {string} name
 */
export function textMember(object, name) {
  const value = member(object, name);
  return typeof value === "string" ? value : "";
}

/**
 * The member of that name when it is a finite number, else undefined.
 * @param {unknown} object
 * @param {string} name
 */
export function numberMember(object, name) {
  const value = member(object, name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/**
 * The member of that name when it is an array, else an empty one.
 * @param {unknown} object
 * @param {string} name
 * @returns {unknown[]}
 */
export function arrayMember(object, name) {
  const value = member(object, name);
  return Array.isArray(value) ? value : [];
}

/**
 * Sets an own member, also one named `__proto__`.
 * @param {object} object
 * @param {string} name
 * @param {unknown} value
 */
export function setMember(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * Appends a step to a JSON pointer (RFC 6901).
 * @param {string} pointer
 * @param {string | number} step
 */
export function pointerTo(pointer, step) {
  return `${pointer}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/**
 * The steps of a JSON pointer.
 * @param {string} pointer
 */
export function pointerSteps(pointer) {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * Equality of JSON values; the order of members does not matter.
 * @param {unknown} a
 * @param {unknown} b
 * @returns {boolean}
 */
export function jsonEqual(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && jsonEqual(Reflect.get(a, name), Reflect.get(b, name)))
  );
}
