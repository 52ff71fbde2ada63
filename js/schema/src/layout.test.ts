// Layouts worked out by hand from the rules of the specification; those of alknet/schema/layout_test.cc.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TObject, TProperties } from "@sinclair/typebox";
import { layout } from "./codec.ts";
import { SchemaError } from "./error.ts";
import { TypeDef } from "./index.ts";
import type { Layout, LayoutMode } from "./index.ts";

const { Struct, Optional, Uint8, Int16, Int32, Int64, Float32, String, Bytes, Blob } = TypeDef;

function offsets(measured: Layout): Record<string, number | null> {
  return Object.fromEntries(measured.fields.map((field) => [field.path, field.offset]));
}

function sizes(properties: TProperties, mode: LayoutMode): [number | null, Record<string, number | null>] {
  const measured = layout(Struct(properties), mode);
  return [measured.size, offsets(measured)];
}

test("aligned structs are padded as in C", () => {
  assert.deepEqual(sizes({ a: Uint8(), b: Float32() }, "aligned"), [8, { a: 0, b: 4 }]);
  assert.deepEqual(sizes({ a: Int64(), b: Uint8() }, "aligned"), [16, { a: 0, b: 8 }]);
});

test("nullable fields have a bitmap in front, which grows by the byte", () => {
  assert.deepEqual(sizes({ id: Int32(), score: Optional(Float32()) }, "aligned"), [12, { id: 4, score: 8 }]);
  const nine = Object.fromEntries([..."abcdefghi"].map((name) => [name, Optional(Uint8())]));
  const [size, at] = sizes(nine, "aligned");
  assert.deepEqual([size, at["a"]], [11, 2]);
  assert.deepEqual(sizes({ a: TypeDef.Default(TypeDef.Int8(), 3) }, "aligned"), [1, { a: 0 }]);
});

test("maxBytes is reserved behind the length", () => {
  assert.deepEqual(sizes({ s: String({ maxBytes: 5 }), b: Bytes({ maxBytes: 4 }) }, "aligned"), [20, { s: 0, b: 12 }]);
});

test("indirect fields and blobs are references", () => {
  const properties = {
    a: Uint8(),
    s: String({ encoding: "offset-indirect" }),
    v: TypeDef.Array(Int64(), { encoding: "offset-indirect" }),
    blob: Blob(String()),
  };
  assert.deepEqual(sizes(properties, "aligned"), [40, { a: 0, s: 4, v: 12, blob: 24 }]);
});

test("align only raises, and rounds sizes up", () => {
  assert.deepEqual(sizes({ a: Uint8({ align: 16 }), b: Int64({ align: 2 }) }, "aligned"), [32, { a: 0, b: 16 }]);
  assert.equal(layout(Struct({ a: Uint8() }, { align: 64 }), "aligned").size, 64);
});

test("order moves fields, and integer-like names need it", () => {
  assert.deepEqual(offsets(layout(Struct({ a: Uint8(), b: Int32() }, { order: ["b", "a"] }), "aligned")), {
    a: 4,
    b: 0,
  });
  const named = Struct({ b: Uint8(), 1: Uint8() }, { order: ["b", "1"] });
  assert.deepEqual(offsets(layout(named, "packed")), { b: 0, "1": 1 });
  const bare = { "TypeDef:Struct": true, properties: { b: { "TypeDef:Int8": true }, 1: { "TypeDef:Int8": true } } };
  for (const schema of [
    bare,
    Struct({ a: Uint8() }, { order: ["b"] }),
    Struct({ a: Uint8() }, { order: ["a", "a"] }),
  ]) {
    assert.throws(() => layout(schema, "packed"), { code: "bad_order" });
  }
});

test("structs and arrays inside are rows, followed by their parts", () => {
  const point = Struct({ x: Float32(), y: Uint8() });
  const grid = TypeDef.Array(TypeDef.Array(TypeDef.Uint16(), { count: 2 }), { count: 2 });
  const properties = { n: Uint8(), points: TypeDef.Array(point, { count: 3 }), m: grid };
  const rows = { n: 0, points: 4, "points[0].x": 4, "points[0].y": 8, m: 28, "m[0]": 28 };
  assert.deepEqual(sizes(properties, "aligned"), [36, rows]);
});

test("packed fields lie back to back until one varies", () => {
  const properties = { a: Uint8(), b: Float32(), s: String(), c: Int16() };
  assert.deepEqual(sizes(properties, "packed"), [null, { a: 0, b: 1, s: 5, c: null }]);
  assert.deepEqual(sizes({ id: Int32(), score: Optional(Float32()), z: Uint8() }, "packed"), [
    null,
    { id: 0, score: 5, z: null },
  ]);
});

test("a union of variants of one size is of fixed size", () => {
  const union = (other: TObject) =>
    layout(TypeDef.Union("k", { a: Struct({ r: Float32() }), b: other }), "packed").size;
  assert.equal(union(Struct({ v: Int32() })), 5);
  assert.equal(union(Struct({ v: Int64() })), null);
});

test("tensors of a file have no offset", () => {
  const file = Struct({
    w: TypeDef.Tensor("F32", [2, 3]),
    v: TypeDef.Tensor("I64", [-1]),
    r: TypeDef.Tensor(Struct({ a: Uint8(), b: Float32() }), [4]),
  });
  for (const mode of ["packed", "aligned"] as const) {
    const measured = layout(file, mode);
    assert.equal(measured.size, null);
    assert.deepEqual(
      measured.fields.map(({ bytes, offset }) => [bytes, offset]),
      [
        [24, null],
        [null, null],
        [32, null],
      ],
    );
  }
  assert.throws(() => layout(Struct({ t: TypeDef.Tensor("F4", [3]) }), "aligned"), { code: "schema_invalid" });
  assert.throws(() => layout(Struct({ t: TypeDef.Tensor("F32", [3]), a: Uint8() }), "aligned"), {
    code: "not_a_file_schema",
  });
});

test("what has no layout is refused by its place", () => {
  const loop = { "TypeDef:Struct": true, properties: { next: { $ref: "#" } }, required: ["next"] };
  for (const schema of [
    loop,
    Struct({ s: String() }),
    Struct({ s: TypeDef.Record(Uint8()) }),
    Struct({ s: TypeDef.Array(Uint8()) }),
    Struct({ s: TypeDef.Union("k", { a: Struct({ v: Uint8() }) }) }),
  ]) {
    assert.throws(
      () => layout(schema, "aligned"),
      (error) =>
        error instanceof SchemaError && error.code === "schema_invalid" && !error.path.startsWith("/properties/a"),
    );
  }
  assert.throws(() => layout(loop, "packed"), { code: "schema_invalid" });
  assert.throws(() => layout({ type: "string" }, "packed"), { code: "schema_invalid" });
  assert.throws(() => layout({ $ref: "#/$defs/none" }, "packed"), { code: "schema_invalid" });
  assert.throws(() => layout({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }, "packed"), {
    code: "schema_too_deep",
  });
});
