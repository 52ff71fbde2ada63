// What TypeScript infers; the type check is the test.
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, decode, encode, fromJSON, TypeDef } from "./index.ts";

/** True when both are the same type, not only assignable. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function expectType<Expected>() {
  return <Actual>(_actual: Actual, ..._same: Same<Expected, Actual> extends true ? [] : [never]): void => {};
}

function instanceOf<S extends TSchema>(_type: S): Static<S> {
  return undefined as Static<S>;
}

type Float = number | "NaN" | "Infinity" | "-Infinity";

test("instances have the types of the table of kinds", () => {
  expectType<number>()(instanceOf(TypeDef.Int8()));
  expectType<number>()(instanceOf(TypeDef.Uint32()));
  expectType<number | string>()(instanceOf(TypeDef.Int64()));
  expectType<number | string>()(instanceOf(TypeDef.Uint64()));
  expectType<Float>()(instanceOf(TypeDef.Float16()));
  expectType<Float>()(instanceOf(TypeDef.Float64()));
  expectType<boolean>()(instanceOf(TypeDef.Boolean()));
  expectType<"a" | "b">()(instanceOf(TypeDef.Enum(["a", "b"])));
  expectType<"a">()(instanceOf(TypeDef.Enum(["a"])));
  expectType<string>()(instanceOf(TypeDef.String()));
  expectType<string>()(instanceOf(TypeDef.Bytes({ maxBytes: 3 })));
  expectType<string>()(instanceOf(TypeDef.Timestamp()));
  expectType<{ [name: string]: number }>()(instanceOf(TypeDef.Record(TypeDef.Int8())));
  expectType<Float[]>()(instanceOf(TypeDef.Array(TypeDef.Float32(), { count: 2 })));
  expectType<{ $tensor: string; dtype: string; shape: number[] }>()(instanceOf(TypeDef.Tensor("F32", [2])));
  expectType<string>()(instanceOf(TypeDef.Blob(TypeDef.String())));
  expectType<unknown>()(instanceOf(TypeDef.Blob(TypeDef.Json())));
  expectType<number[]>()(instanceOf(TypeDef.Blob(TypeDef.Uint8())));
});

test("structs and unions are composed", () => {
  const Point = TypeDef.Struct({ x: TypeDef.Float32(), y: TypeDef.Optional(TypeDef.Int8()) });
  expectType<{ x: Float; y?: number }>()(instanceOf(Point));
  expectType<{ a?: number }>()(instanceOf(TypeDef.Struct({ a: TypeDef.Default(TypeDef.Int8(), 1) })));
  const Shape = TypeDef.Union("kind", { circle: TypeDef.Struct({ r: TypeDef.Int8() }), point: Point });
  const shapes: Static<typeof Shape>[] = [{ kind: "circle", r: 1 }];
  for (const shape of shapes) if (shape.kind === "circle") expectType<number>()(shape.r);
  // @ts-expect-error: a circle has no x
  const wrong: Static<typeof Shape> = { kind: "circle", x: 1 };
  // @ts-expect-error: there is no such variant
  const other: Static<typeof Shape> = { kind: "oval" };
  assert.notEqual(wrong, other);
});

test("modules refer by name", () => {
  const module = TypeDef.Module({
    Tree: TypeDef.Struct({ value: TypeDef.Int8(), children: TypeDef.Array(TypeDef.Ref("Tree")) }),
    Step: TypeDef.Union("op", { grow: TypeDef.Ref("Tree"), stop: TypeDef.Struct({ why: TypeDef.String() }) }),
    All: TypeDef.Record(TypeDef.Ref("Tree")),
  });
  const Tree = module.Import("Tree");
  const tree: Static<typeof Tree> = { value: 1, children: [{ value: 2, children: [] }] };
  expectType<number | undefined>()(tree.children[0]?.children[0]?.value);
  const Step = module.Import("Step");
  const steps: Static<typeof Step>[] = [{ op: "grow", value: 1, children: [] }];
  for (const step of steps) if (step.op === "stop") expectType<string>()(step.why);
  const All = module.Import("All");
  const all: Static<typeof All> = { a: tree };
  expectType<number | undefined>()(all["a"]?.value);
});

test("encode takes instances and decode gives them", () => {
  const Point = TypeDef.Struct({ x: TypeDef.Int8() });
  const bytes = encode(Point, { x: 1 }, { mode: "packed" });
  expectType<{ x: number }>()(decode(Point, bytes, { mode: "packed" }));
  // @ts-expect-error: x is a number
  assert.throws(() => encode(Point, { x: "1" }, { mode: "packed" }));
  const codec = compile(Point, "aligned");
  expectType<{ x: number }>()(codec.decode(bytes));
  expectType<unknown>()(decode({ "TypeDef:Int8": true }, bytes, { mode: "packed" }));
  expectType<unknown>()(instanceOf(fromJSON({ "TypeDef:Int8": true })));
});

test("types compose with TypeBox's own", () => {
  const Both = Type.Object({ point: TypeDef.Struct({ x: TypeDef.Int8() }), note: Type.Optional(Type.String()) });
  expectType<{ point: { x: number }; note?: string }>()(instanceOf(Both));
  expectType<{ x?: number }>()(instanceOf(Type.Partial(TypeDef.Struct({ x: TypeDef.Int8() }))));
});
