"""`alknet train digits`: it learns, resumes to the bit after a kill, and says what is wrong."""

import json
import pathlib
import resource
import signal
import struct
import subprocess
import unittest
import xml.etree.ElementTree
import zlib

import program


def digits_installed():
    return program.run("data", "path", "digits").returncode == 0


def entries(path):
    """The tensors of a metatensor as name -> (dtype, shape, bytes), read from its bytes."""
    data = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: (entry["dtype"], entry["shape"], data[8 + size :][slice(*entry["data_offsets"])])
        for name, entry in header.items()
        if not name.startswith("__")
    }


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def png_size(data):
    """Checks the chunks of a PNG and that its pixels are all there; returns width and height."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, pixels, size = 8, b"", None
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            size = struct.unpack_from(">II", body)
        pixels += body if kind == b"IDAT" else b""
        at += 12 + length
    assert len(zlib.decompress(pixels)) == size[1] * (1 + 3 * size[0])
    return size


@unittest.skipUnless(digits_installed(), "the digits are not installed; run: bin/alknet data pull digits")
class TrainTest(program.ProgramTest):
    def train(self, *arguments, **options):
        return program.run("train", "digits", "--threads", "2", *arguments, **options)

    def trained(self, *arguments, **options):
        process = self.train(*arguments, **options)
        self.assertEqual(process.returncode, 0, process.stderr.decode())
        return process.stdout.decode()

    def test_learns_and_leaves_model_metrics_and_pictures(self):
        out = self.folder / "run"
        records = lines(self.trained("--epochs", "3", "--out", str(out), "--json"))
        result = records.pop()
        self.assertEqual([record["epoch"] for record in records], [1, 2, 3])
        self.assertEqual([record["step"] for record in records], [23, 46, 69])
        self.assertLess(records[-1]["loss"], records[0]["loss"])
        self.assertGreater(result["accuracy"], 0.9)
        self.assertEqual(result["accuracy"], records[-1]["accuracy"])
        confusion = result["confusion"]
        self.assertEqual(sum(map(sum, confusion)), 360)
        self.assertAlmostEqual(sum(confusion[i][i] for i in range(10)) / 360, result["accuracy"])
        for row in confusion:  # the split is stratified
            self.assertIn(sum(row), range(34, 39))
        self.assertEqual(lines((out / "metrics.jsonl").read_text()), [*records, result])

        info = program.document("tensor", "info", str(out / "model.mt"))
        shapes = {tensor["name"]: tensor["shape"] for tensor in info["tensors"]}
        self.assertEqual(shapes["conv1.weight"], [32, 1, 3, 3])
        self.assertEqual(shapes["fc2.bias"], [10])
        self.assertIn("convolution", info["schema"]["properties"]["conv2.weight"]["description"])
        self.assertIn("last layer", program.run("tensor", "info", str(out / "model.mt")).stdout.decode())
        for file in ("model.mt", "checkpoint.mt"):
            self.assertEqual(program.run("tensor", "verify", str(out / file)).returncode, 0)
        self.assertIn("optim.conv1.weight.exp_avg", entries(out / "checkpoint.mt"))

        for name in ("loss", "accuracy", "confusion"):
            width, height = png_size((out / f"{name}.png").read_bytes())
            picture = xml.etree.ElementTree.fromstring((out / f"{name}.svg").read_text())
            self.assertEqual((width, height), (2 * float(picture.get("width")), 2 * float(picture.get("height"))))

    def test_shows_each_epoch_and_where_its_files_are(self):
        out = self.folder / "run"
        text = self.trained("--epochs", "2", "--out", str(out)).splitlines()
        self.assertIn("1437 images an epoch, 360 held out, on cpu", text[0])
        self.assertEqual(text[2].split(), ["EPOCH", "LOSS", "HELD-OUT", "LOSS", "RIGHT"])
        figures = lines((out / "metrics.jsonl").read_text())
        for line, record in zip(text[3:5], figures):
            self.assertEqual(line.split()[:2], [str(record["epoch"]), f"{record['loss']:.4f}"])
        self.assertIn(str(out / "model.mt"), text[-3])
        self.assertIn(str(out / "loss.png"), text[-1])
        self.assertIn("--out", self.trained("--epochs", "1").splitlines()[-1])
        self.assertEqual(len(self.trained("--epochs", "1", "--quiet").splitlines()), 1)

    def test_goes_on_to_the_bit_where_it_was_killed(self):
        whole, parts = self.folder / "whole", self.folder / "parts"
        self.trained("--epochs", "4", "--seed", "3", "--out", str(whole))
        command = [program.PROGRAM, "train", "digits", "--threads", "2", "--epochs", "4", "--seed", "3",
                   "--out", str(parts), "--json"]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as killed:
            killed.stdout.readline()
            killed.stdout.readline()  # the checkpoint of the first epoch is there
            killed.send_signal(signal.SIGKILL)
        resumed = lines(self.trained("--resume", str(parts), "--json"))
        self.assertLess(len(resumed) - 1, 4)
        self.assertEqual(entries(parts / "model.mt"), entries(whole / "model.mt"))
        self.assertEqual(entries(parts / "checkpoint.mt"), entries(whole / "checkpoint.mt"))
        self.assertEqual([line.get("epoch") for line in lines((parts / "metrics.jsonl").read_text())], [1, 2, 3, 4, None])

    def test_the_seed_decides(self):
        figures = [lines(self.trained("--epochs", "1", "--seed", seed, "--json"))[0]["loss"] for seed in ("5", "5", "6")]
        self.assertEqual(figures[0], figures[1])
        self.assertNotEqual(figures[0], figures[2])

    def test_stops_early_when_patience_ends(self):
        # So high a rate that the held-out loss rises again soon.
        records = lines(self.trained("--epochs", "60", "--patience", "1", "--learning-rate", "0.02", "--json"))
        self.assertTrue(records[-1]["stopped_early"])
        losses = [record["held_out_loss"] for record in records[:-1]]
        self.assertLess(len(losses), 60)
        self.assertGreaterEqual(losses[-1], min(losses[:-1]))

    def test_refuses_wrong_arguments(self):
        for arguments, words in (
            (["--epochs", "0"], ["--epochs"]), (["--epochs", "many"], ["--epochs"]), (["--batch", "0"], ["--batch"]),
            (["--seed", "-1"], ["--seed"]), (["--learning-rate", "nan"], ["--learning-rate"]),
            (["--threads", "-2"], ["--threads"]), (["extra"], ["extra"]), (["--device", "abacus"], ["abacus", "cpu"]),
            (["--resume", str(self.folder)], ["checkpoint.mt", "--out"]),
        ):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assert_fails(program.run("train", "digits", *arguments), 2, *words)
        self.assert_fails(program.run("train"), 2, "--help")
        self.assert_fails(program.run("train", "cats"), 2, "cats")

    def test_refuses_a_damaged_checkpoint_and_what_it_fixes(self):
        out = self.folder / "run"
        self.trained("--epochs", "1", "--out", str(out))
        checkpoint = out / "checkpoint.mt"
        sound = checkpoint.read_bytes()
        self.assert_fails(self.train("--resume", str(out), "--seed", "4"), 2, "--seed", "checkpoint")
        for damaged in (b"", sound[:7], sound[: len(sound) // 2], sound[:-5] + b"\x01" + sound[-4:], b"\xff" * 100):
            checkpoint.write_bytes(damaged)
            self.assert_fails(self.train("--resume", str(out)), 1, "checkpoint.mt")
        checkpoint.write_bytes((out / "model.mt").read_bytes())
        self.assert_fails(self.train("--resume", str(out)), 1, "not one of alknet train digits")

    def test_keeps_the_old_checkpoint_when_the_disk_is_full(self):
        out = self.folder / "run"
        self.trained("--epochs", "1", "--out", str(out))
        before = (out / "checkpoint.mt").read_bytes()

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        process = self.train("--epochs", "2", "--out", str(out), preexec_fn=small_files)
        self.assert_fails(process, 1, "checkpoint.mt")
        self.assertEqual((out / "checkpoint.mt").read_bytes(), before)
        self.assertEqual([file.name for file in out.iterdir() if "tmp" in file.name], [])

    def test_refuses_a_folder_that_cannot_be_made(self):
        file = self.file("file", "x")
        self.assert_fails(self.train("--out", file + "/run"), 1, "file")


if __name__ == "__main__":
    unittest.main()
