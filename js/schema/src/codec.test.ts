// What encode and decode do beyond the table of tests/codec_cases.json.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BlobStore } from "./blob_store.ts";
import { compile, decode, encode } from "./codec.ts";
import { SchemaError } from "./error.ts";
import { TypeDef } from "./index.ts";
import { fromHex, toHex } from "../../testing/hex.ts";

function errorOf(call: () => unknown): SchemaError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof SchemaError, String(error));
    return error;
  }
  return assert.fail("nothing was thrown");
}

const Shape = TypeDef.Union("kind", {
  circle: TypeDef.Struct({ r: TypeDef.Float32() }),
  square: TypeDef.Struct({ a: TypeDef.Float32() }),
});

test("the union of the specification", () => {
  const bytes = encode(Shape, { kind: "square", a: 2 }, { mode: "packed" });
  assert.equal(toHex(bytes), "0100000040");
  assert.deepEqual(decode(Shape, bytes, { mode: "packed" }), { kind: "square", a: 2 });
});

test("the nullable field of the specification", () => {
  const codec = compile(TypeDef.Struct({ id: TypeDef.Int32(), score: TypeDef.Optional(TypeDef.Float32()) }), "aligned");
  assert.equal(toHex(codec.encode({ id: 1 })), "000000000100000000000000");
  assert.equal(toHex(codec.encode({ id: 1, score: 1 })), "01000000010000000000803f");
  assert.deepEqual(codec.decode(fromHex("000000000100000000000000")), { id: 1 });
  assert.equal(errorOf(() => codec.decode(fromHex("020000000100000000000000"))).code, "bad_presence");
  assert.equal(
    errorOf(() => codec.decode(fromHex("000000000100000000000001"), { strict: true })).code,
    "nonzero_padding",
  );
});

test("offset-indirect fields share a heap in field order", () => {
  const type = TypeDef.Struct({
    a: TypeDef.String({ encoding: "offset-indirect" }),
    b: TypeDef.Array(TypeDef.Uint16(), { encoding: "offset-indirect" }),
    c: TypeDef.Bytes({ encoding: "offset-indirect" }),
  });
  const codec = compile(type, "aligned");
  const bytes = codec.encode({ a: "x", b: [1, 2], c: "" });
  assert.equal(toHex(bytes), "18000000010000001a00000004000000" + "0000000000000000" + "7800" + "01000200");
  assert.deepEqual(codec.decode(bytes, { strict: true }), { a: "x", b: [1, 2], c: "" });
  const swapped = fromHex(toHex(bytes).replace("18000000", "1d000000"));
  assert.equal(errorOf(() => codec.decode(swapped)).code, "bad_length");
  const gap = Uint8Array.from(bytes);
  gap[25] = 1;
  assert.equal(errorOf(() => codec.decode(gap, { strict: true })).code, "nonzero_padding");
});

test("64-bit integers are exact", () => {
  const codec = compile(TypeDef.Uint64({ endian: "big" }), "packed");
  assert.equal(toHex(codec.encode("18446744073709551615")), "f".repeat(16));
  assert.equal(codec.decode(fromHex("0020000000000001")), "9007199254740993");
  assert.equal(BigInt(codec.decode(fromHex("001fffffffffffff"))), 2n ** 53n - 1n);
  assert.equal(errorOf(() => codec.encode("18446744073709551616")).code, "instance_invalid");
});

test("errors name the place in the instance, in the schema and in the bytes", () => {
  const type = TypeDef.Struct({ "a/b": TypeDef.Array(TypeDef.Struct({ v: TypeDef.Boolean() }), { count: 2 }) });
  const codec = compile(type, "packed");
  const wrong = errorOf(() => codec.encode({ "a/b": [{ v: true }, { v: 1 as unknown as boolean }] }));
  assert.equal(wrong.code, "instance_invalid");
  assert.equal(wrong.path, "/a~1b/1/v");
  assert.equal(wrong.pointer, "/properties/a~1b/items/properties/v");
  const bad = errorOf(() => codec.decode(fromHex("0102")));
  assert.deepEqual([bad.code, bad.path, bad.offset], ["bad_boolean", "/a~1b/1/v", 1]);
});

