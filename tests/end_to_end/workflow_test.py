"""`alknet run` of templates that mix operations of the program, of a sandbox and of a peer, and of trainings that are
killed and go on."""

import json
import os
import signal
import subprocess
import unittest

import program
from train_test import digits_installed, entries, lines
from two_nodes_test import TwoNodesTest

ROOT = program.ROOT
OPS = """import { operations } from "@alknet/operations";
operations.register({
  name: "text/lengths", type: "query",
  input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  output: { type: "array", items: { type: "integer" } },
  handler: ({ text }) => text.split(" ").map((word) => word.length),
});
"""
HEAD = """import { callerOf, Conditional, Executor, Input, Map as MapOver, Operation, Output, Parallel, Sequential } from "@alknet/flowgraph";
import { env } from "@alknet/operations";
import { tensor } from "@alknet/tensor";
const executor = new Executor({ caller: callerOf(env) });
"""
# x is [[1, 2], [3, 4]]: relu and doubling here, the product at gpu1, the sum here again.
MIXED = (
    HEAD
    + """
const template = (
  <Sequential>
    <Input name="x" dtype="f32" shape={["n", "n"]} />
    <Parallel id="both">
      <Sequential id="numbers">
        <Operation key="double" name="tensor/mul" input={{ input: "$.input.x", other: 2 }} />
        <Operation id="product" name="tensor/matmul" peer="gpu1" input={{ input: "$.output", other: "$.input.x" }} />
        <Operation id="sum" name="tensor/sum" input={{ dim: [1] }} />
        <Operation id="read" name="compute/read_tensor" input={{ tensor: "$.output", as: "values" }} />
      </Sequential>
      <Operation id="words" name="text/lengths" input={{ text: "to be or" }} />
    </Parallel>
    <MapOver id="each" over="$.nodes.both/words.output" as="length">
      <Conditional test="$.length" then={<Sequential>
        <Operation name="tensor/full" input={{ size: [2], fill_value: 3, dtype: "f32" }} />
        <Operation name="tensor/exp2" />
        <Operation name="compute/read_tensor" input={{ tensor: "$.output", as: "values" }} />
      </Sequential>} else={<Operation name="text/lengths" input={{ text: "none" }} />} />
    </MapOver>
    <Output name="sums" value="$.nodes.both/numbers/read.output.values" />
    <Output name="lengths" value="$.nodes.both/words.output" />
    <Output name="each" value="$.nodes.each.output" />
  </Sequential>
);
const x = await tensor([[1, 2], [3, 4]]).ready();
const execution = executor.start(template, { x });
const result = await execution.result as { each: { values: number[] }[] };
console.log(JSON.stringify({ ...result, peers: execution.calls.records.filter(({ peer }) => peer).map(({ path }) => path) }));
"""
)
BESIDE = (
    HEAD
    + """
const x = await tensor([[1, 2], [3, 4]]).ready();
console.log(JSON.stringify((await executor.run(
  <Sequential>
    <Operation id="far" name="tensor/relu" peer="gpu1" input={{ input: x }} />
    <Operation name="tensor/add" input={{ input: "$.output", other: x }} />
    <Operation name="compute/read_tensor" input={{ tensor: "$.output", as: "values" }} />
  </Sequential>) as { values: unknown }).values));
"""
)
TENSORS = """import { tensor, noGrad } from "@alknet/tensor";
const x = tensor([[1, 2], [3, 4]]);
const far = x.to("peer:gpu1");
const product = far.matmul(far).add(1);
console.log(product.peer, JSON.stringify(await product.tolist()), JSON.stringify(await product.to("cpu").sum().tolist()));
try { far.add(x); } catch (error) { console.log((error as Error).message); }
try { tensor([1], { requires_grad: true }).to("peer:gpu1"); } catch (error) { console.log((error as Error).message); }
try { await x.to("peer:nobody").data(); } catch (error) { console.log((error as Error).message); }
console.log(await far.show());
"""
# Waits for a line of standard input between the nodes, so that the test can stop gpu1.
KILLED = (
    HEAD
    + """
import { readInput, write } from "@alknet/program";
const x = await tensor([1, 2]).ready();
const execution = executor.start(
  <Parallel>
    <Sequential id="far">
      <Operation id="first" name="tensor/relu" peer="gpu1" input={{ input: "$.input.x" }} />
      <Operation id="wait" name="local/wait" input={null} run={() => { write("begun\\n"); readInput(); }} />
      <Operation id="second" name="tensor/exp" peer="gpu1" input={{ input: "$.nodes.first.output" }} />
      <Operation id="after" name="tensor/sum" input={{ input: "$.output" }} />
    </Sequential>
    <Operation id="words" name="text/lengths" input={{ text: "a bc" }} />
  </Parallel>, { x });
const message = await execution.result.then(() => "done", (error: Error) => error.message);
console.log(message);
console.log(JSON.stringify(Object.fromEntries([...execution.nodes].map(([path, node]) => [path, node.status.value]))));
"""
)


