import assert from "node:assert/strict";
import { test } from "node:test";
import { PubSubError, Queue } from "./index.ts";
import { ListedSignal, settled } from "./testing/signal.ts";

async function all<T>(queue: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const value of queue) out.push(value);
  return out;
}

test("values come out in order, whoever is first", async () => {
  const queue = new Queue<number>({ capacity: 3 });
  const early = [queue.next(), queue.next()];
  for (const value of [1, 2, 3, 4]) assert.equal(await queue.push(value), true);
  assert.deepEqual(await Promise.all(early), [
    { done: false, value: 1 },
    { done: false, value: 2 },
  ]);
  queue.end();
  assert.deepEqual(await all(queue), [3, 4]);
  assert.deepEqual(await queue.next(), { done: true, value: undefined });
});

test("wait: senders wait for room, in order, and never hold more than one value each", async () => {
  const queue = new Queue<number>({ capacity: 2 });
  const log: string[] = [];
  const send = async (): Promise<void> => {
    for (let i = 0; i < 6; ++i) {
      await queue.push(i);
      log.push(`sent ${i}`);
    }
    queue.end();
  };
  const sending = send();
  await settled();
  assert.deepEqual([log.splice(0), queue.size], [["sent 0", "sent 1"], 2]);
  assert.deepEqual(await queue.next(), { done: false, value: 0 });
  await settled();
  assert.deepEqual([log.splice(0), queue.size], [["sent 2"], 2]);
  assert.deepEqual(await all(queue), [1, 2, 3, 4, 5]);
  await sending;
});

test("drop-oldest: the newest values stay, and the others are counted", async () => {
  const queue = new Queue<number>({ capacity: 2, overflow: "drop-oldest" });
  for (let i = 0; i < 5; ++i) assert.equal(await queue.push(i), true);
  queue.end();
  assert.deepEqual([await all(queue), queue.dropped], [[3, 4], 3]);
});

test("error: a full queue refuses, and goes on", async () => {
  const queue = new Queue<number>({ capacity: 1, overflow: "error" });
  await queue.push(1);
  await assert.rejects(queue.push(2), { code: "overflow" });
  await queue.next();
  await queue.push(3);
  queue.end();
  assert.deepEqual(await all(queue), [3]);
});

test("a failure comes after the values before it, once", async () => {
  const queue = new Queue<number>({ capacity: 1 });
  void queue.push(1);
  void queue.push(2); // waits
  queue.fail(new Error("lost"));
  queue.end();
  assert.deepEqual(await queue.next(), { done: false, value: 1 });
  assert.deepEqual(await queue.next(), { done: false, value: 2 });
  await assert.rejects(queue.next(), /lost/);
  assert.deepEqual(await queue.next(), { done: true, value: undefined });
  await assert.rejects(queue.push(3), { code: "closed" });
});

test("a reader that leaves tells the senders", async () => {
  let closed = 0;
  const queue = new Queue<number>({ capacity: 1, onClose: () => ++closed });
  void queue.push(1);
  const waiting = queue.push(2);
  for await (const value of queue) {
    assert.equal(value, 1);
    break;
  }
  assert.deepEqual([await waiting, await queue.push(3), closed], [true, false, 1]);
  assert.deepEqual(await queue.next(), { done: true, value: undefined });
  const full = new Queue<number>({ capacity: 1 });
  void full.push(1);
  const refused = full.push(2);
  await full.return();
  assert.equal(await refused, false);
});

test("a signal of any make cancels: readers get the reason, senders false, and it is forgotten", async () => {
  const signal = new ListedSignal();
  let closed = 0;
  const queue = new Queue<number>({ capacity: 1, signal, onClose: () => ++closed });
  const reading = queue.next();
  signal.abort(new Error("stop"));
  await assert.rejects(reading, /stop/);
  assert.deepEqual([await queue.push(1), signal.listeners.size, closed], [false, 0, 1]);

  const held = new ListedSignal();
  const holding = new Queue<number>({ capacity: 1, signal: held });
  void holding.push(1);
  const waiting = holding.push(2);
  held.abort();
  assert.equal(await waiting, false);
  await assert.rejects(holding.next(), (error) => error instanceof PubSubError && error.code === "aborted");

  const before = new Queue<number>({ signal: held });
  await assert.rejects(before.next(), { code: "aborted" });

  const real = new AbortController();
  const normal = new Queue<number>({ signal: real.signal });
  real.abort("why");
  await assert.rejects(normal.next(), (error) => error === "why");
});

test("a stream that ended forgets its signal", async () => {
  const signal = new ListedSignal();
  const queue = new Queue<number>({ signal });
  void queue.push(1);
  queue.end();
  assert.deepEqual(await all(queue), [1]);
  assert.equal(signal.listeners.size, 0);
});

test("a capacity that makes no sense is refused", () => {
  for (const capacity of [0, -1, 1.5, NaN]) {
    assert.throws(() => new Queue({ capacity }), { code: "invalid_argument" });
  }
});

test("200,000 values go through in bounded memory", async () => {
  const queue = new Queue<number>({ capacity: 16 });
  const send = async (): Promise<void> => {
    for (let i = 0; i < 200_000; ++i) await queue.push(i);
    queue.end();
  };
  void send();
  let sum = 0;
  let most = 0;
  for await (const value of queue) {
    sum += value;
    most = Math.max(most, queue.size);
  }
  assert.deepEqual([sum, most <= 16], [(200_000 * 199_999) / 2, true]);
});
