"""Trainings as programs: `<Fit>` stops early, and the progress bar of `@alknet/program/training`."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

import program

# y = 2 x, three batches an epoch. The rate is 0 after two epochs, so that nothing gets better then.
SCRIPT = """import { callerOf, Executor, Input, Output, Sequential, type TensorHandle } from "@alknet/flowgraph";
import { adam, type EpochRecord, Fit, Linear, MSELoss } from "@alknet/nn";
import { env, unwrap } from "@alknet/operations";
import { args } from "@alknet/program";
import { trainingProgram } from "@alknet/program/training";

const [folder = "", epochs = 0, mode] = [args[0], Number(args[1]), args[2]];
const column = (data: number[]) => unwrap(env.call<TensorHandle>("compute/create_tensor", { dtype: "f32", shape: [data.length, 1], data: new Float32Array(data) }));
async function* batches(count: number, first: number) {
  for (let i = 0; i < count; i += 1) {
    if (mode === "throws" && i === 1) throw new Error("no more data");
    const x = [0, 1, 2, 3].map((row) => Math.sin(first + 4 * i + row));
    yield { x: await column(x), target: await column(x.map((value) => (mode === "diverges" && i === 1 ? NaN : 2 * value))) };
  }
}
const training = await trainingProgram({ folder, epochs, steps: 3, resume: mode === "resume", title: "A line" });
const executor = new Executor({ caller: callerOf(env), seed: 1, ...training.executor });
const added = (await executor.run(
  <Fit data={() => batches(3, 0)} validation={() => batches(1, 100)} epochs={epochs} optimizer={adam()} patience={3} release
    learning_rate={{ name: "step", rate: 0.1, step_size: 6, gamma: 0 }} history={training.history} host={training.host}>
    <Sequential>
      <Input name="x" dtype="f32" shape={["n", 1]} />
      <Input name="target" dtype="f32" shape={["n", 1]} />
      <Linear id="fc" in={1} out={1} input="$.input.x" />
      <MSELoss input={{ target: "$.input.target" }} />
      <Output name="loss" />
    </Sequential>
  </Fit>,
)) as EpochRecord[];
const total = training.history.length + added.length;
await training.finish({ epochs: total, stopped_early: total < epochs }, `${total} epochs`);
"""


class Screen:
    """The lines of a terminal that knows line ends, returns and "erase to the end of the line", and never wraps."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.at = 0

    def show(self, text):
        for part in re.findall(r"\x1b\[K|\r|\n|[^\x1b\r\n]+|\x1b.{0,5}", text):
            if part == "\n":
                self.lines.append("")
            elif part == "\r":
                self.at = 0
            elif part == "\x1b[K":
                self.lines[-1] = self.lines[-1][: self.at]
            else:
                assert part.isprintable(), f"what is {part!r}?"
                line = self.lines[-1]
                self.lines[-1] = line[: self.at].ljust(self.at) + part + line[self.at + len(part) :]
                self.at += len(part)
                assert self.at < self.columns, f"{self.lines[-1]!r} does not fit into {self.columns} columns"


class TrainingTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.script = self.file("line.tsx", SCRIPT)
        self.out = self.folder / "out"

    def arguments(self, epochs, *mode):
        return ["run", "--device", "cpu", self.script, str(self.out), str(epochs), *mode]

    def train(self, epochs, *mode):
        finished = program.run(*self.arguments(epochs, *mode))
        self.assertEqual(finished.returncode, 0, finished.stderr.decode())
        return finished

    def on_terminal(self, columns, *arguments, output=None):
        """Exit status and what was written to a terminal: by both streams, or where `output` is given by the other."""
        leader, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([program.PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=output or terminal,
                                   stderr=terminal)  # fmt: skip
        os.close(terminal)
        text = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # nobody has the terminal any more
                break
            if not part:
                break
            text += part
        os.close(leader)
        return process.wait(), text.decode()

    def test_stops_when_the_model_gets_no_better(self):
        records = [json.loads(line) for line in self.train(50).stdout.splitlines()]
        result = records.pop()
        self.assertEqual([record["epoch"] for record in records], [1, 2, 3, 4, 5])
        held_out = [record["held_out_loss"] for record in records]
        self.assertLess(held_out[1], held_out[0])
        self.assertEqual(held_out[2:], [held_out[1]] * 3)
        self.assertEqual(result, {"epochs": 5, "stopped_early": True})
        kept = [json.loads(line) for line in (self.out / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual(kept, [*records, result])
        self.assertEqual(program.run("tensor", "verify", str(self.out / "checkpoint.mt")).returncode, 0)

    def test_what_stopped_early_stays_stopped(self):
        self.train(50)
        self.assertEqual([json.loads(line) for line in self.train(50, "resume").stdout.splitlines()],
                         [{"epochs": 5, "stopped_early": True}])  # fmt: skip

    def test_all_epochs_are_no_early_stop(self):
        self.assertEqual(json.loads(self.train(2).stdout.splitlines()[-1]), {"epochs": 2, "stopped_early": False})

    def test_a_pipe_gets_no_bar(self):
        finished = self.train(2)
        self.assertEqual(finished.stderr, b"")
        self.assertNotRegex(finished.stdout, rb"[\x00-\x09\x0b-\x1f\x7f]")

    def test_a_terminal_shows_one_line_that_is_drawn_again(self):
        status, text = self.on_terminal(80, *self.arguments(2))
        self.assertEqual(status, 0, text)
        bars = re.findall(r"\r(Epoch [^\r\n]*)\x1b\[K", text)
        self.assertEqual([re.match(r"Epoch (\d) of 2 \[(#+) *\] loss \d+\.\d{4}$", bar).groups() for bar in bars],
                         [(str(epoch), "#" * done) for epoch in (1, 2) for done in (10, 20, 30)])  # fmt: skip
        self.assertEqual({bar.index("]") for bar in bars}, {bars[0].index("]")})
        screen = Screen(80)
        screen.show(text.replace("\r\n", "\n\r"))
        self.assertRegex(screen.lines.pop(0), r"^epoch   1: loss \d\.\d{4}, held out \d\.\d{4}, \d\.\d s \*$")
        self.assertRegex(screen.lines.pop(0), r"^epoch   2: loss \d\.\d{4}, held out \d\.\d{4}, \d\.\d s \*$")
        self.assertEqual(screen.lines, ["2 epochs", ""])  # a full line at the end
        self.assertTrue(text.endswith("2 epochs\r\n"), text)

    def test_the_bar_fits_a_narrow_terminal(self):
        for columns in (50, 30, 12):
            with self.subTest(columns=columns), open(self.folder / "output", "wb") as output:
                status, text = self.on_terminal(columns, *self.arguments(1), output=output)
                self.assertEqual(status, 0, text)
                Screen(columns).show(text)
                self.assertEqual(len(re.findall(r"\rEpoch 1", text)), 3)
                if columns == 50:
                    self.assertEqual(len(re.findall(r"\] loss \d\.\d{4}\x1b", text)), 3)
        self.assertTrue(all(json.loads(line) for line in (self.folder / "output").read_text().splitlines()))

    def test_an_error_begins_on_a_line_of_its_own(self):
        for mode, word in (("diverges", "is NaN"), ("throws", "no more data")):
            with self.subTest(mode):
                status, text = self.on_terminal(200, *self.arguments(2, mode))
                self.assertEqual(status, 1, text)
                self.assertRegex(text, r"\rEpoch 1 of 2")
                screen = Screen(10_000)
                screen.show(text.replace("\r\n", "\n\r"))
                [line] = [line for line in screen.lines if "alknet: " in line]
                self.assertTrue(line.startswith("alknet: "), line)
                self.assertIn(word, "\n".join(screen.lines))


if __name__ == "__main__":
    unittest.main()
