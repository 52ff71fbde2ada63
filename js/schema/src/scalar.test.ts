import assert from "node:assert/strict";
import { test } from "node:test";
import { floatJson, holdsInteger, integerJson, loadFloat, loadInteger, storeFloat, storeInteger } from "./scalar.ts";

function stored(kind: "Float16" | "BFloat16" | "Float32" | "Float64", value: number, little = true): number {
  const view = new DataView(new ArrayBuffer(8));
  storeFloat(kind, view, 0, value, little);
  return kind === "Float32" ? view.getUint32(0, little) : view.getUint16(0, little);
}

test("float16 is IEEE 754 binary16, rounded to nearest, ties to even", () => {
  const known: [number, number][] = [
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000], // half of the smallest: to even
    [2 ** -25 * 1.0000001, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [2 ** -14 - 2 ** -25, 0x0400], // the largest subnormal and a half: carries into the exponent
    [2049, 0x6800],
    [2051, 0x6802],
    [0.1, 0x2e66],
    [5e-324, 0x0000],
    [Infinity, 0x7c00],
    [-Infinity, 0xfc00],
    [NaN, 0x7e00],
  ];
  for (const [value, bits] of known) assert.equal(stored("Float16", value), bits, String(value));
});

test("float16 reads back each of its bit patterns", () => {
  const view = new DataView(new ArrayBuffer(2));
  for (let bits = 0; bits < 65536; ++bits) {
    view.setUint16(0, bits, true);
    const value = loadFloat("Float16", view, 0, true);
    if (!Number.isNaN(value)) assert.equal(stored("Float16", value), bits);
  }
});

test("bfloat16 is the upper half of binary32, rounded once from the double", () => {
  const known: [number, number][] = [
    [1, 0x3f80],
    [1 + 2 ** -8, 0x3f80], // a tie
    [1 + 3 * 2 ** -8, 0x3f82],
    [1 + 2 ** -8 + 2 ** -40, 0x3f81], // binary32 between would round this to a tie
    [3.3895313892515355e38, 0x7f7f],
    [2 ** -133, 0x0001],
    [NaN, 0x7fc0],
  ];
  for (const [value, bits] of known) assert.equal(stored("BFloat16", value), bits, String(value));
  const view = new DataView(new ArrayBuffer(4));
  for (let bits = 0; bits < 65536; ++bits) {
    view.setUint32(0, bits << 16);
    const wide = view.getFloat32(0);
    if (!Number.isNaN(wide)) assert.equal(stored("BFloat16", wide), bits);
    view.setUint16(0, bits);
    assert.ok(Object.is(loadFloat("BFloat16", view, 0, false), wide));
  }
});

test("NaN is the quiet one", () => {
  assert.equal(stored("Float32", NaN), 0x7fc00000);
  assert.equal(stored("Float64", NaN, false), 0x7ff8);
});

test("integers are exact in both byte orders", () => {
  const view = new DataView(new ArrayBuffer(8));
  for (const little of [true, false]) {
    for (const value of [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n, 0x0102030405060708n]) {
      storeInteger("Int64", view, 0, value, little);
      assert.equal(view.getBigInt64(0, little), value);
      assert.equal(loadInteger("Int64", view, 0, little), value);
      storeInteger("Uint64", view, 0, BigInt.asUintN(64, value), little);
      assert.equal(loadInteger("Uint64", view, 0, little), BigInt.asUintN(64, value));
    }
    storeInteger("Int16", view, 0, -2, little);
    assert.equal(view.getInt16(0, little), -2);
    assert.equal(loadInteger("Int16", view, 0, little), -2);
  }
  assert.ok(
    holdsInteger("Uint64", 2n ** 64n - 1n) && !holdsInteger("Uint64", 2n ** 64n) && !holdsInteger("Uint64", -1n),
  );
  assert.ok(holdsInteger("Int64", -(2n ** 63n)) && !holdsInteger("Int64", 2n ** 63n));
});

test("integers beyond +-(2^53-1) and numbers that JSON lacks are strings", () => {
  assert.equal(integerJson(9007199254740991n), 9007199254740991);
  assert.equal(integerJson(9007199254740992n), "9007199254740992");
  assert.equal(integerJson(-9007199254740992n), "-9007199254740992");
  assert.deepEqual([NaN, Infinity, -Infinity, 1.5].map(floatJson), ["NaN", "Infinity", "-Infinity", 1.5]);
});
