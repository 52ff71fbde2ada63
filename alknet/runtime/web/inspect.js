// Text of any value for people, laid out as Node's util.inspect lays it out.
import { host } from "alknet:web";

import { describeError } from "./inspect_error.js";
import { group, reduceToLines } from "./inspect_layout.js";

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

const kControl = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const kControls = new RegExp(kControl, "g");
const kShort = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\", "\v": "\\x0B" };

/** `text` in quotes: single ones unless it has some itself. */
export function quote(text) {
  let mark = "'";
  if (text.includes("'")) mark = !text.includes('"') ? '"' : !text.includes("`") && !text.includes("${") ? "`" : "'";
  const escape = (character) => {
    if (character === "'") return mark === "'" ? "\\'" : "'";
    const code = character.charCodeAt(0);
    return kShort[character] ?? (code > 255 ? `\\u${code.toString(16)}` : `\\x${code.toString(16).toUpperCase().padStart(2, "0")}`);
  };
  return mark + (kControl.test(text) ? text.replace(kControls, escape) : text) + mark;
}

export function formatPrimitive(value, context) {
  switch (typeof value) {
    case "string": {
      let text = value;
      let rest = "";
      if (text.length > context.maxStringLength) {
        const left = text.length - context.maxStringLength;
        text = text.slice(0, context.maxStringLength);
        rest = `... ${left} more character${left > 1 ? "s" : ""}`;
      }
      // A long text goes on lines of its own where it has line ends.
      const room = context.breakLength - context.indentation - 4;
      if (text.length > 16 && text.length > room && text.includes("\n")) {
        const lines = text.split(/(?<=\n)/).map(quote);
        return lines.join(` +\n${" ".repeat(context.indentation + 2)}`) + rest;
      }
      return quote(text) + rest;
    }
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    case "bigint":
      return `${value}n`;
    default:
      return String(value);
  }
}

const kIdentifier = /^[a-zA-Z_][a-zA-Z_0-9]*$/;

function formatKey(key, descriptor) {
  const text = typeof key === "symbol" ? `[${String(key).replace(kControls, (c) => kShort[c] ?? c)}]` : kIdentifier.test(key) ? key : quote(key);
  return descriptor.enumerable === false && typeof key === "string" ? `[${key}]` : text;
}

function indented(context, format) {
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
    text = descriptor.get ? (descriptor.set ? "[Getter/Setter]" : "[Getter]") : descriptor.set ? "[Setter]" : "undefined";
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
    if (typeof constructor === "function" && typeof constructor.name === "string" && constructor.name !== "" && object instanceof constructor) {
      return constructor.name;
    }
  }
  return null;
}

