// How console shows objects of each of the engine's classes: what encloses them and their items.
import { host } from "alknet:web";

import { formatValue, indented } from "./inspect.js";
import { describeError } from "./inspect_error.js";
import { formatPrimitive } from "./inspect_text.js";

/** What stands before the brace: "Foo ", "Map(2) ", "[Object: null prototype] ". */
export function prefix(name, tag, fallback, size = "") {
  const label = tag && tag !== name ? `[${tag}] ` : "";
  if (name === null) return `[${fallback}${size}: null prototype] ${label}`;
  return `${name}${size} ${label}`;
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
    const extended =
      typeof parent === "function" && parent !== Function.prototype
        ? ` extends ${parent.name || "[anonymous]"}`
        : parent === null
          ? " extends [null prototype]"
          : "";
    return `[class ${value.name || "(anonymous)"}${extended}]`;
  }
  const kind =
    name === null ? "Function (null prototype)" : host.kindOf(value).replace(/^(?!.*Function$).*/, "Function");
  const own = Object.getOwnPropertyDescriptor(value, "name")?.value;
  const label = typeof own === "string" && own !== "" ? `: ${own}` : " (anonymous)";
  const constructor = name !== null && name !== kind ? ` ${name}` : "";
  return `[${kind}${label}]${constructor}${tag && tag !== name && tag !== kind ? ` [${tag}]` : ""}`;
}

const quoteBoxed = (context, inner) => formatPrimitive(inner, { ...context, level: 0, maxStringLength: Infinity });

/**
 * How objects of one kind (the engine's own class, which no prototype can feign) are shown. Each gives
 * some of {open, close}: what encloses items and properties; `base`: what stands before, alone when there is nothing to
 * enclose; `items`: those beside the own properties, `count` of them; `array`: items may
 * stand in columns; `keys`: of own properties.
 */
export const kKinds = {
  Array: (context, value, name, tag) => ({
    open: `${name === "Array" && !tag ? "" : prefix(name, tag, "Array", `(${value.length})`)}[`,
    close: "]",
    items: () => arrayItems(context, value),
    count: value.length,
    array: true,
  }),
  TypedArray: (context, value, name, tag) => {
    const own = Object.getOwnPropertyDescriptor(
      Object.getPrototypeOf(Uint8Array.prototype),
      Symbol.toStringTag,
    ).get.call(value);
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
  ArrayBuffer: (context, value, name, tag) => ({
    open: `${prefix(name, tag === "ArrayBuffer" ? "" : tag, "ArrayBuffer")}{`,
    items: () => bufferItems(context, value),
  }),
  SharedArrayBuffer: (context, value, name, tag) => ({
    open: `${prefix(name, tag === "SharedArrayBuffer" ? "" : tag, "SharedArrayBuffer")}{`,
    items: () => bufferItems(context, value),
  }),
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
  WeakMap: (context, value, name, tag) => ({
    open: `${prefix(name, tag === "WeakMap" ? "" : tag, "WeakMap")}{`,
    items: () => ["<items unknown>"],
  }),
  WeakSet: (context, value, name, tag) => ({
    open: `${prefix(name, tag === "WeakSet" ? "" : tag, "WeakSet")}{`,
    items: () => ["<items unknown>"],
  }),
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
