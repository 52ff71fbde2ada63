import assert from "node:assert/strict";
import { test } from "node:test";
import { h } from "@alknet/ujsx";
import { Executor, Operation, Parallel, Sequential } from "./index.ts";
import { FakeCaller } from "./testing/fakes.ts";

const handle = ($tensor: string) => ({ $tensor, dtype: "f32", shape: [2] });

interface Copy {
  readonly tensor: { readonly $tensor: string };
  readonly device: string;
}

/** `op/make` answers a tensor of its own at each peer; a copy is "a at gpu1". */
function twoPeers(refused?: string) {
  return new FakeCaller({
    "op/make": (_: unknown, { peer }: { peer?: string }) => handle(peer ?? "here"),
    "op/use": () => "used",
    "compute/to": ({ tensor, device }: Copy) => {
      if (tensor.$tensor === refused) throw Object.assign(new Error(`${refused} is lost`), { code: "UNAVAILABLE" });
      return handle(`${tensor.$tensor} at ${device}`);
    },
    "compute/dispose": () => ({}),
  });
}

const make = (peer: string) => h(Operation, { id: peer, name: "op/make", input: {}, peer });
/** Both make a tensor, and `op/use` reads them. */
const template = (use: object = {}) => {
  const input = { a: "$.nodes.made/gpu1.output", b: ["$.nodes.made/gpu2.output"] };
  const made = h(Parallel, { id: "made" }, make("gpu1"), make("gpu2"));
  return h(Sequential, {}, made, h(Operation, { id: "use", name: "op/use", input, ...use }));
};

const disposed = (caller: FakeCaller) =>
  caller.calls.flatMap(({ name, input }) =>
    name === "compute/dispose" ? (input as { handles: string[] }).handles : [],
  );

test("An operation here gets copies on the device where tensors are made, and they are disposed after it", async () => {
  const caller = twoPeers();
  assert.equal(await new Executor({ caller }).run(template()), "used");
  const [a, b] = [handle("gpu1 at default"), handle("gpu2 at default")];
  assert.deepEqual(caller.calls.find(({ name }) => name === "op/use")?.input, { a, b: [b] });
  assert.deepEqual(disposed(caller), [a.$tensor, b.$tensor]);
});

test("An operation at a peer gets a copy of what lives elsewhere alone", async () => {
  const caller = twoPeers();
  await new Executor({ caller }).run(template({ peer: "gpu2" }));
  const used = caller.calls.find(({ name }) => name === "op/use");
  assert.deepEqual(used?.input, { a: handle("gpu1 at peer:gpu2"), b: [handle("gpu2")] });
  assert.deepEqual(disposed(caller), ["gpu1 at peer:gpu2"]);
});

test("When one copy cannot be made the others are disposed, and the error names the node", async () => {
  const caller = twoPeers("gpu2");
  await assert.rejects(new Executor({ caller }).run(template()), /\/0\/use \(op\/use\).*gpu2 is lost/);
  assert.ok(caller.calls.every(({ name }) => name !== "op/use"));
  assert.deepEqual(disposed(caller), ["gpu1 at default"]);
});
