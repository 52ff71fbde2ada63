// Headers (Fetch Standard, section 5.1).
import { load } from "alknet:web";

const { definePairIterable, expose, isObject, printAs, requireArguments, toByteString } = load("webidl");

const kToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const kBadValue = /[\0\r\n]/;

/** Makes headers that script cannot change ("immutable"). */
export let freeze;

function normalName(name) {
  const text = toByteString(name, "Headers: the name");
  if (!kToken.test(text)) throw new TypeError(`Headers: '${text}' is no header name`);
  return text.toLowerCase();
}

function normalValue(value, name) {
  const text = toByteString(value, `Headers: the value of '${name}'`).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (kBadValue.test(text)) throw new TypeError(`Headers: the value of '${name}' has a line end or a NUL`);
  return text;
}

function pairsOf(init) {
  if (!isObject(init)) throw new TypeError("Headers: the initial value is neither an object nor iterable");
  const method = init[Symbol.iterator];
  if (method !== undefined && method !== null) {
    if (typeof method !== "function") throw new TypeError("Headers: the initial value is not iterable");
    return Array.from({ [Symbol.iterator]: () => method.call(init) }, (item) => {
      const pair = isObject(item) && typeof item[Symbol.iterator] === "function" ? [...item] : null;
      if (pair?.length !== 2) throw new TypeError("Headers: each item must be a [name, value] pair");
      return pair;
    });
  }
  const pairs = [];
  for (const key of Reflect.ownKeys(init)) {
    if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
    if (typeof key === "symbol") throw new TypeError("Headers: a symbol is no header name");
    pairs.push([key, init[key]]);
  }
  return pairs;
}

export class Headers {
  #map = new Map(); // name in lower case -> values in order
  #sorted = null; // the pairs of iteration, while nothing changes
  #immutable = false;

  static {
    freeze = (headers) => {
      headers.#immutable = true;
      return headers;
    };
  }

  constructor(init = undefined) {
    if (init !== undefined) for (const [name, value] of pairsOf(init)) this.append(name, value);
  }

  #change() {
    if (this.#immutable) throw new TypeError("Headers: these are immutable");
    this.#sorted = null;
  }

  append(name, value) {
    requireArguments(arguments.length, 2, "Headers.append");
    const key = normalName(name);
    const text = normalValue(value, key);
    this.#change();
    const values = this.#map.get(key);
    if (values) values.push(text);
    else this.#map.set(key, [text]);
  }
  delete(name) {
    requireArguments(arguments.length, 1, "Headers.delete");
    const key = normalName(name);
    this.#change();
    this.#map.delete(key);
  }
  get(name) {
    requireArguments(arguments.length, 1, "Headers.get");
    return this.#map.get(normalName(name))?.join(", ") ?? null;
  }
  getSetCookie() {
    return [...(this.#map.get("set-cookie") ?? [])];
  }
  has(name) {
    requireArguments(arguments.length, 1, "Headers.has");
    return this.#map.has(normalName(name));
  }
  set(name, value) {
    requireArguments(arguments.length, 2, "Headers.set");
    const key = normalName(name);
    const text = normalValue(value, key);
    this.#change();
    this.#map.set(key, [text]);
  }

  #pairs() {
    this.#sorted ??= [...this.#map.keys()].sort().flatMap((name) => {
      const values = this.#map.get(name);
      return name === "set-cookie" ? values.map((value) => [name, value]) : [[name, values.join(", ")]];
    });
    return this.#sorted;
  }

  static {
    definePairIterable(this, (headers, index) => headers.#pairs()[index]);
  }
}
expose(Headers);
printAs(Headers, (headers, depth, options, inspect) => `Headers ${inspect(Object.fromEntries(headers), options)}`);