test("lone surrogates, long reservations, wrong names and big-endian alignment are refused", () => {
  const packed = { mode: "packed" } as const;
  assert.equal(errorOf(() => encode(TypeDef.String(), "\ud800", packed)).code, "bad_utf8");
  assert.equal(errorOf(() => encode(TypeDef.Record(TypeDef.Int8()), { "\udc00": 1 }, packed)).code, "bad_utf8");
  const short = TypeDef.String({ maxBytes: 3 });
  assert.equal(errorOf(() => encode(short, "éé", packed)).code, "reservation_overflow");
  const letter = TypeDef.Enum(["a", "b"]);
  assert.equal(errorOf(() => encode(letter, "c" as "a", packed)).code, "bad_enum");
  assert.equal(errorOf(() => compile(TypeDef.Int8({ endian: "big" }), "aligned")).code, "schema_invalid");
});

test("members that are undefined are absent, null is refused", () => {
  const codec = compile(TypeDef.Struct({ a: TypeDef.Optional(TypeDef.Int8()) }), "packed");
  assert.equal(toHex(codec.encode({ a: undefined } as unknown as { a?: number })), "00");
  assert.equal(errorOf(() => codec.encode({ a: null } as unknown as { a?: number })).code, "instance_invalid");
});

test("a default is encoded when the member is absent, and must conform", () => {
  const codec = compile(TypeDef.Struct({ a: TypeDef.Default(TypeDef.Int16(), 7) }), "packed");
  assert.equal(toHex(codec.encode({})), "0700");
  assert.deepEqual(codec.decode(fromHex("0700")), { a: 7 });
  const bad = { "TypeDef:Struct": true, properties: { a: { "TypeDef:Int8": true, default: 300 } } };
  assert.equal(errorOf(() => compile(bad, "packed")).code, "schema_invalid");
});

test("names of Object.prototype are ordinary names", () => {
  const type = { "TypeDef:Record": { values: { "TypeDef:Int8": true } } };
  const value = JSON.parse('{"__proto__":1,"constructor":2}') as object;
  const again = decode(type, encode(type, value, { mode: "packed" }), { mode: "packed" });
  assert.deepEqual(Object.entries(again as object), [
    ["__proto__", 1],
    ["constructor", 2],
  ]);
  const struct = { "TypeDef:Struct": true, properties: { toString: { "TypeDef:Int8": true } } };
  assert.equal(toHex(encode(struct, {}, { mode: "packed" })), "00");
});

test("blobs lie in a store", () => {
  const type = TypeDef.Struct({
    text: TypeDef.Blob(TypeDef.String()),
    numbers: TypeDef.Blob(TypeDef.Float64()),
    any: TypeDef.Blob(TypeDef.Json()),
    none: TypeDef.Blob(TypeDef.Bytes()),
  });
  for (const mode of ["packed", "aligned"] as const) {
    const codec = compile(type, mode);
    const store = new BlobStore();
    const value = { text: "hi", numbers: [1, "NaN" as const], any: { a: [null] }, none: "" };
    const bytes = codec.encode(value, { blobs: store.write });
    assert.equal(bytes.length, 64);
    assert.deepEqual(codec.decode(bytes, { blobs: store.read, strict: true }), value);
    assert.equal(errorOf(() => codec.encode(value)).code, "invalid_argument");
    assert.equal(errorOf(() => codec.decode(bytes, { blobs: new BlobStore().read })).code, "blob_out_of_range");
  }
});

test("hostile counts and depths end early", () => {
  const list = compile(TypeDef.Array(TypeDef.Int64()), "packed");
  assert.equal(errorOf(() => list.decode(fromHex("ffffffff"))).code, "message_truncated");
  const deep = { "TypeDef:Struct": true, properties: { next: { $ref: "#" } } };
  const codec = compile(deep, "packed");
  assert.equal(errorOf(() => codec.decode(new Uint8Array(100_000).fill(1))).code, "schema_too_deep");
  let value = {};
  for (let i = 0; i < 70; ++i) value = { next: value };
  assert.equal(errorOf(() => codec.encode(value)).code, "schema_too_deep");
  let union: object = { "TypeDef:Int8": true };
  for (let i = 0; i < 100; ++i) union = { "TypeDef:Array": true, items: union };
  assert.equal(errorOf(() => compile(union as Record<string, unknown>, "packed")).code, "schema_too_deep");
});

test("a tensor has no value in place", () => {
  const tensor = compile(TypeDef.Tensor("F32", [2]), "packed");
  const handle = { $tensor: "t", dtype: "f32", shape: [2] };
  assert.equal(errorOf(() => tensor.encode(handle)).code, "schema_invalid");
  assert.equal(errorOf(() => tensor.decode(new Uint8Array())).code, "schema_invalid");
});
