// Trees beside the C++ engine: the same offsets, and the same differences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, kNoEngine, type Request } from "../../testing/engine.ts";
import { Random } from "../../testing/random.ts";
import type { Layout, LayoutMode, SchemaInput } from "@alknet/schema";
import type { Node } from "@alknet/ujsx";
import {
  ArrayOf,
  createLayout,
  diffLayouts,
  Field,
  LayoutError,
  type LayoutRoot,
  nextVersion,
  schemaFor,
  Struct,
  Tensor,
} from "./index.ts";
import { LayoutMaker } from "./testing/trees.tsx";

test("a difference says what changed and how the version moves", () => {
  const one = (
    <Struct>
      <Tensor name="weight" dtype="F32" shape={[4, 8]} />
    </Struct>
  );
  const two = (
    <Struct>
      <Tensor name="weight" dtype="F32" shape={[4, 8]} />
      <Tensor name="bias" dtype="F32" shape={[4]} optional />
    </Struct>
  );
  assert.deepEqual(diffLayouts(one, two), {
    bump: "minor",
    changes: [
      {
        path: "bias",
        change: "added",
        class: "defaultable",
        checked: false,
        message: "F32 was added, nullable",
        before: null,
        after: "F32",
      },
    ],
  });
  assert.deepEqual(diffLayouts(two, one).bump, "major");
  assert.deepEqual(diffLayouts(one, schemaFor(one)), { bump: "none", changes: [] });
  assert.throws(() => diffLayouts(one, <ArrayOf />), { code: "bad_children" });
});

test("versions move by the rules", () => {
  const bumps = (["none", "patch", "minor", "major"] as const).map((bump) => nextVersion("1.4.2", bump));
  assert.deepEqual(bumps, ["1.4.2", "1.4.3", "1.5.0", "2.0.0"]);
  assert.throws(() => nextVersion("1.4", "patch"), RangeError);
});

function text(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema));
}

test("sizes, offsets and differences are those of the engine, also after updates", { skip: kNoEngine }, () => {
  const requests: Request[] = [];
  const ours: unknown[] = [];
  for (let seed = 0; seed < 60; ++seed) {
    const maker = new LayoutMaker(new Random(seed));
    const root = createLayout();
    let tree: Node = maker.tree();
    let before: unknown;
    for (let step = 0; step < 4; ++step) {
      root.render(tree);
      root.flush();
      const schema = text(root.schema.value);
      assert.deepEqual(schema, text(schemaFor(tree)), "updated as made anew");
      for (const mode of ["packed", "aligned"] as const) {
        requests.push({ op: "layout", mode, schema });
        ours.push(layoutOrNothing(root, mode));
      }
      if (before !== undefined) {
        requests.push({ op: "diff", schema: before, after: schema });
        ours.push(diffLayouts(before as SchemaInput, tree));
      }
      before = schema;
      tree = maker.edited(tree);
    }
    root.unmount();
  }
  ask(requests).forEach(({ value, message }, i) => {
    assert.deepEqual(ours[i], value, `${JSON.stringify(requests[i])} ${message}`);
  });
  const known = ours.filter((one) => one !== undefined).length;
  assert.ok(known > (3 * ours.length) / 4, `only ${known} of ${ours.length} have an answer`);
});

function layoutOrNothing(root: LayoutRoot, mode: LayoutMode): Layout | undefined {
  try {
    return root.layout(mode);
  } catch (error) {
    assert.ok(error instanceof LayoutError);
    return undefined;
  }
}

test("a field can be used where it stands", () => {
  assert.deepEqual(
    schemaFor(<Field type="Int8" />),
    schemaFor(
      <Field>
        <Field type="Int8" />
      </Field>,
    ),
  );
});
