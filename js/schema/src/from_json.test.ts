import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, fromJSON, TypeDef } from "./index.ts";

function parsed(type: unknown): unknown {
  return JSON.parse(JSON.stringify(type)) as unknown;
}

const module = TypeDef.Module({
  Node: TypeDef.Struct({
    v: TypeDef.Int8(),
    kids: TypeDef.Array(TypeDef.Ref("Node")),
    e: TypeDef.Optional(TypeDef.Ref("Expr")),
  }),
  Expr: TypeDef.Union("op", { n: TypeDef.Ref("Node"), k: TypeDef.Struct({ x: TypeDef.Boolean() }) }),
});
// Assigning a recursive Import to TSchema is too deep for TypeScript.
const node = module.Import("Node") as unknown as TSchema;

const kTypes: readonly TSchema[] = [
  TypeDef.Int8({ minimum: 3, title: "t" }),
  TypeDef.Float32({ minimum: 0 }),
  TypeDef.Uint64({ maximum: 9 }),
  TypeDef.Enum(["a"]),
  TypeDef.Enum(["a", "b"]),
  TypeDef.String({ maxBytes: 9, minLength: 1, pattern: "^a" }),
  TypeDef.Timestamp({ maxBytes: 30 }),
  TypeDef.Tensor("F32", [-1, 2]),
  TypeDef.Tensor(TypeDef.Struct({ d: TypeDef.Float16() }), [4, 4], { block: { values: 32 } }),
  TypeDef.Union("k", { one: TypeDef.Struct({ x: TypeDef.Bytes() }), two: TypeDef.Struct({ y: TypeDef.Int8() }) }),
  TypeDef.Struct({
    a: TypeDef.Default(TypeDef.Int8(), 3),
    r: TypeDef.Record(TypeDef.String({ maxBytes: 3 })),
    u: TypeDef.Union("k", { one: TypeDef.Struct({ x: TypeDef.Bytes() }) }),
    b: TypeDef.Blob(TypeDef.Float32()),
    c: TypeDef.Blob(TypeDef.String()),
    j: TypeDef.Blob(TypeDef.Json()),
    list: TypeDef.Array(TypeDef.Int16(), { count: 3, align: 8 }),
  }),
  Type.Object(
    { a: Type.Optional(Type.String()), n: Type.Null(), l: Type.Literal("x") },
    { additionalProperties: false },
  ),
  Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Array(Type.Boolean(), { uniqueItems: true })]),
  Type.Intersect([Type.Object({ a: Type.Integer() }), Type.Not(Type.Object({ b: Type.Unknown() }))]),
  Type.Record(Type.String(), Type.Integer()),
  node,
];

test("what builders wrote is rebuilt as it was, and checks", () => {
  for (const type of kTypes) {
    const again = fromJSON(parsed(type));
    assert.deepEqual(parsed(again), parsed(type));
    for (const value of [3, "ab", { a: 1 }, { a: "x", n: null, l: "x" }, [true], { v: 1, kids: [] }]) {
      assert.equal(
        Value.Check(again, value),
        Value.Check(type, value),
        `${JSON.stringify(type)} ${JSON.stringify(value)}`,
      );
    }
  }
});

test("kinds by hand get the standard keywords", () => {
  const type = fromJSON({
    "TypeDef:Struct": true,
    properties: { b: { "TypeDef:Uint8": true }, a: { "TypeDef:Enum": true, enum: ["x"] } },
    required: ["b"],
  });
  const built = TypeDef.Struct({ b: TypeDef.Uint8(), a: TypeDef.Optional(TypeDef.Enum(["x"])) });
  assert.deepEqual(parsed(type), parsed(built));
});

test("references by pointer, anchor, $id and name of $defs become those of a module", () => {
  for (const [reference, definition] of [
    ["#/$defs/p", {}],
    ["#point", { $anchor: "point" }],
    ["point.json", { $id: "point.json" }],
    ["p", {}],
  ] as const) {
    const point = {
      "TypeDef:Struct": true,
      properties: { x: { "TypeDef:Int8": true } },
      required: ["x"],
      ...definition,
    };
    const schema = { "TypeDef:Array": true, items: { $ref: reference }, $defs: { p: point } };
    const type = fromJSON(schema);
    assert.equal(Value.Check(type, [{ x: 1 }]), true, reference);
    assert.equal(Value.Check(type, [{ x: 300 }]), false, reference);
    assert.deepEqual(encode(type, [{ x: 1 }], { mode: "packed" }), encode(schema, [{ x: 1 }], { mode: "packed" }));
  }
});

test("recursion stays, also through the variants of a union", () => {
  const schema = {
    "TypeDef:Struct": true,
    required: ["op"],
    properties: {
      op: {
        "TypeDef:Union": {
          discriminator: "t",
          mapping: {
            neg: { $ref: "#" },
            num: { "TypeDef:Struct": true, properties: { v: { "TypeDef:Int8": true } }, required: ["v"] },
          },
        },
      },
    },
  };
  const type = fromJSON(schema);
  const value = { op: { t: "neg", op: { t: "num", v: 1 } } };
  assert.equal(Value.Check(type, value), true);
  assert.equal(Value.Check(type, { op: { t: "neg", op: { t: "num", v: 300 } } }), false);
  assert.equal(Value.Check(type, { op: { t: "neg" } }), false);
  const bytes = encode(type, value, { mode: "packed" });
  assert.deepEqual(decode(schema, bytes, { mode: "packed" }), value);
});

test("TypeBox's own recursive types are rebuilt", () => {
  const list = Type.Recursive((This) => TypeDef.Struct({ v: TypeDef.Int8(), next: TypeDef.Optional(This) }), {
    $id: "List",
  });
  const type = fromJSON(parsed(list));
  assert.equal(Value.Check(type, { v: 1, next: { v: 2 } }), true);
  assert.equal(Value.Check(type, { v: 1, next: { v: "2" } }), false);
});

test("keywords beside a kind hold too", () => {
  const type = fromJSON({ "TypeDef:Float32": true, enum: [1, "NaN"] });
  assert.deepEqual(
    [1, "NaN", 2, "Infinity"].map((value) => Value.Check(type, value)),
    [true, true, false, false],
  );
  assert.deepEqual(encode(type, 1, { mode: "packed" }), Uint8Array.of(0, 0, 0x80, 0x3f));
  const choice = fromJSON({
    "TypeDef:Int8": true,
    anyOf: [
      { type: "integer", maximum: 0 },
      { type: "integer", minimum: 9 },
    ],
  });
  assert.deepEqual(
    [-1, 5, 9, 200].map((value) => Value.Check(choice, value)),
    [true, false, true, false],
  );
});

test("true, false and the empty schema are types", () => {
  assert.equal(Value.Check(fromJSON(true), 1), true);
  assert.equal(Value.Check(fromJSON(false), 1), false);
  assert.equal(Value.Check(fromJSON({}), null), true);
  assert.equal(Value.Check(fromJSON({ type: ["string", "null"], minLength: 1 }), ""), false);
});

test("keywords that TypeBox has no type for are refused by their place", () => {
  for (const [schema, path] of [
    [{ oneOf: [{ type: "string" }] }, "/oneOf"],
    [{ type: "object", properties: { a: { if: true, then: false } } }, "/properties/a/if"],
    [{ minimum: 3 }, "/minimum"],
    [{ type: "array", prefixItems: [true] }, "/prefixItems"],
    [{ "TypeDef:Int9": true }, "/TypeDef:Int9"],
    [{ const: { a: 1 } }, "/const"],
  ] as const) {
    assert.throws(() => fromJSON(schema), { code: "schema_invalid", path });
  }
});
