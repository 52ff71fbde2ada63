import assert from "node:assert/strict";
import { test } from "node:test";
import type { TSchema } from "@sinclair/typebox";
import { diff, SchemaError, TypeDef } from "./index.ts";

const { Struct, Optional, Default, Int16, Int32, Float32, Tensor } = TypeDef;

function summary(before: TSchema, after: TSchema): readonly string[] {
  const { bump, changes } = diff(before, after);
  return [
    bump,
    ...changes.map((change) => `${change.change}: ${change.class}${change.checked ? "?" : ""} ${change.path}`),
  ];
}

test("changes are classed by what they ask of data that exist", () => {
  const cases: [TSchema, TSchema, readonly string[]][] = [
    [Struct({ a: Int16() }), Struct({ a: Int16() }), ["none"]],
    [Struct({ a: Int16() }), Struct({ a: Int32() }), ["patch", "retyped: compatible a"]],
    [Struct({ a: Int32() }), Struct({ a: Int16() }), ["major", "retyped: needs converter? a"]],
    [Struct({ a: Int16() }), Struct({ a: Int16(), b: Optional(Int16()) }), ["minor", "added: defaultable b"]],
    [Struct({ a: Int16() }), Struct({ a: Int16(), b: Default(Int16(), 3) }), ["minor", "added: defaultable b"]],
    [Struct({ a: Int16() }), Struct({ a: Int16(), b: Int16() }), ["major", "added: needs converter b"]],
    [Struct({ a: Int16(), b: Int16() }), Struct({ b: Int16() }), ["major", "removed: needs converter a"]],
    [Struct({ a: Int16(), b: Int16() }), Struct({ b: Int16(), a: Int16() }), ["patch", "reordered: compatible "]],
    [
      Struct({ e: TypeDef.Enum(["x", "y"]) }),
      Struct({ e: TypeDef.Enum(["x", "y", "z"]) }),
      ["patch", "retyped: compatible e"],
    ],
    [Struct({ a: Int16() }), Struct({ a: Int16({ title: "A" }) }), ["patch", "annotation changed: compatible a"]],
    [Struct({ a: Int16() }), Struct({ a: Int16({ minimum: 0 }) }), ["major", "annotation changed: needs converter? a"]],
    [Struct({ w: Tensor("F16", [2, 3]) }), Struct({ w: Tensor("F32", [2, 3]) }), ["patch", "retyped: compatible w"]],
    [Struct({ w: Tensor("F32", [2]) }), Struct({ w: Tensor("F32", [3]) }), ["major", "reshaped: needs converter w"]],
    [Struct({ w: Tensor("F32", [2]) }), Struct({ w: Tensor("F32", [-1]) }), ["patch", "reshaped: compatible w"]],
  ];
  for (const [before, after, expected] of cases) assert.deepEqual(summary(before, after), expected);
});

test("recursion ends, and schemas at fault are refused", () => {
  const list = (kind: TSchema): TSchema =>
    TypeDef.Module({ n: Struct({ v: kind, next: Optional(TypeDef.Ref("n")) }) }).Import("n");
  assert.deepEqual(summary(list(Float32()), list(Int32())), ["major", "retyped: needs converter? v"]);
  assert.throws(() => diff({ "TypeDef:Strukt": true }, true), SchemaError);
});
