import assert from "node:assert/strict";
import { test } from "node:test";
import { ArrayOf, diffLayouts, Field, nextVersion, schemaFor, Struct, Tensor } from "./index.ts";

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
