// Handlers of the program that an isolate belongs to.
import assert from "node:assert/strict";
import { test } from "node:test";
import { env, hasHost, operations } from "./host.ts";

const skip = hasHost ? false : "this is no isolate of alknet, which has the module alknet:host";

test("giving a subscription up reaches its iterator while an item is awaited", { skip }, async () => {
  let returned: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (returned = resolve));
  const items = {
    next: () => new Promise<never>(() => undefined),
    return: () => {
      returned();
      return Promise.resolve({ done: true as const, value: undefined });
    },
    [Symbol.asyncIterator]: () => items,
  };
  const operation = operations.register({ name: "host/endless", type: "subscription", handler: () => items });
  const controller = new AbortController();
  const subscription = env.subscribe("host/endless", {}, { signal: controller.signal });
  const first = subscription.next();
  await env.call("host/nothing"); // by now it waits
  controller.abort();
  await assert.rejects(first, { code: "ABORTED" });
  await gone;
  operation.unregister();
});

test("handlers of subscriptions give whatever can be iterated, or a promise of it", { skip }, async () => {
  const handlers = [() => [1, 2], () => new Set([1, 2]), async () => Promise.resolve([1, 2])];
  for (const handler of handlers) {
    const operation = operations.register({ name: "host/items", type: "subscription", handler: handler as () => number[] });
    const items: unknown[] = [];
    for await (const item of env.subscribe("host/items")) items.push(item);
    assert.deepEqual(items, [1, 2]);
    operation.unregister();
  }
  const nothing = operations.register({ name: "host/items", type: "subscription", handler: () => 5 as never });
  await assert.rejects(env.subscribe("host/items").next(), { code: "INTERNAL" });
  nothing.unregister();
});
