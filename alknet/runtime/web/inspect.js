// Text of any value for people, laid out as Node's util.inspect lays it out.
import { host } from "alknet:web";

import { kKinds, prefix } from "./inspect_kinds.js";
import { group, reduceToLines } from "./inspect_layout.js";
import { formatPrimitive, kControls, kShort, quote } from "./inspect_text.js";

export const inspectSymbol = Symbol.for("nodejs.util.inspect.custom");

export const kDefaults = Object.freeze({
  depth: 2,
  showHidden: false,
  maxArrayLength: 100,
  maxStringLength: 10000,
  breakLength: 80,
  compact: 3,
  sorted: false,
  getters: false,
  customInspect: true,
});

const kIdentifier = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

function formatKey(key, descriptor) {
  const text =
    typeof key === "symbol"
      ? `[${String(key).replace(kControls, (c) => kShort[c] ?? c)}]`
      : kIdentifier.test(key)
        ? key
        : quote(key);
  return descriptor.enumerable === false && typeof key === "string" ? `[${key}]` : text;
}

export function indented(context, format) {
  context.indentation += 2;
  const result = format();
  context.indentation -= 2;
  return result;
}

/** "key: value" of an own property; of an array's extra properties likewise. */
function formatProperty(context, object, key) {
  const descriptor = Object.getOwnPropertyDescriptor(object, key) ?? { value: object[key], enumerable: true };
  let text;
  if ("value" in descriptor) {
    text = indented(context, () => formatValue(context, descriptor.value));
  } else {
    text = descriptor.get
      ? descriptor.set
        ? "[Getter/Setter]"
        : "[Getter]"
      : descriptor.set
        ? "[Setter]"
        : "undefined";
  }
  return `${formatKey(key, descriptor)}: ${text}`;
}

function ownKeys(context, object, skipIndices) {
  let names;
  try {
    names = context.showHidden ? Object.getOwnPropertyNames(object) : Object.keys(object);
  } catch {
    return []; // a module whose bindings are not there yet
  }
  if (skipIndices) names = names.filter((key) => !/^(0|[1-9][0-9]*)$/.test(key));
  const symbols = Object.getOwnPropertySymbols(object);
  const shown = symbols.filter((key) => context.showHidden || Object.prototype.propertyIsEnumerable.call(object, key));
  return shown.length ? names.concat(shown) : names;
}

/** The name of the class of `object`, or null when no prototype of it has a constructor. */
export function constructorName(object) {
  let level = 0;
  for (let at = object; at; at = Object.getPrototypeOf(at), level++) {
    const descriptor = Object.getOwnPropertyDescriptor(at, "constructor");
    const constructor = descriptor?.value;
    if (
      typeof constructor === "function" &&
      typeof constructor.name === "string" &&
      constructor.name !== "" &&
      object instanceof constructor
    ) {
      return constructor.name;
    }
  }
  return null;
}

function stringTag(object, name) {
  // One that is the object's own is shown among its properties.
  if (Object.prototype.propertyIsEnumerable.call(object, Symbol.toStringTag)) return "";
  let tag;
  try {
    tag = object[Symbol.toStringTag];
  } catch {
    return "";
  }
  return typeof tag === "string" && tag !== "" && tag !== name ? tag : "";
}

function plainObject(context, value, name, tag) {
  if (tag && name === "Object") return { open: `Object [${tag}] {` };
  if (name === "Object") return { open: "{" };
  return { open: `${prefix(name, tag, "Object")}{` };
}

/** [Foo], when nothing deeper is shown. */
function closed(kind, name, tag) {
  if (kind === "Array" && name === "Array") return "[Array]";
  const label = prefix(name, tag, kind === "Object" ? "Object" : kind).trimEnd();
  return `[${label}]`;
}

function custom(context, value) {
  const method = value[inspectSymbol];
  if (typeof method !== "function" || method === inspect) return undefined;
  if (value.constructor?.prototype === value) return undefined; // a prototype is no object of its class
  const depth = context.depth === null ? null : context.depth - context.level;
  const { seen, level, indentation, circular, ...options } = context;
  const result = method.call(value, depth, { ...options, depth }, inspect);
  if (result === value) return undefined;
  if (typeof result !== "object" && typeof result !== "undefined")
    return `${result}`.replaceAll("\n", `\n${" ".repeat(indentation)}`);
  return formatValue(context, result);
}

export function formatValue(context, value) {
  if ((typeof value !== "object" && typeof value !== "function") || value === null)
    return formatPrimitive(value, context);
  let target = value;
  while (host.kindOf(target) === "Proxy") {
    target = host.proxyTarget(target);
    if (target === null) return "<Revoked Proxy>";
  }
  if (context.customInspect && target === value) {
    const text = custom(context, value);
    if (text !== undefined) return text;
  }
  const position = context.seen.indexOf(target);
  if (position >= 0) {
    context.circular ??= new Map();
    if (!context.circular.has(target)) context.circular.set(target, context.circular.size + 1);
    return `[Circular *${context.circular.get(target)}]`;
  }
  return formatObject(context, target);
}

function formatObject(context, value) {
  const kind = host.kindOf(value);
  const name = constructorName(value);
  const tag = stringTag(value, name);
  const keys = ownKeys(context, value, ["Array", "TypedArray", "String"].includes(kind));
  const describe = Object.hasOwn(kKinds, kind) ? kKinds[kind] : plainObject;
  const shape = { base: "", open: "{", close: "}", keys, ...describe(context, value, name, tag, keys) };
  if (shape.base !== "" && shape.keys.length === 0) return shape.base;
  const nothing = shape.base === "" && shape.keys.length === 0 && (!shape.items || shape.count === 0);
  if (nothing) return `${shape.open}${shape.close}`;
  if (tooDeep(context)) return kind === "Error" ? shape.base : closed(kind, name, tag);
  return enclose(context, value, shape);
}

const tooDeep = (context) => context.depth !== null && context.level > context.depth;

/** The braces, the items and the properties of an object whose turn it is. */
function enclose(context, value, { open, close, base, items, array, keys }) {
  const level = context.level++;
  context.currentDepth = level; // of the object shown last: how deep its holders are
  context.seen.push(value);
  let output;
  try {
    output = items ? items() : [];
    for (const key of keys) output.push(formatProperty(context, value, key));
  } finally {
    context.seen.pop();
    context.level--;
  }
  if (context.sorted && !array) output.sort();
  const number = context.circular?.get(value);
  let head = open;
  let start = base;
  if (number !== undefined) {
    if (base === "") head = `<ref *${number}> ${open}`;
    else start = `<ref *${number}> ${base}`;
  }
  const arranged = array && output.length > 6 ? group(context, output, value) : output;
  return reduceToLines(context, arranged, { base: start, open: head, close, level, grouped: arranged !== output });
}

/** The text of `value`; `options` as kDefaults. */
export function inspect(value, options) {
  const context = { ...kDefaults, ...options, seen: [], level: 0, indentation: 0, currentDepth: 0 };
  if (context.depth === Infinity || context.depth === null) context.depth = 500; // the stack ends before memory does
  if (context.maxArrayLength === null) context.maxArrayLength = Infinity;
  if (context.maxStringLength === null) context.maxStringLength = Infinity;
  try {
    return formatValue(context, value);
  } catch (error) {
    if (error instanceof RangeError && /stack/i.test(error.message)) return "[Object: too deep to show]";
    throw error;
  }
}
inspect.custom = inspectSymbol;
