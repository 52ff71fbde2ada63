import assert from "node:assert/strict";
import { test } from "node:test";
import { abortable, filter, map, merge, Queue, take } from "./index.ts";
import { ListedSignal, settled } from "./testing/signal.ts";

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const value of stream) out.push(value);
  return out;
}

/** Counts up; `state` says whether it was left. */
function counter(state: { left: boolean; taken: number }): AsyncIterable<number> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: state.taken++ }),
      return: () => {
        state.left = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
}

test("map, filter and take go together, over plain iterables too", async () => {
  const odd = filter([1, 2, 3, 4, 5, 6, 7], (value) => value % 2 === 1);
  const squares = map(odd, async (value, i) => `${i}:${value * value}`);
  assert.deepEqual(await all(take(squares, 3)), ["0:1", "1:9", "2:25"]);
  assert.deepEqual(await all(take([1], 3)), [1]);
});

test("take leaves the source with the last value, and asks for no more", async () => {
  const state = { left: false, taken: 0 };
  const stream = take(counter(state), 2);
  await stream.next();
  assert.deepEqual(state, { left: false, taken: 1 });
  await stream.next();
  assert.deepEqual(state, { left: true, taken: 2 });
  assert.equal((await stream.next()).done, true);
  assert.deepEqual(state, { left: true, taken: 2 });
  const none = { left: false, taken: 0 };
  assert.deepEqual([await all(take(counter(none), 0)), none], [[], { left: true, taken: 0 }]);
  assert.throws(() => take([], -1), { code: "invalid_argument" });
});

test("leaving an operator leaves its source, also while a value is awaited", async () => {
  const queue = new Queue<number>();
  const stream = map(
    filter(queue, () => true),
    (value) => value,
  );
  const waiting = stream.next();
  await settled();
  await stream.return?.();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.equal(await queue.push(1), false);
});

test("an error of a function leaves the source; an error of the source comes through", async () => {
  const state = { left: false, taken: 0 };
  const failing = map(counter(state), (value) => {
    if (value === 1) throw new Error("one");
    return value;
  });
  await failing.next();
  await assert.rejects(failing.next(), /one/);
  assert.deepEqual([state.left, (await failing.next()).done], [true, true]);
  const queue = new Queue<number>();
  queue.fail(new Error("source"));
  await assert.rejects(filter(queue, () => true).next(), /source/);
});

test("values that are asked for together come in order", async () => {
  const stream = map([3, 2, 1], (value) => new Promise<number>((resolve) => setImmediate(resolve, value)));
  const [a, b, c, end] = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
  assert.deepEqual([a?.value, b?.value, c?.value, end?.done], [3, 2, 1, true]);
});

test("merge gives values as they come and ends with the last source", async () => {
  const [x, y] = [new Queue<string>(), new Queue<string>()];
  const merged = merge(x, y);
  const first = merged.next();
  await y.push("y1");
  assert.equal((await first).value, "y1");
  await x.push("x1");
  await y.push("y2");
  x.end();
  assert.equal((await merged.next()).value, "x1");
  assert.equal((await merged.next()).value, "y2");
  y.end();
  assert.deepEqual(await all(merged), []);
  assert.deepEqual(await all(merge()), []);
  assert.deepEqual((await all(merge([1, 2], [3, 4]))).sort(), [1, 2, 3, 4]);
});

test("merge takes at most one value of each source ahead", async () => {
  const [a, b] = [
    { left: false, taken: 0 },
    { left: false, taken: 0 },
  ];
  const merged = merge(counter(a), counter(b));
  assert.deepEqual([a.taken, b.taken], [0, 0], "nothing before the first is asked for");
  await merged.next();
  await settled();
  assert.ok(a.taken <= 2 && b.taken <= 2);
  await merged.return?.();
  assert.deepEqual([a.left, b.left, (await merged.next()).done], [true, true, true]);
});

test("an error in one source of a merge leaves the others and comes after the values before it", async () => {
  const queue = new Queue<number>();
  const state = { left: false, taken: 0 };
  const merged = merge(queue, take(counter(state), 5));
  await merged.next();
  queue.fail(new Error("one"));
  await settled();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const value of merged) seen.push(value);
  })();
  await assert.rejects(reading, /one/);
  assert.ok(state.left);
});

test("abortable ends at once, even when the source has stopped for good", async () => {
  const stuck = (async function* () {
    yield 1;
    await new Promise(() => undefined);
  })();
  const signal = new ListedSignal();
  const stream = abortable(stuck, signal);
  assert.equal((await stream.next()).value, 1);
  const waiting = stream.next();
  await settled();
  signal.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.deepEqual([(await stream.next()).done, signal.listeners.size], [true, 0]);
  await assert.rejects(abortable([1], signal).next(), /enough/);
});
