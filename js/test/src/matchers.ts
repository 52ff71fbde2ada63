import { equals, firstFarPlace, type Tolerance } from "./equality.ts";
import { format } from "./format.ts";
import { callsOf } from "./mock.ts";
import { isClose } from "./patterns.ts";

/** What a matcher found: whether it holds, and what it says after "expected VALUE to ". */
export interface Verdict {
  readonly pass: boolean;
  readonly claim: string;
  /** More to say when it does not hold. */
  readonly detail?: string | undefined;
  /** What was compared with, for reports. */
  readonly expected?: unknown;
}

function compare(pass: boolean, claim: string, expected: unknown): Verdict {
  return { pass, claim: `${claim} ${format(expected)}`, expected };
}

function order(name: string, actual: unknown, expected: number | bigint, holds: (a: number | bigint) => boolean) {
  if (typeof actual !== "number" && typeof actual !== "bigint") throw new TypeError(`${format(actual)} is no number`);
  return compare(holds(actual), name, expected);
}

function has(container: unknown, item: unknown, same: (a: unknown, b: unknown) => boolean): boolean {
  if (typeof container === "string") return container.includes(String(item));
  if (container === null || typeof container !== "object" || !(Symbol.iterator in container)) {
    throw new TypeError(`${format(container)} holds no items`);
  }
  return [...(container as Iterable<unknown>)].some((other) => same(other, item));
}

/** The value at a path such as "a.b[0]" or ["a", "b", 0]. */
function at(value: unknown, path: string | readonly PropertyKey[]): { found: boolean; value?: unknown } {
  const keys = typeof path === "string" ? path.replaceAll(/\[(\d+)\]/g, ".$1").split(".") : path;
  let here = value;
  for (const key of keys) {
    if (here === null || here === undefined || !(key in Object(here))) return { found: false };
    here = (Object(here) as Record<PropertyKey, unknown>)[key];
  }
  return { found: true, value: here };
}

/** What `toThrow` accepts: a part of the message, a pattern of it, a class, or an error with the same message. */
export type ErrorLike = string | RegExp | Error | (abstract new (...values: never[]) => Error);

function isSuchError(error: unknown, wanted: ErrorLike | undefined): boolean {
  const message = error instanceof Error ? error.message : String(error);
  if (wanted === undefined) return true;
  if (typeof wanted === "string") return message.includes(wanted);
  if (wanted instanceof RegExp) return wanted.test(message);
  if (wanted instanceof Error) return message === wanted.message;
  return error instanceof wanted;
}

function thrown(body: unknown): { threw: boolean; error?: unknown } {
  if (typeof body !== "function") throw new TypeError("toThrow wants a function: expect(() => …).toThrow()");
  try {
    body();
  } catch (error) {
    return { threw: true, error };
  }
  return { threw: false };
}

/** Judges what was thrown, or what a promise was rejected with. */
export function judgeError(outcome: { threw: boolean; error?: unknown }, wanted?: ErrorLike): Verdict {
  const what = wanted === undefined ? "" : ` ${typeof wanted === "function" ? wanted.name : format(wanted)}`;
  const detail = outcome.threw ? `it threw ${format(outcome.error)}` : "it threw nothing";
  return { pass: outcome.threw && isSuchError(outcome.error, wanted), claim: `throw${what}`, detail };
}

