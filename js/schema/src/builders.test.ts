// Builders of every kind: one verdict of TypeBox, ajv and the C++ engine; the engine's own from the kind alone.
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Ajv2020 } from "ajv/dist/2020.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { SchemaError, TypeDef } from "./index.ts";
import { kKinds } from "./kinds.ts";
import { ask, kNoEngine } from "../../testing/engine.ts";

interface Case {
  readonly type: TSchema;
  readonly valid: readonly unknown[];
  readonly invalid: readonly unknown[];
}

const kFloats = ["NaN", "Infinity", "-Infinity", 0, -1.5];
const kNoFloats = ["inf", "nan", "1", null, true, [], {}];
const point = TypeDef.Struct({ x: TypeDef.Float32(), y: TypeDef.Optional(TypeDef.Int8()) });
const tree = TypeDef.Module({
  Node: TypeDef.Struct({ v: TypeDef.Int8(), next: TypeDef.Optional(TypeDef.Ref("Choice")) }),
  Choice: TypeDef.Union("k", { node: TypeDef.Ref("Node"), end: TypeDef.Struct({ x: TypeDef.Boolean() }) }),
});
// Assigning a recursive Import to TSchema is too deep for TypeScript.
const node = tree.Import("Node") as unknown as TSchema;

const kCases: readonly Case[] = [
  { type: TypeDef.Int8(), valid: [-128, 127, 0], invalid: [-129, 128, 1.5, "1", null, true] },
  { type: TypeDef.Uint8(), valid: [0, 255], invalid: [-1, 256] },
  { type: TypeDef.Int16(), valid: [-32768, 32767], invalid: [-32769, 32768] },
  { type: TypeDef.Uint16(), valid: [65535], invalid: [65536, -1] },
  { type: TypeDef.Int32(), valid: [-2147483648, 2147483647], invalid: [2147483648, -2147483649] },
  { type: TypeDef.Uint32(), valid: [4294967295], invalid: [4294967296] },
  { type: TypeDef.Uint8({ minimum: 5, maximum: 300, multipleOf: 5 }), valid: [5, 255], invalid: [0, 260, 7] },
  {
    type: TypeDef.Int64(),
    valid: [9007199254740991, -9007199254740991, "9223372036854775807", "-9223372036854775808", "0"],
    invalid: [9007199254740992, "1.0", "-0", "01", "", "x", 1.5, "12345678901234567890", "1\n"],
  },
  { type: TypeDef.Uint64({ minimum: 2 }), valid: [2, "18446744073709551615", "1"], invalid: [1, -1, "-1", 2 ** 53] },
  { type: TypeDef.Float16(), valid: [...kFloats, 65504], invalid: [...kNoFloats, 65505] },
  { type: TypeDef.BFloat16(), valid: [...kFloats, 3.3895313892515355e38], invalid: [...kNoFloats, 3.4e38] },
  {
    type: TypeDef.Float32(),
    valid: [...kFloats, 3.4028234663852886e38],
    invalid: [...kNoFloats, 3.402823466385289e38],
  },
  { type: TypeDef.Float64(), valid: [...kFloats, 1e308], invalid: kNoFloats },
  { type: TypeDef.Float32({ minimum: 0 }), valid: [1, "NaN", "-Infinity"], invalid: [-1, 1e39] },
  { type: TypeDef.Boolean(), valid: [true, false], invalid: [0, 1, "true", null] },
  { type: TypeDef.Enum(["a", "b"]), valid: ["a", "b"], invalid: ["c", 0, null] },
  { type: TypeDef.Enum(["a"]), valid: ["a"], invalid: ["b"] },
  { type: TypeDef.String(), valid: ["", "x"], invalid: [1] },
  { type: TypeDef.String({ maxBytes: 3 }), valid: ["abc", "ééé"], invalid: ["abcd"] },
  { type: TypeDef.String({ pattern: "^a", minLength: 2 }), valid: ["ab"], invalid: ["a", "ba"] },
  {
    type: TypeDef.Bytes(),
    valid: ["", "QQ==", "QUI=", "QUJD"],
    invalid: ["QQ", "QQ=", "QR==", "Q!==", "QUJ=", "QQ==\n", 1],
  },
  { type: TypeDef.Bytes({ maxBytes: 4 }), valid: ["QUJDRA=="], invalid: ["QUJDREVGQUJD"] },
  {
    type: TypeDef.Timestamp(),
    valid: ["2024-02-29T23:59:60Z", "1985-04-12t23:20:50.52z", "1996-12-19T16:39:57-08:00"],
    invalid: ["2024-13-01T00:00:00Z", "2024-04-31T00:00:00Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", 5],
  },
  { type: TypeDef.Record(TypeDef.Uint8()), valid: [{}, { a: 1, "b\n": 255 }], invalid: [{ "a\n": 256 }, [], null] },
  { type: TypeDef.Array(TypeDef.Int8()), valid: [[], [1, 2]], invalid: [[128], {}, 1] },
  { type: TypeDef.Array(TypeDef.Int8(), { count: 2 }), valid: [[1, 2]], invalid: [[1], [1, 2, 3]] },
  { type: TypeDef.Array(TypeDef.Int8(), { maxItems: 1 }), valid: [[]], invalid: [[1, 2]] },
  { type: point, valid: [{ x: 1 }, { x: "NaN", y: 2 }], invalid: [{}, { x: 1, y: null }, { x: 1, c: 2 }, [], null] },
  { type: TypeDef.Struct({ a: TypeDef.Default(TypeDef.Int8(), 3) }), valid: [{}, { a: 1 }], invalid: [{ a: 300 }] },
  {
    type: TypeDef.Union("kind", { circle: TypeDef.Struct({ r: TypeDef.Float32() }), point }),
    valid: [
      { kind: "circle", r: 1 },
      { kind: "point", x: 1 },
    ],
    invalid: [
      { kind: "circle", x: 1 },
      { kind: "oval", r: 1 },
      { r: 1 },
      { kind: "point", x: 1, b: 1 },
      { kind: 1 },
      [],
    ],
  },
  {
    type: TypeDef.Union("k", { only: point }),
    valid: [{ k: "only", x: 1 }],
    invalid: [{ x: 1 }, { k: "other", x: 1 }],
  },
  {
    type: TypeDef.Tensor("F32", [2]),
    valid: [{ $tensor: "t1", dtype: "f32", shape: [2] }],
    invalid: [
      { dtype: "f32", shape: [2] },
      { $tensor: 1, dtype: "f32", shape: [] },
      { $tensor: "t", dtype: "f32", shape: [-1] },
    ],
  },
  { type: TypeDef.Blob(TypeDef.String()), valid: ["x"], invalid: [1] },
  { type: TypeDef.Blob(TypeDef.Bytes()), valid: ["QQ=="], invalid: ["QQ"] },
  { type: TypeDef.Blob(TypeDef.Json()), valid: [1, null, { a: [] }], invalid: [] },
  { type: TypeDef.Blob(TypeDef.Float32()), valid: [[], [1, "NaN"]], invalid: [1, ["x"], null] },
  { type: TypeDef.Blob(point), valid: [[{ x: 1 }]], invalid: [{ x: 1 }, [{}]] },
  {
    type: node,
    valid: [{ v: 1 }, { v: 1, next: { k: "node", v: 2, next: { k: "end", x: true } } }],
    invalid: [
      { v: 1, next: { k: "node" } },
      { v: 1, next: { k: "node", v: 2, next: { k: "end", x: 1 } } },
      { v: 1, k: "node" },
    ],
  },
];

