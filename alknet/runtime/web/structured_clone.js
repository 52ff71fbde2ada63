// structuredClone (HTML Standard, section 2.7). A work list instead of recursion: depth costs memory, not stack.
import { host, load } from "alknet:web";

const { dictionary, isArrayBuffer, platformObject, requireArguments } = load("webidl");

const kErrors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

const refuse = (what) => new DOMException(`${what} could not be cloned.`, "DataCloneError");

function describe(value) {
  if (typeof value === "symbol") return String(value);
  if (typeof value === "function") return Function.prototype.toString.call(value).slice(0, 60);
  return `#<${host.kindOf(value)}>`;
}

/** What stands for something over a transferred buffer until the transfer is done. */
class Later {
  constructor(make) {
    this.make = make;
    this.made = undefined;
  }
  get() {
    this.made ??= this.make();
    return this.made;
  }
}
const settled = (value) => (value instanceof Later ? value.get() : value);

function cloneBuffer(buffer) {
  if (buffer.detached) throw new DOMException("An ArrayBuffer is detached and could not be cloned.", "DataCloneError");
  if (!buffer.resizable) return ArrayBuffer.prototype.slice.call(buffer, 0);
  const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}

const kTypedArrayTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
const kLengthOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length").get;
const kTypedArrays = Object.fromEntries(
  ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"]
    .concat(["Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"])
    .filter((name) => name in globalThis)
    .map((name) => [name, globalThis[name]]),
);

function cloneView(cloner, view) {
  const buffer = cloner.shell(view.buffer);
  const Type = host.kindOf(view) === "DataView" ? DataView : kTypedArrays[kTypedArrayTag.call(view)];
  const { byteOffset } = view;
  // A view that follows the length of a resizable buffer goes on doing so.
  const length = Type === DataView ? view.byteLength : kLengthOf.call(view);
  const make = () => new Type(settled(buffer), byteOffset, length);
  return buffer instanceof Later ? new Later(make) : make();
}

function cloneError(cloner, error) {
  const name = `${error.name}`;
  const Type = Object.hasOwn(kErrors, name) ? kErrors[name] : Error;
  const message = Object.getOwnPropertyDescriptor(error, "message");
  const made = new Type();
  const hidden = (key, value) => Object.defineProperty(made, key, { value, writable: true, configurable: true });
  if (message && "value" in message) hidden("message", `${message.value}`);
  if (typeof error.stack === "string") hidden("stack", error.stack);
  const cause = Object.getOwnPropertyDescriptor(error, "cause");
  if (cause && "value" in cause) cloner.todo.push({ source: cause, target: made, keys: ["value"], at: 0, as: "cause" });
  return made;
}

/** How each of the engine's classes is cloned; those that are missing cannot be. */
const kCloners = {
  Boolean: (_, value) => Object(Boolean.prototype.valueOf.call(value)),
  Number: (_, value) => Object(Number.prototype.valueOf.call(value)),
  String: (_, value) => Object(String.prototype.valueOf.call(value)),
  BigInt: (_, value) => Object(BigInt.prototype.valueOf.call(value)),
  Date: (_, value) => new Date(Date.prototype.getTime.call(value)),
  RegExp: (_, value) => new RegExp(value.source, value.flags),
  ArrayBuffer: (_, value) => cloneBuffer(value),
  TypedArray: cloneView,
  DataView: cloneView,
  Error: cloneError,
  Map(cloner, value) {
    const clone = new Map();
    const flat = [];
    for (const [key, item] of Map.prototype.entries.call(value)) flat.push(key, item);
    cloner.fill(clone, flat, (entries) => {
      for (let i = 0; i < entries.length; i += 2) clone.set(settled(entries[i]), settled(entries[i + 1]));
    });
    return clone;
  },
  Set(cloner, value) {
    const clone = new Set();
    cloner.fill(clone, [...Set.prototype.values.call(value)], (items) => {
      for (const item of items) clone.add(settled(item));
    });
    return clone;
  },
  Array(cloner, value) {
    const clone = new Array(value.length);
    cloner.todo.push({ source: value, target: clone, keys: Object.keys(value), at: 0 });
    return clone;
  },
  Object(cloner, value) {
    const mark = value[platformObject];
    if (mark) {
      if (!mark.clone) throw refuse(describe(value));
      return mark.clone(value);
    }
    // Without a prototype until it is full: assignment then never meets a setter.
    const clone = Object.create(null);
    cloner.todo.push({ source: value, target: clone, keys: Object.keys(value), at: 0, plain: true });
    return clone;
  },
  DOMException: (_, value) => new DOMException(value.message, value.name),
};
kCloners.Arguments = kCloners.Object;