/** Every matcher: the actual value, then what the test passes. */
export const matchers = {
  toBe: (actual: unknown, expected: unknown): Verdict => ({
    ...compare(Object.is(actual, expected), "be", expected),
    detail: !Object.is(actual, expected) && equals(actual, expected) ? "they are equal: use toEqual" : undefined,
  }),
  toEqual: (actual: unknown, expected: unknown): Verdict => compare(equals(actual, expected), "equal", expected),
  toStrictEqual: (actual: unknown, expected: unknown): Verdict =>
    compare(equals(actual, expected, { strict: true }), "strictly equal", expected),
  toMatchObject: (actual: unknown, expected: object): Verdict =>
    compare(equals(actual, expected, { subset: true }), "match", expected),
  toBeTruthy: (actual: unknown): Verdict => ({ pass: Boolean(actual), claim: "be truthy" }),
  toBeFalsy: (actual: unknown): Verdict => ({ pass: !actual, claim: "be falsy" }),
  toBeNull: (actual: unknown): Verdict => ({ pass: actual === null, claim: "be null" }),
  toBeUndefined: (actual: unknown): Verdict => ({ pass: actual === undefined, claim: "be undefined" }),
  toBeDefined: (actual: unknown): Verdict => ({ pass: actual !== undefined, claim: "be defined" }),
  toBeNaN: (actual: unknown): Verdict => ({ pass: Number.isNaN(actual), claim: "be NaN" }),
  toBeGreaterThan: (actual: unknown, expected: number | bigint): Verdict =>
    order("be greater than", actual, expected, (value) => value > expected),
  toBeGreaterThanOrEqual: (actual: unknown, expected: number | bigint): Verdict =>
    order("be at least", actual, expected, (value) => value >= expected),
  toBeLessThan: (actual: unknown, expected: number | bigint): Verdict =>
    order("be less than", actual, expected, (value) => value < expected),
  toBeLessThanOrEqual: (actual: unknown, expected: number | bigint): Verdict =>
    order("be at most", actual, expected, (value) => value <= expected),
  toBeCloseTo: (actual: unknown, expected: number, digits = 2): Verdict =>
    compare(typeof actual === "number" && isClose(actual, expected, digits), "be close to", expected),
  toBeAllClose: (actual: unknown, expected: unknown, tolerance: Tolerance = {}): Verdict => {
    const place = firstFarPlace(actual, expected, tolerance);
    return { ...compare(place === undefined, "be all close to", expected), detail: place };
  },
  toBeInstanceOf: (actual: unknown, type: abstract new (...values: never[]) => unknown): Verdict => ({
    pass: actual instanceof type,
    claim: `be an instance of ${type.name}`,
  }),
  toContain: (actual: unknown, item: unknown): Verdict => compare(has(actual, item, Object.is), "contain", item),
  toContainEqual: (actual: unknown, item: unknown): Verdict =>
    compare(has(actual, item, equals), "contain an equal of", item),
  toHaveLength: (actual: unknown, length: number): Verdict => {
    const found = (actual as { length?: unknown } | null | undefined)?.length;
    return { ...compare(found === length, "have the length", length), detail: `it has ${format(found)}` };
  },
  toHaveProperty: (actual: unknown, path: string | readonly PropertyKey[], ...value: [unknown?]): Verdict => {
    const place = at(actual, path);
    const claim = `have the property ${format(path)}`;
    if (value.length === 0) return { pass: place.found, claim };
    return compare(place.found && equals(place.value, value[0]), `${claim} equal to`, value[0]);
  },
  toMatch: (actual: unknown, text: RegExp | string): Verdict => {
    if (typeof actual !== "string") throw new TypeError(`${format(actual)} is no string`);
    const pass = typeof text === "string" ? actual.includes(text) : new RegExp(text).test(actual);
    return compare(pass, "match", text);
  },
  toThrow: (actual: unknown, wanted?: ErrorLike): Verdict => judgeError(thrown(actual), wanted),
  toHaveBeenCalled: (actual: unknown): Verdict => ({ pass: callsOf(actual).length > 0, claim: "have been called" }),
  toHaveBeenCalledTimes: (actual: unknown, times: number): Verdict => ({
    ...compare(callsOf(actual).length === times, "have been called", times),
    detail: `there were ${callsOf(actual).length} calls`,
  }),
  toHaveBeenCalledWith: (actual: unknown, ...values: unknown[]): Verdict => ({
    ...compare(
      callsOf(actual).some((call) => equals(call, values)),
      "have been called with",
      values,
    ),
    detail: `the calls were ${format(callsOf(actual))}`,
  }),
};