class MixedTest(TwoNodesTest):
    def script(self, name, text, *options, device="cpu"):
        return self.alknet("run", "--device", device, "--peer", "gpu1", *options, self.file(name, text))

    def test_operations_here_in_a_sandbox_and_at_a_peer_look_the_same(self, device="cpu"):
        done = self.script("mixed.tsx", MIXED, "--ops", self.file("words.ts", OPS), device=device)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        result = json.loads(done.stdout)
        # 2 x x = [[14, 20], [30, 44]]
        self.assertEqual((result["sums"], result["lengths"]), ([34, 74], [2, 2, 2]))
        self.assertEqual([each["values"] for each in result["each"]], [[8, 8]] * 3)
        self.assertEqual(result["peers"], ["/0/both/numbers/product"])

    @unittest.skipUnless(program.has_gpu(), "no GPU")
    def test_what_comes_from_a_peer_is_on_the_device_where_tensors_are_made(self):
        self.test_operations_here_in_a_sandbox_and_at_a_peer_look_the_same(device="gpu")
        # Beside a tensor that is made here.
        done = self.script("beside.tsx", BESIDE, device="gpu")
        self.assertEqual((done.returncode, done.stdout), (0, b"[[2,4],[6,8]]\n"), done.stderr.decode())

    def test_tensors_are_copied_to_a_peer_and_back(self):
        done = self.script("tensors.ts", TENSORS)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        first, mixed, gradients, nobody, *shown = done.stdout.decode().splitlines()
        self.assertEqual(first, "gpu1 [[8,11],[16,23]] 58")
        self.assertIn('to("peer:NAME")', mixed)
        self.assertIn("noGrad", gradients)
        self.assertIn("no peer nobody", nobody)
        self.assertEqual(shown, ["tensor([[1., 2.],", "        [3., 4.]], f32 [2, 2], at gpu1)"])

    def test_a_peer_that_is_killed_fails_its_nodes_and_what_depends_on_them_alone(self):
        command = [program.PROGRAM, "run", "--device", "cpu", "--peer", "gpu1", "--ops", self.file("words.ts", OPS),
                   self.file("killed.tsx", KILLED)]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "XDG_CONFIG_HOME": str(self.configuration)}, text=True) as running:  # fmt: skip
            self.assertEqual(running.stdout.readline(), "begun\n")
            self.gpu1.process.kill()
            self.gpu1.process.wait()
            output, errors = running.communicate(timeout=60)
        message, states = output.splitlines()
        self.assertIn("/0/far/second (tensor/exp at gpu1): ", message, errors)
        states = json.loads(states)
        self.assertEqual([states[f"/0/far/{name}"] for name in ("first", "wait", "second", "after")],
                         ["completed", "completed", "failed", "failed"])  # fmt: skip
        self.assertEqual(states["/0/words"], "completed")

    def test_a_peer_that_cannot_be_reached_is_said_before_the_script_runs(self):
        self.gpu1.process.kill()
        self.gpu1.process.wait()
        done = self.alknet("run", "--peer", "gpu1=quic://127.0.0.1:1", self.file("a.ts", "console.log(1)"))
        self.assert_fails(done, 1, "--peer gpu1")
        self.assertEqual(done.stdout, b"")
        self.assert_fails(self.alknet("run", "--peer", "nobody", self.file("a.ts", "1")), 2, "nobody", "alknet peer add")
        self.assert_fails(self.alknet("run", "--restrict", "--peer", "gpu1", self.file("a.ts", "1")), 2, "--restrict")


# A line through two points, fitted in steps of all there is.
LINE = """import { callerOf, Executor, Input, Output } from "@alknet/flowgraph";
import { Fit, Linear, MSELoss, sgd } from "@alknet/nn";
import { env } from "@alknet/operations";
import { trainingProgram } from "@alknet/program/training";
import { tensor } from "@alknet/tensor";
const [x, target] = [await tensor([[1], [2]]).ready(), await tensor([[3], [5]]).ready()];
const training = await trainingProgram({ folder: "out", json: false });
const fit = ({ rate, epochs = 9, patience = 2, host = training.host }) => new Executor({ caller: callerOf(env), seed: 1 }).run(
  <Fit data={() => [{ x, target }]} epochs={epochs} optimizer={sgd()} learning_rate={rate} patience={patience} host={host}>
    <Input name="x" dtype="f32" shape={["batch", 1]} />
    <Input name="target" dtype="f32" shape={["batch", 1]} />
    <Linear id="fc" in={1} out={1} input="$.input.x" />
    <MSELoss input={{ target: "$.input.target" }} />
    <Output name="loss" />
  </Fit>
);
"""


