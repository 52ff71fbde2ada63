// What changed between two schemas: the answers of the C++ engine over generated pairs.
import type { TSchema } from "@sinclair/typebox";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, kNoEngine } from "../../testing/engine.ts";
import { Random } from "../../testing/random.ts";
import { diff, fromJSON, SchemaError } from "./index.ts";
import { edited, fileSchema } from "./testing/edit.ts";
import { Generator } from "./testing/generate.ts";

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
