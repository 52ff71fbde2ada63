// What every interface of the web platform shares: Web IDL's conversions and the look of its classes.
import { host } from "alknet:web";

/** Marks prototypes of platform objects; structuredClone reads how (or that they cannot) be cloned from it. */
export const platformObject = host.platformObject;

const inspectSymbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * Gives a class the form of a Web IDL interface: enumerable members, a string tag, the platform mark.
 *
 * `show` names the attributes that console prints; `clone` makes a copy for structuredClone, `null` refuses.
 */
export function expose(Class, { show = null, clone = null, tag = Class.name } = {}) {
  for (const owner of [Class, Class.prototype]) {
    for (const key of Object.getOwnPropertyNames(owner)) {
      if (["constructor", "prototype", "name", "length"].includes(key) || key.startsWith("_")) continue;
      Object.defineProperty(owner, key, { enumerable: true });
    }
  }
  const hidden = (key, value) => Object.defineProperty(Class.prototype, key, { value, configurable: true });
  hidden(Symbol.toStringTag, tag);
  hidden(platformObject, { clone });
  if (show) {
    hidden(inspectSymbol, function (depth, options, inspect) {
      const name = this.constructor?.name ?? tag;
      if (depth < 0) return `[${name}]`;
      const shown = {};
      for (const key of show) shown[key] = this[key];
      return `${name} ${inspect(shown, options)}`;
    });
  }
  keep(Class);
  return Class;
}

/** Our scripts go on seeing the class as it is now, whatever other scripts make of it. */
export function keep(Class) {
  host.keep(Class);
  host.keep(Class.prototype);
}

/** A member that console uses to print an object of the class: `describe(object, depth, options, inspect)`. */
export function printAs(Class, describe) {
  Object.defineProperty(Class.prototype, inspectSymbol, {
    value(depth, options, inspect) {
      return describe(this, depth, options, inspect);
    },
    configurable: true,
  });
}

/** Constants are the same on the interface and on its prototype. */
export function defineConstants(Class, constants) {
  for (const [key, value] of Object.entries(constants)) {
    Object.defineProperty(Class, key, { value, enumerable: true });
    Object.defineProperty(Class.prototype, key, { value, enumerable: true });
  }
}

