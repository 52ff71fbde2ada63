"""Tensors as inputs and outputs of operations written in JS: the program's own, those of `--ops` in a sandbox, and for
callers of a node."""

import json
import os
import unittest

import program
from serve_test import Node

OPS = """
import { operations, unwrap } from "@alknet/operations";
import { fromHandle, tensor } from "@alknet/tensor";

const environment = ["tensor/*", "compute/*", "mine/*"];
const register = (name, handler) => operations.register({ name, environment, handler });
register("mine/double", ({ x }) => fromHandle(x).mul(2));
register("mine/ones", () => ({ made: [tensor([1, 1]).mul(1)] }));
register("mine/theirs", (input, { env }) => tensor([5], { caller: env }));
register("mine/sum", ({ x }) => fromHandle(x).sum().item());
register("mine/dispose", ({ x }) => { fromHandle(x).dispose(); return null; });
register("mine/nested", async ({ x }, { env }) => {
  const mine = fromHandle(x).add(1);
  const doubled = fromHandle(unwrap(await env.call("mine/double", { x: mine })));
  return doubled.add(mine).add(fromHandle(x));
});
const secret = tensor([7, 7]);
register("mine/steal", async (input, { env }) => {
  const mixed = await env.call("tensor/relu", { input: secret });
  const raw = await env.call("tensor/relu", { input: { $tensor: "c900", dtype: "f32", shape: [2] } });
  return [mixed.error?.code ?? "none", raw.error?.code ?? "none"];
});
operations.register({
  name: "mine/items", type: "subscription", environment,
  async *handler({ x }) { for (let i = 0; i < 3; ++i) yield fromHandle(x).add(i); },
});
"""

CALLS = """
import { unwrap } from "@alknet/operations";
import { defaultSession, fromHandle, tensor } from "@alknet/tensor";

export async function tryAll(env) {
  const call = async (name, input = {}) => unwrap(await env.call(name, input));
  const stats = () => defaultSession().call("compute/stats", {});
  const count = async () => (await stats(), await stats()).resources.count; // what is let go goes behind the first
  const seen = {};
  const x = tensor([1, 2]).mul(1);
  const note = async (name, handle) => {
    const made = fromHandle(handle);
    seen[name] = await made.tolist();
    made.dispose();
  };
  await note("relu", await call("tensor/relu", { input: x }));
  const before = await count();
  for (const name of ["double", "nested", "theirs"]) await note(name, await call(`mine/${name}`, { x }));
  await note("ones", (await call("mine/ones")).made[0]);
  seen.sum = await call("mine/sum", { x: x.add(1) });
  await call("mine/dispose", { x });
  seen.items = [];
  for await (const item of env.subscribe("mine/items", { x })) {
    const made = fromHandle(item);
    seen.items.push(await made.tolist());
    made.dispose();
  }
  const many = await Promise.all([0, 1, 2, 3].map((i) => call("mine/nested", { x: tensor([i]) })));
  seen.many = [];
  for (const each of many) {
    const made = fromHandle(each);
    seen.many.push(await made.item());
    made.dispose();
  }
  seen.steal = await call("mine/steal");
  seen.x = await x.tolist();
  seen.left = (await count()) - before;
  return seen;
}
"""

SEEN = {
    "relu": [1, 2], "double": [2, 4], "nested": [7, 11], "theirs": [5], "ones": [1, 1], "sum": 5,
    "items": [[1, 2], [2, 3], [3, 4]], "many": [3, 7, 11, 15], "x": [1, 2], "left": 0,
}  # fmt: skip
REFUSED = "INVALID_INPUT"

MAIN = """
import { env } from "@alknet/operations";
import { tryAll } from "./calls.ts";
console.log(JSON.stringify(await tryAll(env)));
"""

# A caller of the node with handles of its own, whose names are the same as those of the script there.
FAR = """
import { connect } from "@alknet/operations";
import { useCaller } from "@alknet/tensor";
import { args } from "@alknet/program";
import { tryAll } from "./calls.ts";
const node = await connect(args[0]);
useCaller(node);
console.log(JSON.stringify(await tryAll(node.env)));
node.close();
"""


class TensorHandlers(program.ProgramTest):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.ops = self.file("ops.ts", OPS)
        self.file("calls.ts", CALLS)

    def seen(self, source, *options, arguments=()):
        file = self.file("main.ts", source)
        done = program.run("run", *options, file, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_operations_of_the_program(self):
        seen = self.seen('import "./ops.ts";' + MAIN, "--device", "cpu")
        self.assertEqual(seen, {**SEEN, "steal": ["none", REFUSED]}, "the program's own tensors are its own")

    def test_operations_in_a_sandbox(self):
        seen = self.seen(MAIN, "--device", "cpu", "--ops", self.ops)
        self.assertEqual(seen, {**SEEN, "steal": [REFUSED, REFUSED]})

    def test_operations_of_a_node_for_several_callers(self):
        options = ["--ops", self.ops, "--allow", "compute"]
        with Node(self.folder, "--ws", "127.0.0.1:0", *options) as node:
            for _ in range(2):
                seen = self.seen(FAR, arguments=[node.addresses["ws"]])
                self.assertEqual(seen, {**SEEN, "steal": [REFUSED, REFUSED]})


if __name__ == "__main__":
    os.environ.setdefault("ALKNET_PIPELINE_CACHE", "off")
    unittest.main()
