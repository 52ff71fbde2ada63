// What changed between two schemas: known cases, and the answers of the C++ engine over generated pairs.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TSchema } from "@sinclair/typebox";
import { ask, kNoEngine } from "../../testing/engine.ts";
import { Random } from "../../testing/random.ts";
import { diff, fromJSON, SchemaError, TypeDef } from "./index.ts";
import { edited, fileSchema } from "./testing/edit.ts";
import { Generator } from "./testing/generate.ts";

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

interface Pair {
  readonly before: unknown;
  readonly after: unknown;
}

function pairs(): Pair[] {
  const out: Pair[] = [];
  for (let seed = 0; seed < 400; ++seed) {
    const random = new Random(seed);
    const make = (): unknown => (seed % 4 === 0 ? fileSchema(random) : new Generator(random, seed % 2 === 0).root());
    const before = make();
    out.push({ before, after: seed % 8 === 7 ? make() : edited(random, before) });
  }
  // As builders write them.
  const built = out.slice(0, 120).flatMap(({ before, after }) => {
    try {
      const text = (schema: unknown): unknown => JSON.parse(JSON.stringify(fromJSON(schema)));
      return [{ before: text(before), after: text(after) }];
    } catch (error) {
      assert.ok(error instanceof SchemaError);
      return [];
    }
  });
  return [...out, ...built];
}

test("the engine finds the same changes", { skip: kNoEngine }, () => {
  const all = pairs();
  const answers = ask(all.map(({ before, after }) => ({ op: "diff", schema: before, after })));
  const seen = new Map<string, number>();
  let refused = 0;
  all.forEach(({ before, after }, i) => {
    const about = `${JSON.stringify(before)} ${JSON.stringify(after)}`;
    const answer = answers[i];
    let ours: unknown;
    try {
      ours = diff(before as TSchema, after as TSchema);
    } catch (error) {
      assert.ok(error instanceof SchemaError);
      assert.equal(answer?.error, error.code, about);
      ++refused;
      return;
    }
    // The engine also sees defaults outside of limits, which only it checks.
    if (answer?.message?.includes("the default of") === true) return void ++refused;
    assert.deepEqual(ours, answer?.value, `${about} ${answer?.message}`);
    for (const { change } of (ours as { changes: { change: string }[] }).changes) {
      seen.set(change, (seen.get(change) ?? 0) + 1);
    }
  });
  assert.ok(refused < all.length / 3, `${refused} of ${all.length} are no schemas`);
  for (const change of ["added", "removed", "retyped", "reshaped", "reordered", "annotation changed"]) {
    assert.ok((seen.get(change) ?? 0) > 10, `only ${seen.get(change)} were ${change}`);
  }
});
