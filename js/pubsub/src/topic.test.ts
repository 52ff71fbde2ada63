import assert from "node:assert/strict";
import { test } from "node:test";
import { PubSub, Topic } from "./index.ts";
import { ListedSignal, settled } from "./testing/signal.ts";

test("each subscriber gets what is published while it listens", async () => {
  const topic = new Topic<number>();
  assert.equal(await topic.publish(0), 0);
  const one = topic.subscribe();
  await topic.publish(1);
  const two = topic.subscribe();
  assert.equal(await topic.publish(2), 2);
  topic.end();
  const read = async (stream: AsyncIterable<number>): Promise<number[]> => {
    const out = [];
    for await (const value of stream) out.push(value);
    return out;
  };
  assert.deepEqual([await read(one), await read(two), await read(topic.subscribe())], [[1, 2], [2], []]);
  await assert.rejects(topic.publish(3), { code: "closed" });
});

test("a slow subscriber that waits slows the publisher; others do not", async () => {
  const topic = new Topic<number>();
  const slow = topic.subscribe({ capacity: 1 });
  const newest = topic.subscribe({ capacity: 1, overflow: "drop-oldest" });
  const strict = topic.subscribe({ capacity: 1, overflow: "error" });
  assert.equal(await topic.publish(1), 3);
  let published: number | undefined;
  const second = topic.publish(2).then((count) => (published = count));
  await settled();
  assert.equal(published, undefined);
  assert.deepEqual(await slow.next(), { done: false, value: 1 });
  await second;
  assert.deepEqual([published, topic.subscribers], [2, 2]);
  assert.deepEqual(await newest.next(), { done: false, value: 2 });
  assert.deepEqual(await strict.next(), { done: false, value: 1 });
  await assert.rejects(strict.next(), { code: "overflow" });
});

test("leaving, cancelling and failing end subscriptions", async () => {
  const topic = new Topic<number>();
  const signal = new ListedSignal();
  const [left, cancelled, failed] = [topic.subscribe(), topic.subscribe({ signal }), topic.subscribe()];
  await left.return?.();
  assert.equal(topic.subscribers, 2);
  signal.abort(new Error("enough"));
  await assert.rejects(cancelled.next(), /enough/);
  assert.equal(topic.subscribers, 1);
  await assert.rejects(topic.subscribe({ signal }).next(), /enough/);
  assert.equal(topic.subscribers, 1);
  topic.fail(new Error("broken"));
  await assert.rejects(failed.next(), /broken/);
  await assert.rejects(topic.subscribe().next(), /broken/);
  assert.equal(topic.subscribers, 0);
});

test("topics by name live as long as somebody listens", async () => {
  const hub = new PubSub<{ loss: number; note: string }>();
  assert.equal(await hub.publish("loss", 1), 0);
  const losses = hub.subscribe("loss");
  const notes = hub.subscribe("note");
  assert.deepEqual(hub.names, ["loss", "note"]);
  await hub.publish("loss", 0.5);
  await hub.publish("note", "n");
  assert.deepEqual([(await losses.next()).value, (await notes.next()).value], [0.5, "n"]);
  await losses.return?.();
  assert.deepEqual(hub.names, ["note"]);
  assert.equal(await hub.publish("loss", 1), 0);
  hub.end();
  assert.equal((await notes.next()).done, true);
  const again = hub.subscribe("note");
  await hub.publish("note", "again");
  assert.equal((await again.next()).value, "again");
});
