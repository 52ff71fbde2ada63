import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "./caller.ts";
import { OperationError } from "./error.ts";
import { given, giveMethod, type NodeValue, noteOrigin, originOf, settled, settleMethod } from "./node_values.ts";
import { OperationTable } from "./registry.ts";
import { joined } from "./testing/memory.ts";

/** A value of a node whose handle is known after `waits`. */
class Held implements NodeValue {
  handle: string | undefined;
  readonly #waits: Promise<void> | undefined;

  constructor(waits?: Promise<void>) {
    this.#waits = waits?.then(() => void (this.handle = "h1"));
    if (waits === undefined) this.handle = "h1";
  }

  [settleMethod](): Promise<void> | undefined {
    return this.#waits;
  }

  async [giveMethod](): Promise<void> {
    await this.#waits;
    this.handle = `${this.handle} given`;
  }

  toJSON(): object {
    return { $tensor: this.handle };
  }
}

const table = new OperationTable();
table.register({ name: "a/same", handler: (input) => input });
table.register({ name: "a/items", type: "subscription", handler: (input) => [input] });

test("calls wait for what an input stands for", async () => {
  const { near } = await joined({}, { operations: table });
  const input = { list: [new Held(Promise.resolve().then(() => undefined))] };
  assert.deepEqual((await near.call("a/same", input)).data, { list: [{ $tensor: "h1" }] });
  for await (const item of near.subscribe("a/items", { x: new Held(Promise.resolve()) })) {
    assert.deepEqual(item, { x: { $tensor: "h1" } });
  }
  const failed = new OperationError("SHAPE_MISMATCH", "no");
  const { error } = await near.call("a/same", [new Held(Promise.reject(failed))]);
  assert.equal(error?.code, "SHAPE_MISMATCH");
});

test("only what is not settled is waited for", () => {
  const to = {} as Caller;
  const endless: Record<string, unknown> = { bytes: new Uint8Array(3), x: new Held() };
  endless["again"] = endless["too"] = endless;
  assert.equal(settled({ x: [1, "a", null, new Held(), { date: new Date() }] }, to), undefined);
  assert.equal(settled(endless, to), undefined);
  assert.equal(given(endless["bytes"], to), endless["bytes"]);
});

test("an output is given to the caller before it is sent", async () => {
  const output = [{ x: new Held(Promise.resolve()) }];
  assert.equal(JSON.stringify(await given(output, {} as Caller)), '[{"x":{"$tensor":"h1 given"}}]');
});

test("handles remember by whom they can be used", () => {
  const input = { x: { $tensor: "h1" }, list: [{ $tensor: "h2" }, { $tensor: 3 }] };
  const origin = { caller: {} as Caller, lent: true };
  noteOrigin(input, origin);
  assert.deepEqual([input.x, ...input.list].map(originOf), [origin, origin, undefined]);
});