export function isObject(value) {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

export function requireArguments(given, needed, what) {
  if (given < needed) {
    throw new TypeError(`${what}: ${needed} argument${needed > 1 ? "s" : ""} required, but only ${given} present`);
  }
}

/** A dictionary argument: undefined and null are empty, other primitives are refused. */
export function dictionary(value, what) {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new TypeError(`${what} is not an object`);
  return value;
}

export function toUSVString(value) {
  return `${value}`.toWellFormed();
}

const kByteString = /^[\0-\xff]*$/;

export function toByteString(value, what) {
  const text = `${value}`;
  if (!kByteString.test(text)) throw new TypeError(`${what} has a character above U+00FF`);
  return text;
}

/** `unsigned long long` and its kin without [EnforceRange]: modulo 2^bits. */
export function toUnsigned(value, bits = 32) {
  const number = Math.trunc(Number(value));
  if (!Number.isFinite(number)) return 0;
  if (bits <= 32) return (number >>> 0) & ((bits === 32 ? -1 : (1 << bits) - 1) >>> 0);
  return Number(BigInt.asUintN(bits, BigInt(number)));
}

/** `long long`: modulo 2^64, signed. */
export function toLongLong(value) {
  const number = Math.trunc(Number(value));
  return Number.isFinite(number) ? Number(BigInt.asIntN(64, BigInt(number))) : 0;
}

/** `[Clamp] long long`. */
export function toClamped(value) {
  const number = Number(value);
  if (Number.isNaN(number)) return 0;
  const limited = Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  const floor = Math.floor(limited);
  const difference = limited - floor;
  if (difference === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return Math.round(limited) + 0;
}

const viewBuffer = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "buffer").get;
const bufferLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;

/** Whether `value` is an ArrayBuffer, whatever its prototype. */
export function isArrayBuffer(value) {
  try {
    bufferLength.call(value);
    return true;
  } catch {
    return false;
  }
}

export function isBufferSource(value) {
  return ArrayBuffer.isView(value) || (typeof value === "object" && value !== null && isArrayBuffer(value));
}

/** The bytes of a BufferSource as a Uint8Array over the same memory; none when that was taken away. */
export function bytesOf(value, what) {
  if (ArrayBuffer.isView(value)) {
    const buffer = value instanceof DataView ? value.buffer : viewBuffer.call(value);
    return buffer.detached ? new Uint8Array(0) : new Uint8Array(buffer, value.byteOffset, value.byteLength);
  }
  if (typeof value === "object" && value !== null && isArrayBuffer(value)) {
    return value.detached ? new Uint8Array(0) : new Uint8Array(value);
  }
  throw new TypeError(`${what} is not an ArrayBuffer or a view of one`);
}

/** One Uint8Array of several. */
export function concatenate(chunks) {
  if (chunks.length === 1) return chunks[0];
  let size = 0;
  for (const chunk of chunks) size += chunk.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

const kIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

/**
 * Gives `Class` entries, keys, values, forEach and Symbol.iterator of a Web IDL iterable. `pairAt(object, index)` is
 * the pair at an index or undefined; it is asked anew at each step, so changes while iterating are seen.
 */
export function definePairIterable(Class, pairAt) {
  const picks = { entries: (pair) => [pair[0], pair[1]], keys: (pair) => pair[0], values: (pair) => pair[1] };
  const states = new WeakMap();
  const prototype = Object.create(kIteratorPrototype, {
    next: {
      value: function next() {
        const state = states.get(this);
        if (!state) throw new TypeError(`next called on an object that is no ${Class.name} Iterator`);
        const pair = state.object && pairAt(state.object, state.index++);
        if (pair) return { value: state.pick(pair), done: false };
        state.object = null;
        return { value: undefined, done: true };
      },
      writable: true,
      enumerable: true,
      configurable: true,
    },
    [Symbol.toStringTag]: { value: `${Class.name} Iterator`, configurable: true },
  });
  host.keep(prototype);
  for (const [name, pick] of Object.entries(picks)) {
    const method = {
      [name]() {
        pairAt(this, 0); // refuses other objects now, not at the first step
        const iterator = Object.create(prototype);
        states.set(iterator, { object: this, index: 0, pick });
        return iterator;
      },
    }[name];
    Object.defineProperty(Class.prototype, name, {
      value: method,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  Object.defineProperty(Class.prototype, Symbol.iterator, {
    value: Class.prototype.entries,
    writable: true,
    configurable: true,
  });
  const { forEach } = {
    forEach(callback, thisArgument) {
      pairAt(this, 0);
      if (typeof callback !== "function") throw new TypeError("forEach: the callback is not a function");
      for (let i = 0, pair; (pair = pairAt(this, i)); i++) callback.call(thisArgument, pair[1], pair[0], this);
    },
  };
  Object.defineProperty(Class.prototype, "forEach", {
    value: forEach,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** An event handler attribute (`onabort`): a listener that is set and replaced in place. */
export function defineEventHandler(prototype, type) {
  const handlers = new WeakMap();
  Object.defineProperty(prototype, `on${type}`, {
    get() {
      return handlers.get(this)?.callback ?? null;
    },
    set(callback) {
      const existing = handlers.get(this);
      if (!isObject(callback)) {
        handlers.delete(this);
        if (existing) this.removeEventListener(type, existing.listener);
      } else if (existing) {
        existing.callback = callback;
      } else {
        const handler = {
          callback,
          listener(event) {
            if (typeof handler.callback === "function") handler.callback.call(this, event);
          },
        };
        handlers.set(this, handler);
        this.addEventListener(type, handler.listener);
      }
    },
    enumerable: true,
    configurable: true,
  });
}
