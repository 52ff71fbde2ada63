import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, expect, fn } from "./index.ts";

const shared = { a: 1 };
const cyclic: { me?: unknown } = {};
cyclic.me = cyclic;

/** Claims that hold; the negated form of each must fail with AssertionError. */
const holding: [string, (not: boolean) => void][] = [
  ["toBe", (not) => pick(shared, not).toBe(shared)],
  ["toBe tells zeros apart", (not) => pick(-0, !not).toBe(0)],
  ["toEqual", (not) => pick({ a: [1, new Map([["k", new Set([1])]])] }, not).toEqual({ a: [1, new Map([["k", new Set([1])]])] })],
  ["toEqual ignores undefined members", (not) => pick({ a: 1, b: undefined }, not).toEqual({ a: 1 })],
  ["toStrictEqual does not", (not) => pick({ a: 1, b: undefined }, !not).toStrictEqual({ a: 1 })],
  ["toEqual of cycles", (not) => pick(cyclic, not).toEqual(cyclic)],
  ["toEqual of typed arrays", (not) => pick(new Float32Array([1, NaN]), not).toEqual(new Float32Array([1, NaN]))],
  ["toEqual tells kinds apart", (not) => pick([1], !not).toEqual(new Float32Array([1]))],
  ["toEqual with patterns", (not) => pick({ id: 7, s: "abc" }, not).toEqual({ id: expect.any(Number), s: expect.stringMatching(/b/) })],
  ["toMatchObject", (not) => pick({ a: 1, b: { c: 2, d: 3 } }, not).toMatchObject({ b: { c: 2 } })],
  ["toBeTruthy", (not) => pick("x", not).toBeTruthy()],
  ["toBeFalsy", (not) => pick("", not).toBeFalsy()],
  ["toBeNull", (not) => pick(null, not).toBeNull()],
  ["toBeUndefined", (not) => pick(undefined, not).toBeUndefined()],
  ["toBeDefined", (not) => pick(0, not).toBeDefined()],
  ["toBeNaN", (not) => pick(NaN, not).toBeNaN()],
  ["toBeGreaterThan", (not) => pick(2, not).toBeGreaterThan(1)],
  ["toBeGreaterThanOrEqual", (not) => pick(2n, not).toBeGreaterThanOrEqual(2n)],
  ["toBeLessThan", (not) => pick(1, not).toBeLessThan(2)],
  ["toBeLessThanOrEqual", (not) => pick(2, not).toBeLessThanOrEqual(2)],
  ["toBeCloseTo", (not) => pick(0.1 + 0.2, not).toBeCloseTo(0.3)],
  ["toBeAllClose", (not) => pick([new Float32Array([0.1])], not).toBeAllClose([[0.1]])],
  ["toBeInstanceOf", (not) => pick(new RangeError(), not).toBeInstanceOf(Error)],
  ["toContain", (not) => pick("hello", not).toContain("ell")],
  ["toContainEqual", (not) => pick([{ a: 1 }], not).toContainEqual({ a: 1 })],
  ["toHaveLength", (not) => pick("abc", not).toHaveLength(3)],
  ["toHaveProperty", (not) => pick({ a: { b: [5] } }, not).toHaveProperty("a.b[0]", 5)],
  ["toMatch", (not) => pick("abc", not).toMatch(/^a/)],
  ["toThrow", (not) => pick(fails, not).toThrow(/no room/)],
  ["toThrow by class", (not) => pick(fails, not).toThrow(RangeError)],
  ["toHaveBeenCalledTimes", (not) => pick(called(1, 2), not).toHaveBeenCalledTimes(1)],
  ["toHaveBeenCalledWith", (not) => pick(called(1, [2]), not).toHaveBeenCalledWith(1, [2])],
];

function pick(value: unknown, not: boolean) {
  return not ? expect(value).not : expect(value);
}

function fails() {
  throw new RangeError("no room left");
}

function called(...values: unknown[]) {
  const mock = fn();
  mock(...values);
  return mock;
}

for (const [name, claim] of holding) {
  test(name, () => {
    claim(false);
    assert.throws(() => claim(true), AssertionError);
  });
}

test("a failure says what was expected, what was found and what to do", () => {
  assert.throws(() => expect({ a: 1 }).toBe({ a: 1 } as unknown), /^AssertionError: expected { a: 1 } to be { a: 1 }: they are equal: use toEqual$/);
  assert.throws(() => expect([[1, 2]]).toBeAllClose([[1, 3]]), /\[0\]\[1\] 2 instead of 3/);
});

test("resolves and rejects judge what promises come to", async () => {
  await expect(Promise.resolve(3)).resolves.toBe(3);
  await expect(Promise.reject(new Error("late"))).rejects.toThrow("late");
  await assert.rejects(async () => expect(Promise.resolve(3)).rejects.toBe(3), /expected a promise to be rejected: it gave 3/);
  await assert.rejects(async () => expect(Promise.reject(new Error("x"))).resolves.toBe(3), /it threw Error: x/);
});

test("fn remembers calls and results", () => {
  const twice = fn((x: number) => 2 * x);
  assert.equal(twice(4), 8);
  assert.deepEqual(twice.mock, { calls: [[4]], results: [{ type: "return", value: 8 }] });
  twice.mockReturnValue(1);
  assert.equal(twice(4), 1);
});
