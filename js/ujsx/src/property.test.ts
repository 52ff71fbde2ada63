// Whatever a tree was before, updating it gives what a fresh render of the new one gives.
import { batch, type Signal, signal } from "@preact/signals-core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRoot, h, type Node, type Shown, TestHost } from "./index.ts";
import { Random } from "../../testing/random.ts";
import { TreeMaker } from "./testing/tree.ts";

function fresh(node: Node): Shown {
  const host = new TestHost();
  const root = createRoot(host, undefined);
  root.render(node);
  root.flush();
  const shown = host.show();
  root.unmount();
  return shown;
}

test("a tree that is updated is the tree that is made anew, through trees and signals", () => {
  let kept = 0;
  let seen = 0;
  for (let seed = 0; seed < 250; ++seed) {
    const random = new Random(seed);
    const signals = [signal(0), signal(1)];
    const nodes: Signal<Node>[] = [signal<Node>("s"), signal<Node>(null)];
    const maker = new TreeMaker(random, signals, nodes);
    const host = new TestHost();
    const root = createRoot(host, undefined);
    let tree: Node;
    for (let step = 0; step < 10; ++step) {
      const change = (): void => {
        if (step === 0 || random.once(5)) tree = h("top", null, ...maker.children(4));
        else if (!random.once(4)) tree = maker.edited(tree, 4);
        root.render(tree);
        if (random.once(2)) random.pick(signals).value = random.below(3);
        if (random.once(2))
          random.pick(nodes).value = random.pick(["s", 4, null, h("dyn", { p: signals[0] }), ["x", "y"]]);
      };
      if (random.once(2)) batch(change);
      else change();
      const before = new Set(host.alive);
      root.flush();
      const shown = host.show();
      assert.deepEqual(shown, fresh(tree), `seed ${seed}, step ${step}`);
      kept += [...host.alive].filter((one) => before.has(one)).length;
      seen += host.alive.size;
    }
    root.unmount();
    assert.deepEqual([host.root.children.length, host.alive.size], [0, 0], "nothing is left");
    host.take();
    signals.forEach((one) => (one.value = 9));
    assert.deepEqual(host.calls, [], "nobody listens any more");
  }
  assert.ok(kept > seen / 4, `only ${kept} of ${seen} instances were kept`);
});

test("rendering the same tree again tells the host nothing", () => {
  for (let seed = 0; seed < 50; ++seed) {
    const build = (): Node =>
      h("top", null, ...new TreeMaker(new Random(seed), [signal(1)], [signal<Node>("s")]).children(5));
    const host = new TestHost();
    const root = createRoot(host, undefined);
    root.render(build());
    root.flush();
    host.take();
    root.render(build());
    root.flush();
    // Boundaries that failed try again: their new parts are made, and given up.
    const seen = host.take().filter((call) => !/^(create|finalize|append [^r]|remove [^r])/.test(call));
    assert.deepEqual(seen, [], `seed ${seed}`);
  }
});