class TrainingProgramTest(program.ProgramTest):
    def script(self, *lines):
        done = program.run("run", "--device", "cpu", self.file("training.tsx", LINE + "\n".join(lines)), cwd=self.folder)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_says_that_it_stopped_early_and_at_which_epoch_it_was_best(self):
        status, output, errors = self.script("await fit({ rate: 0 });", 'await training.finish({ epochs: 3 }, "done");')
        self.assertEqual(status, 0, errors)
        epochs = [line.partition(":")[0] for line in output.splitlines()]
        self.assertEqual(epochs, ["epoch   1", "epoch   2", "epoch   3", "stopped early after epoch 3", "done"])
        self.assertIn("after epoch 3: epoch 1 was the best\n", output)

    def test_draws_what_there_is_when_it_diverges(self):
        status, output, errors = self.script("await fit({ rate: 1e30, patience: 0 });")
        self.assertEqual((status, "diverged" in errors, "epoch   1" in output), (1, True, True), errors)
        self.assertIn("</svg>", (self.folder / "out" / "loss.svg").read_text())

    def test_draws_at_the_end_and_every_ten_seconds(self):
        for milliseconds, drawn in ((0, []), (6_000, [2, 4]), (60_000, [1, 2, 3, 4, 5])):
            status, output, errors = self.script(
                "let now = performance.now();",
                "performance.now = () => now;",
                "let epoch = 0;",
                "const plot = async (name, series) => {",
                f"  now += {milliseconds};",
                "  epoch += 1;",
                "  await training.host.plot(name, series);",
                '  const made = await fs.readFile("out/loss.svg").then(() => true, () => false);',
                "  if (made) console.log(`drawn in ${epoch}`);",
                '  if (made) await fs.rm("out/loss.svg");',
                "};",
                "await fit({ rate: 0.01, epochs: 5, host: { ...training.host, plot } });",
            )
            self.assertEqual(status, 0, errors)
            self.assertEqual([int(line[-1]) for line in output.splitlines() if line.startswith("drawn")], drawn)
            plot = self.folder / "out" / "loss.svg"
            self.assertEqual(plot.exists(), drawn[-1:] != [5])
            plot.unlink(missing_ok=True)


@unittest.skipUnless(digits_installed(), "the digits are not installed; run: bin/alknet data pull digits")
class FitTest(program.ProgramTest):
    def command(self, folder, *options):
        return ["run", "--device", "cpu", str(ROOT / "examples/digits.tsx"), "--out", str(folder), *options]

    def trained(self, folder, *options):
        done = program.run(*self.command(folder, *options))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return lines(done.stdout.decode())

    def test_goes_on_to_the_bit_where_it_was_killed(self):
        whole, parts = self.folder / "whole", self.folder / "parts"
        records = self.trained(whole, "--epochs", "4")
        self.assertEqual([record.get("step") for record in records], [23, 46, 69, 92, None])
        self.assertGreater(records[-1]["accuracy"], 0.96)  # 0.972 with this seed, with one thread and with more
        self.assertEqual(lines((whole / "metrics.jsonl").read_text()), records)
        for name in ("loss", "accuracy"):
            self.assertTrue((whole / f"{name}.png").read_bytes().startswith(b"\x89PNG"))
            self.assertIn("</svg>", (whole / f"{name}.svg").read_text())
        with subprocess.Popen([program.PROGRAM, *self.command(parts, "--epochs", "4")], stdout=subprocess.PIPE) as killed:
            killed.stdout.readline()
            killed.stdout.readline()  # the checkpoint of the first epoch is there
            killed.send_signal(signal.SIGKILL)
        resumed = self.trained(parts, "--epochs", "4", "--resume")
        self.assertLess(len(resumed) - 1, 4)
        for file in ("model.mt", "checkpoint.mt"):
            self.assertEqual(entries(parts / file), entries(whole / file))
        self.assertEqual([line.get("epoch") for line in lines((parts / "metrics.jsonl").read_text())], [1, 2, 3, 4, None])

    def test_is_as_long_as_the_readme_says(self):
        lines_of_script = len((ROOT / "examples/digits.tsx").read_text().splitlines())
        self.assertIn(f"The script is {lines_of_script} lines", (ROOT / "README.md").read_text())

    def test_is_checked_without_training(self):
        done = program.run("check", "--no-types", str(ROOT / "examples/digits.tsx"), cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("ok, 1 template", done.stdout.decode())
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_refuses_to_go_on_with_what_is_no_checkpoint(self):
        self.assert_fails(program.run(*self.command(self.folder, "--resume")), 1, "checkpoint.mt")


if __name__ == "__main__":
    unittest.main()