/** What stands before the brace: "Foo ", "Map(2) ", "[Object: null prototype] ". */
function prefix(name, tag, fallback, size = "") {
  const label = tag && tag !== name ? `[${tag}] ` : "";
  if (name === null) return `[${fallback}${size}: null prototype] ${label}`;
  return `${name}${size} ${label}`;
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

function more(count) {
  return `... ${count} more item${count > 1 ? "s" : ""}`;
}

function arrayItems(context, array) {
  const items = [];
  const limit = Math.max(0, Math.min(context.maxArrayLength, array.length));
  let index = 0;
  // Holes count as one line each run, like an element.
  while (index < array.length && items.length < limit) {
    if (Object.hasOwn(array, index)) {
      const descriptor = Object.getOwnPropertyDescriptor(array, index);
      if ("value" in descriptor) {
        items.push(indented(context, () => formatValue(context, descriptor.value)));
      } else {
        items.push(descriptor.get ? (descriptor.set ? "[Getter/Setter]" : "[Getter]") : "[Setter]");
      }
      index++;
    } else {
      const next = nextIndex(array, index);
      const holes = next - index;
      items.push(`<${holes} empty item${holes > 1 ? "s" : ""}>`);
      index = next;
    }
  }
  if (index < array.length) items.push(more(array.length - index));
  return items;
}

function nextIndex(array, from) {
  if (array.length - from <= 1000) {
    let at = from;
    while (at < array.length && !Object.hasOwn(array, at)) at++;
    return at;
  }
  // A sparse array may claim four milliards of elements: look at those that it has.
  const found = Object.keys(array).find((key) => /^(0|[1-9][0-9]*)$/.test(key) && Number(key) >= from);
  return found === undefined ? array.length : Number(found);
}

function typedItems(context, array) {
  const limit = Math.max(0, Math.min(context.maxArrayLength, array.length));
  const items = [];
  for (let i = 0; i < limit; i++) items.push(formatPrimitive(array[i], context));
  if (array.length > limit) items.push(more(array.length - limit));
  return items;
}

function collectionItems(context, size, entries, format) {
  const limit = Math.max(0, Math.min(context.maxArrayLength, size));
  const items = [];
  context.indentation += 2;
  for (const entry of entries) {
    if (items.length >= limit) break;
    items.push(format(entry));
  }
  context.indentation -= 2;
  if (size > limit) items.push(more(size - limit));
  return items;
}

function bufferItems(context, buffer) {
  if (buffer.detached) return ["(detached)", "byteLength: 0"];
  const limit = Math.min(Math.max(0, context.maxArrayLength), buffer.byteLength, 50);
  const bytes = [...new Uint8Array(buffer, 0, limit)].map((byte) => byte.toString(16).padStart(2, "0"));
  const left = buffer.byteLength - limit;
  if (left > 0) bytes.push(`... ${left} more byte${left > 1 ? "s" : ""}`);
  return [`[Uint8Contents]: <${bytes.join(" ")}>`, `byteLength: ${buffer.byteLength}`];
}

function functionBase(value, name, tag) {
  const source = Function.prototype.toString.call(value);
  if (/^class\b/.test(source) && /\}$/.test(source)) {
    const parent = Object.getPrototypeOf(value);
    const extended = typeof parent === "function" && parent !== Function.prototype ? ` extends ${parent.name || "[anonymous]"}` : parent === null ? " extends [null prototype]" : "";
    return `[class ${value.name || "(anonymous)"}${extended}]`;
  }
  const kind = name === null ? "Function (null prototype)" : host.kindOf(value).replace(/^(?!.*Function$).*/, "Function");
  const own = Object.getOwnPropertyDescriptor(value, "name")?.value;
  const label = typeof own === "string" && own !== "" ? `: ${own}` : " (anonymous)";
  const constructor = name !== null && name !== kind ? ` ${name}` : "";
  return `[${kind}${label}]${constructor}${tag && tag !== name && tag !== kind ? ` [${tag}]` : ""}`;
}

const quoteBoxed = (context, inner) => formatPrimitive(inner, { ...context, level: 0, maxStringLength: Infinity });

/**
 * How objects of one kind (the engine's own class, which no prototype can feign) are shown. Each gives
 * some of {open, close}: what encloses items and properties; `base`: what stands before, alone when there is nothing to
 * enclose; `items`: those beside the own properties, `count` of them; `array`: items may stand in columns; `keys`: of own properties.
 */
