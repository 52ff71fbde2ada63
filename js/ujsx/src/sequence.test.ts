import assert from "node:assert/strict";
import { test } from "node:test";
import { createRoot, h, TestHost } from "./index.ts";
import { longestIncreasing } from "./sequence.ts";
import { permutations, Random } from "../../testing/random.ts";

/** The length of the longest increasing subsequence, by looking at all subsequences. */
function bruteLength(values: readonly number[]): number {
  let best = 0;
  for (let mask = 0; mask < 1 << values.length; ++mask) {
    const chosen = values.filter((_value, i) => (mask >> i) & 1);
    if (chosen.every((value, i) => i === 0 || (chosen[i - 1] as number) < value)) best = Math.max(best, chosen.length);
  }
  return best;
}

/** The fewest moves of one element that turn `from` into each permutation of it: breadth-first search. */
function fewestMoves(from: readonly string[]): Map<string, number> {
  const moves = new Map([[from.join(), 0]]);
  const queue = [from];
  for (const order of queue) {
    for (let i = 0; i < order.length; ++i) {
      for (let j = 0; j < order.length; ++j) {
        const next = order.filter((_name, at) => at !== i);
        next.splice(j, 0, order[i] as string);
        if (moves.has(next.join())) continue;
        moves.set(next.join(), (moves.get(order.join()) as number) + 1);
        queue.push(next);
      }
    }
  }
  return moves;
}

test("the longest increasing subsequence is as long as any", () => {
  const random = new Random(1);
  for (let round = 0; round < 400; ++round) {
    const values = Array.from({ length: random.below(10) }, () => random.below(12) - 2);
    const positions = longestIncreasing(values);
    const found = positions.map((i) => values[i] as number);
    assert.ok(positions.every((at, i) => i === 0 || at > (positions[i - 1] as number)));
    assert.ok(found.every((value, i) => value >= 0 && (i === 0 || value > (found[i - 1] as number))));
    assert.equal(positions.length, bruteLength(values.filter((value) => value >= 0)), values.join());
  }
});

test("keyed children are reordered by the fewest moves: every permutation of six, beside a search", () => {
  const names = [..."abcdef"];
  const expected = fewestMoves(names);
  assert.equal(expected.size, 720);
  for (const order of permutations(names)) {
    const host = new TestHost();
    const root = createRoot(host, undefined);
    const show = (list: readonly string[]): void => {
      root.render(list.map((name) => h(name, { key: name })));
      root.flush();
    };
    show(names);
    host.take();
    show(order);
    assert.deepEqual(
      host.root.children.map((child) => child.type),
      order,
    );
    const moves = host.take().filter((call) => call !== "commit");
    assert.equal(moves.length, expected.get(order.join()), order.join());
    assert.ok(moves.every((call) => /^(insert|append) /.test(call)));
  }
});

test("long lists: as many moves as there are children outside of one longest run", () => {
  const random = new Random(2);
  for (let round = 0; round < 20; ++round) {
    const host = new TestHost();
    const root = createRoot(host, undefined);
    const before = random.shuffled(Array.from({ length: 14 }, (_one, i) => i));
    const after = random.shuffled([...before.filter(() => !random.once(4)), 20, 21, 22]);
    root.render(before.map((i) => h("x", { key: i, i })));
    root.flush();
    host.take();
    root.render(after.map((i) => h("x", { key: i, i })));
    root.flush();
    const kept = after.filter((i) => before.includes(i));
    const calls = host.take();
    const placements = calls.filter((call) => /^(insert|append) /.test(call)).length;
    assert.equal(placements, 3 + kept.length - bruteLength(kept.map((i) => before.indexOf(i))));
    assert.equal(calls.filter((call) => call.startsWith("remove ")).length, before.length - kept.length);
    assert.equal(calls.filter((call) => call.startsWith("create ")).length, 3);
    assert.ok(!calls.some((call) => call.startsWith("update ")));
  }
});
