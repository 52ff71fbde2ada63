// URLSearchParams and application/x-www-form-urlencoded (URL Standard, sections 5 and 6.2).
import { host, load } from "alknet:web";

const { definePairIterable, expose, isObject, printAs, requireArguments, toUSVString } = load("webidl");

/** Calls `changed(text)` when the list changes: the URL that it belongs to listens. */
export let follow;
/** Replaces the list by what `text` says without telling anybody. */
export let setText;

const utf8 = (bytes) => host.utf8Decode(bytes, false, true)[0];

function decode(text) {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  const source = host.utf8Encode(spaced);
  const bytes = new Uint8Array(source.length);
  const hex = (code) =>
    code >= 48 && code <= 57
      ? code - 48
      : code >= 65 && code <= 70
        ? code - 55
        : code >= 97 && code <= 102
          ? code - 87
          : -1;
  let size = 0;
  for (let i = 0; i < source.length; i++) {
    const high = source[i] === 0x25 && i + 2 < source.length ? hex(source[i + 1]) : -1;
    const low = high >= 0 ? hex(source[i + 2]) : -1;
    bytes[size++] = low >= 0 ? 16 * high + low : source[i];
    if (low >= 0) i += 2;
  }
  return utf8(bytes.subarray(0, size));
}

/** The pairs of a form-urlencoded text. */
export function parseForm(text) {
  const pairs = [];
  for (const part of text.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    pairs.push(at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))]);
  }
  return pairs;
}

const kPlain = /^[A-Za-z0-9*._-]*$/;

function encode(text) {
  if (kPlain.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()~]|%20/g, (found) =>
    found === "%20" ? "+" : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export const serializeForm = (pairs) => pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");

function pairsOf(init) {
  if (!isObject(init)) {
    const text = toUSVString(init);
    return parseForm(text.startsWith("?") ? text.slice(1) : text);
  }
  const method = init[Symbol.iterator];
  if (method === undefined || method === null) {
    const pairs = new Map();
    for (const key of Reflect.ownKeys(init)) {
      if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
      pairs.set(toUSVString(key), toUSVString(init[key]));
    }
    return [...pairs];
  }
  if (typeof method !== "function") throw new TypeError("URLSearchParams: the pairs are not iterable");
  return Array.from({ [Symbol.iterator]: () => method.call(init) }, (item) => {
    const pair = isObject(item) && typeof item[Symbol.iterator] === "function" ? [...item] : null;
    if (pair?.length !== 2) throw new TypeError("URLSearchParams: each pair must be an iterable [name, value] tuple");
    return [toUSVString(pair[0]), toUSVString(pair[1])];
  });
}

export class URLSearchParams {
  #list = [];
  #changed = null;

  static {
    follow = (params, changed) => (params.#changed = changed);
    setText = (params, text) => (params.#list = parseForm(text.startsWith("?") ? text.slice(1) : text));
  }

  constructor(init = "") {
    this.#list = init === null ? pairsOf("null") : pairsOf(init);
  }

  #update() {
    this.#changed?.(serializeForm(this.#list));
  }

  get size() {
    return this.#list.length;
  }
  append(name, value) {
    requireArguments(arguments.length, 2, "append");
    this.#list.push([toUSVString(name), toUSVString(value)]);
    this.#update();
  }
  delete(name, value = undefined) {
    requireArguments(arguments.length, 1, "delete");
    const key = toUSVString(name);
    const wanted = value === undefined ? undefined : toUSVString(value);
    this.#list = this.#list.filter((pair) => pair[0] !== key || (wanted !== undefined && pair[1] !== wanted));
    this.#update();
  }
  get(name) {
    requireArguments(arguments.length, 1, "get");
    const key = toUSVString(name);
    return this.#list.find((pair) => pair[0] === key)?.[1] ?? null;
  }
  getAll(name) {
    requireArguments(arguments.length, 1, "getAll");
    const key = toUSVString(name);
    return this.#list.filter((pair) => pair[0] === key).map((pair) => pair[1]);
  }
  has(name, value = undefined) {
    requireArguments(arguments.length, 1, "has");
    const key = toUSVString(name);
    const wanted = value === undefined ? undefined : toUSVString(value);
    return this.#list.some((pair) => pair[0] === key && (wanted === undefined || pair[1] === wanted));
  }
  set(name, value) {
    requireArguments(arguments.length, 2, "set");
    const key = toUSVString(name);
    const text = toUSVString(value);
    const first = this.#list.findIndex((pair) => pair[0] === key);
    if (first < 0) {
      this.#list.push([key, text]);
    } else {
      this.#list[first][1] = text;
      this.#list = this.#list.filter((pair, i) => i <= first || pair[0] !== key);
    }
    this.#update();
  }
  sort() {
    // Array's own order of strings is that of UTF-16 units, and stable, as the standard wants.
    this.#list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#update();
  }
  toString() {
    return serializeForm(this.#list);
  }

  static {
    definePairIterable(this, (params, index) => params.#list[index]);
  }
}
expose(URLSearchParams);
printAs(URLSearchParams, (params, depth, options, inspect) => {
  const pairs = [...params].map(([name, value]) => `${inspect(name, options)} => ${inspect(value, options)}`);
  return pairs.length ? `URLSearchParams { ${pairs.join(", ")} }` : "URLSearchParams {}";
});