const kKinds = {
  Array: (context, value, name, tag) => ({
    open: `${name === "Array" && !tag ? "" : prefix(name, tag, "Array", `(${value.length})`)}[`,
    close: "]",
    items: () => arrayItems(context, value),
    count: value.length,
    array: true,
  }),
  TypedArray: (context, value, name, tag) => {
    const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get.call(value);
    return {
      open: `${prefix(name, tag === own ? "" : tag, own, `(${value.length})`)}[`,
      close: "]",
      items: () => typedItems(context, value),
      count: value.length,
      array: true,
    };
  },
  Map: (context, value, name, tag) => {
    const pair = ([key, item]) => `${formatValue(context, key)} => ${formatValue(context, item)}`;
    const entries = { [Symbol.iterator]: () => Map.prototype.entries.call(value) };
    const size = Object.getOwnPropertyDescriptor(Map.prototype, "size").get.call(value);
    return {
      open: `${prefix(name, tag === "Map" ? "" : tag, "Map", `(${size})`)}{`,
      items: () => collectionItems(context, size, entries, pair),
      count: size,
    };
  },
  Set: (context, value, name, tag) => {
    const entries = { [Symbol.iterator]: () => Set.prototype.values.call(value) };
    const size = Object.getOwnPropertyDescriptor(Set.prototype, "size").get.call(value);
    return {
      open: `${prefix(name, tag === "Set" ? "" : tag, "Set", `(${size})`)}{`,
      items: () => collectionItems(context, size, entries, (item) => formatValue(context, item)),
      count: size,
    };
  },
  ArrayBuffer: (context, value, name, tag) => ({ open: `${prefix(name, tag === "ArrayBuffer" ? "" : tag, "ArrayBuffer")}{`, items: () => bufferItems(context, value) }),
  SharedArrayBuffer: (context, value, name, tag) => ({ open: `${prefix(name, tag === "SharedArrayBuffer" ? "" : tag, "SharedArrayBuffer")}{`, items: () => bufferItems(context, value) }),
  DataView: (context, value, name, tag) => ({
    open: `${prefix(name, tag === "DataView" ? "" : tag, "DataView")}{`,
    items: () => {
      const buffer = indented(context, () => formatValue(context, value.buffer));
      return [`byteLength: ${value.byteLength}`, `byteOffset: ${value.byteOffset}`, `buffer: ${buffer}`];
    },
  }),
  Promise: (context, value, name, tag) => ({
    open: `${prefix(name, tag === "Promise" ? "" : tag, "Promise")}{`,
    items: () => {
      const [state, result] = host.promiseState(value);
      if (state === "pending") return ["<pending>"];
      const text = indented(context, () => formatValue(context, result));
      return [state === "rejected" ? `<rejected> ${text}` : text];
    },
  }),
  WeakMap: (context, value, name, tag) => ({ open: `${prefix(name, tag === "WeakMap" ? "" : tag, "WeakMap")}{`, items: () => ["<items unknown>"] }),
  WeakSet: (context, value, name, tag) => ({ open: `${prefix(name, tag === "WeakSet" ? "" : tag, "WeakSet")}{`, items: () => ["<items unknown>"] }),
  Date: (context, value, name, tag) => {
    const time = Date.prototype.getTime.call(value);
    const text = Number.isNaN(time) ? "Invalid Date" : Date.prototype.toISOString.call(value);
    const label = prefix(name, tag, "Date");
    return { base: label === "Date " ? text : `${label}${text}` };
  },
  RegExp: (context, value, name, tag) => {
    const label = prefix(name, tag, "RegExp");
    return { base: `${label === "RegExp " ? "" : label}${RegExp.prototype.toString.call(value)}` };
  },
  Error: (context, value, name, tag, keys) => {
    const { text, keys: shown } = describeError(context, value, name, keys);
    return { base: text, keys: shown };
  },
  Arguments: () => ({ open: "[Arguments] {" }),
  Number: (context, value) => ({ base: `[Number: ${quoteBoxed(context, Number.prototype.valueOf.call(value))}]` }),
  Boolean: (context, value) => ({ base: `[Boolean: ${Boolean.prototype.valueOf.call(value)}]` }),
  String: (context, value) => ({ base: `[String: ${quoteBoxed(context, String.prototype.valueOf.call(value))}]` }),
  Symbol: (context, value) => ({ base: `[Symbol: ${String(Symbol.prototype.valueOf.call(value))}]` }),
  BigInt: (context, value) => ({ base: `[BigInt: ${BigInt.prototype.valueOf.call(value)}n]` }),
  Module: () => ({ open: "[Module: null prototype] {" }),
};
for (const kind of ["Function", "AsyncFunction", "GeneratorFunction", "AsyncGeneratorFunction"]) {
  kKinds[kind] = (context, value, name, tag) => ({ base: functionBase(value, name, tag) });
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
  if (typeof result !== "object" && typeof result !== "undefined") return `${result}`.replaceAll("\n", `\n${" ".repeat(indentation)}`);
  return formatValue(context, result);
}

export function formatValue(context, value) {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return formatPrimitive(value, context);
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
