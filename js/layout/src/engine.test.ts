// Trees beside the C++ engine: the same offsets, and the same differences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, kNoEngine, type Request } from "../../testing/engine.ts";
import { Random } from "../../testing/random.ts";
import type { Layout, LayoutMode, SchemaInput } from "@alknet/schema";
import type { Node } from "@alknet/ujsx";
import { createLayout, diffLayouts, LayoutError, type LayoutRoot, schemaFor } from "./index.ts";
import { LayoutMaker } from "./testing/trees.tsx";

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
