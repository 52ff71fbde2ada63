import { isTypedArray } from "./format.ts";

/** Something that stands for many values in a comparison. */
export interface Pattern {
  matches(value: unknown): boolean;
  describe(): string;
}

/** What two values must share beyond their content. */
export interface EqualityOptions {
  /** Classes agree, and a member that is undefined differs from one that is missing. */
  readonly strict?: boolean;
  /** Objects of the expected value may lack members that the actual one has. */
  readonly subset?: boolean;
}

/** Whether two values have the same content, to any depth; cycles included. */
export function equals(actual: unknown, expected: unknown, options: EqualityOptions = {}): boolean {
  return new Comparison(options).same(actual, expected);
}

class Comparison {
  readonly #options: EqualityOptions;
  readonly #open: [object, object][] = []; // pairs being compared, for cycles

  constructor(options: EqualityOptions) {
    this.#options = options;
  }

  same(actual: unknown, expected: unknown): boolean {
    if (isPattern(expected)) return expected.matches(actual);
    if (Object.is(actual, expected)) return true;
    if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) return false;
    if (this.#open.some(([left, right]) => left === actual && right === expected)) return true;
    this.#open.push([actual, expected]);
    try {
      return this.#sameObjects(actual, expected);
    } finally {
      this.#open.pop();
    }
  }

  #sameObjects(actual: object, expected: object): boolean {
    if (kindOf(actual) !== kindOf(expected)) return false;
    if (this.#options.strict && Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return false;
    if (actual instanceof Date && expected instanceof Date) return Object.is(actual.getTime(), expected.getTime());
    if (actual instanceof RegExp) return String(actual) === String(expected);
    if (actual instanceof Error && expected instanceof Error) {
      return actual.name === expected.name && actual.message === expected.message;
    }
    if (isTypedArray(actual) && isTypedArray(expected)) return this.#sameLists(actual, expected);
    if (Array.isArray(actual) && Array.isArray(expected)) return this.#sameLists(actual, expected);
    if (actual instanceof ArrayBuffer && expected instanceof ArrayBuffer) {
      return this.#sameLists(new Uint8Array(actual), new Uint8Array(expected));
    }
    if (actual instanceof Map && expected instanceof Map) return this.#sameMaps(actual, expected);
    if (actual instanceof Set && expected instanceof Set) return this.#sameSets(actual, expected);
    return this.#sameMembers(actual, expected);
  }

  #sameLists(actual: ArrayLike<unknown>, expected: ArrayLike<unknown>): boolean {
    if (actual.length !== expected.length) return false;
    for (let i = 0; i < actual.length; ++i) {
      if (!this.same(actual[i], expected[i])) return false;
    }
    return true;
  }

  #sameMaps(actual: Map<unknown, unknown>, expected: Map<unknown, unknown>): boolean {
    if (actual.size !== expected.size) return false;
    return [...expected].every(([key, value]) => {
      if (actual.has(key)) return this.same(actual.get(key), value);
      return [...actual].some((entry) => this.same(entry[0], key) && this.same(entry[1], value));
    });
  }

  #sameSets(actual: Set<unknown>, expected: Set<unknown>): boolean {
    if (actual.size !== expected.size) return false;
    return [...expected].every((item) => actual.has(item) || [...actual].some((other) => this.same(other, item)));
  }

  #sameMembers(actual: object, expected: object): boolean {
    const left = membersOf(actual, this.#options.strict ?? false);
    const right = membersOf(expected, this.#options.strict ?? false);
    if (!this.#options.subset && left.size !== right.size) return false;
    return [...right].every(([key, value]) => left.has(key) && this.same(left.get(key), value));
  }
}

function isPattern(value: unknown): value is Pattern {
  return typeof value === "object" && value !== null && "matches" in value && typeof value.matches === "function";
}

function kindOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function membersOf(value: object, strict: boolean): Map<PropertyKey, unknown> {
  const members = new Map<PropertyKey, unknown>();
  for (const key of Reflect.ownKeys(value)) {
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
    const item: unknown = Reflect.get(value, key);
    if (strict || item !== undefined) members.set(key, item);
  }
  return members;
}

/** How numbers may differ: |actual - expected| <= atol + rtol * |expected|. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/** Where two numbers or nested lists of numbers first differ by more than the tolerance; undefined: nowhere. */
export function firstFarPlace(actual: unknown, expected: unknown, tolerance: Tolerance): string | undefined {
  if (isList(actual) && isList(expected)) {
    if (actual.length !== expected.length) return `length ${actual.length} instead of ${expected.length}`;
    for (let i = 0; i < expected.length; ++i) {
      const place = firstFarPlace(actual[i], expected[i], tolerance);
      if (place !== undefined) return `[${i}]${place.startsWith("[") ? "" : " "}${place}`;
    }
    return undefined;
  }
  if (!isNumber(actual) || !isNumber(expected)) return `${typeof actual} instead of ${typeof expected}`;
  const [left, right] = [Number(actual), Number(expected)];
  const near = Math.abs(left - right) <= (tolerance.atol ?? 1e-8) + (tolerance.rtol ?? 1e-5) * Math.abs(right);
  return near || Object.is(left, right) || left === right ? undefined : `${left} instead of ${right}`;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || isTypedArray(value);
}