class Cloner {
  todo = []; // objects whose properties are being cloned, the innermost last
  fills = []; // maps and sets get their entries when all buffers are there
  later = []; // [target, key, Later]
  #seen = new Map();

  constructor(transfers) {
    for (const [buffer, later] of transfers) this.#seen.set(buffer, later);
  }

  /** The clone of `value`, its insides still to come. */
  shell(value) {
    if (typeof value === "symbol" || typeof value === "function") throw refuse(describe(value));
    if (typeof value !== "object" || value === null) return value;
    const known = this.#seen.get(value);
    if (known !== undefined) return known;
    const kind = host.kindOf(value);
    if (!Object.hasOwn(kCloners, kind)) throw refuse(describe(value));
    const clone = kCloners[kind](this, value);
    this.#seen.set(value, clone);
    return clone;
  }

  fill(target, items, finish) {
    const cloned = new Array(items.length);
    this.todo.push({ source: items, target: cloned, keys: items.keys().toArray?.() ?? [...items.keys()], at: 0 });
    this.fills.push(() => finish(cloned));
  }

  run() {
    while (this.todo.length > 0) {
      const frame = this.todo.at(-1);
      if (frame.at === frame.keys.length) {
        this.todo.pop();
        if (frame.plain) Object.setPrototypeOf(frame.target, Object.prototype);
        continue;
      }
      const key = frame.keys[frame.at++];
      if (!Object.hasOwn(frame.source, key)) continue; // a getter removed it
      const clone = this.shell(frame.source[key]);
      const name = frame.as ?? key;
      if (frame.plain) frame.target[name] = clone;
      else Object.defineProperty(frame.target, name, { value: clone, writable: true, enumerable: !frame.as, configurable: true });
      if (clone instanceof Later) this.later.push([frame.target, name]);
    }
  }

  finish() {
    for (const [target, key] of this.later) target[key] = settled(target[key]);
    for (const fill of this.fills) fill();
  }
}

function transfersOf(options) {
  const list = options.transfer === undefined ? [] : [...options.transfer];
  const transfers = new Map();
  for (const buffer of list) {
    if (typeof buffer !== "object" || buffer === null || !isArrayBuffer(buffer)) {
      throw new DOMException("Value not transferable: only an ArrayBuffer is", "DataCloneError");
    }
    if (transfers.has(buffer)) throw new DOMException("An ArrayBuffer occurs twice in the transfer list", "DataCloneError");
    if (buffer.detached) throw new DOMException("An ArrayBuffer is detached and could not be transferred", "DataCloneError");
    transfers.set(buffer, new Later(() => ArrayBuffer.prototype.transfer.call(buffer)));
  }
  return transfers;
}

export function structuredClone(value, options = undefined) {
  requireArguments(arguments.length, 1, "structuredClone");
  const transfers = transfersOf(dictionary(options, "structuredClone options"));
  const cloner = new Cloner(transfers);
  const root = cloner.shell(value);
  cloner.run();
  // From here on nothing throws: only now are buffers taken away.
  for (const later of transfers.values()) later.get();
  cloner.finish();
  return settled(root);
}