function forInstances(check: (type: TSchema, instance: unknown, valid: boolean) => void): void {
  for (const { type, valid, invalid } of kCases) {
    for (const instance of valid) check(type, instance, true);
    for (const instance of invalid) check(type, instance, false);
  }
}

test("there is a builder of every kind, and a case of it", () => {
  const text = JSON.stringify(kCases.map(({ type }) => type));
  for (const kind of Object.keys(kKinds).filter((name) => name !== "None")) {
    assert.ok(text.includes(`"TypeDef:${kind}"`), kind);
    assert.equal(typeof TypeDef[kind as "Int8"], "function", kind);
  }
});

test("Value.Check takes what the table of kinds says", () => {
  forInstances((type, instance, valid) => {
    assert.equal(Value.Check(type, instance), valid, `${JSON.stringify(type)} ${JSON.stringify(instance)}`);
  });
});

test("so does another validator, from the text", () => {
  const ajv = new Ajv2020({ strict: false, addUsedSchema: false });
  const checks = new Map(kCases.map(({ type }) => [type, ajv.compile(JSON.parse(JSON.stringify(type)) as object)]));
  forInstances((type, instance, valid) => {
    assert.equal(checks.get(type)?.(instance), valid, `${JSON.stringify(type)} ${JSON.stringify(instance)}`);
  });
});

test("so does the engine, from the text and from what it lowers that to", { skip: kNoEngine }, () => {
  const lowered = ask(kCases.map(({ type }) => ({ op: "lower", schema: type })));
  const asked: { schema: unknown; value: unknown; valid: boolean }[] = [];
  forInstances((type, value, valid) => {
    const standard = lowered[kCases.findIndex((each) => each.type === type)]?.value;
    asked.push({ schema: type, value, valid }, { schema: standard, value, valid });
  });
  ask(asked.map(({ schema, value }) => ({ op: "validate", schema, value }))).forEach((answer, i) => {
    assert.equal(answer.value, asked[i]?.valid, `${JSON.stringify(asked[i])} ${answer.message}`);
  });
});

test("a String's maxLength counts as TypeBox counts: two for what is outside of the BMP", () => {
  // Others count code points: 3 here. Either way `encode` refuses its 12 bytes.
  assert.equal(Value.Check(TypeDef.String({ maxBytes: 5 }), "😀😀😀"), false);
  assert.equal(Value.Check(TypeDef.String({ maxBytes: 12 }), "😀😀😀"), true);
});

test("order is always written", () => {
  const type = TypeDef.Union("k", { b: TypeDef.Struct({ z: TypeDef.Int8(), a: TypeDef.Int8() }) });
  assert.deepEqual(type["TypeDef:Union"].order, ["b"]);
  assert.deepEqual(type["TypeDef:Union"].mapping.b["TypeDef:Struct"], { order: ["z", "a"] });
});

test("options go where the format has them", () => {
  const type = TypeDef.String({ maxBytes: 5, align: 8, encoding: "length-prefixed", title: "t", minLength: 1 });
  const keyword = { maxBytes: 5, align: 8, encoding: "length-prefixed" };
  assert.deepEqual(JSON.parse(JSON.stringify(type)), {
    "TypeDef:String": keyword,
    title: "t",
    minLength: 1,
    maxLength: 5,
    type: "string",
  });
  assert.equal(TypeDef.Int8()["TypeDef:Int8"], true);
});

test("a Ref as a variant is completed by its Module, and accepts nothing without one", () => {
  const alone = TypeDef.Union("k", { a: TypeDef.Ref("A") });
  assert.equal(Value.Check(alone, { k: "a" } as Static<typeof alone>), false);
  const wrong = { A: TypeDef.Int8(), U: TypeDef.Union("k", { a: TypeDef.Ref("A") }) };
  assert.throws(
    () => TypeDef.Module(wrong),
    (error) => error instanceof SchemaError && error.code === "schema_invalid",
  );
});
