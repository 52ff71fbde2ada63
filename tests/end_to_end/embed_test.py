"""`alknet embed` against the reference encoder in float64 and the tokenizers package, and its bad input."""

import json
import pathlib
import shutil
import tempfile
import unittest

import program

try:
    import numpy as np
    from minilm_reference import MiniLm
    from tokenizers import Tokenizer
except ImportError as missing:
    np, REASON = None, f"the reference needs numpy and tokenizers, which bin/setup installs: {missing}"

DOGS = ["A dog runs in the park.", "A puppy is playing outside.", "Stock prices fell sharply today."]
TEXTS = DOGS + [
    "",
    "\x00\x01\x07 control \x7f characters",
    "Ünïcödé café naïve 你好,世界 こんにちは 🐕‍🦺 مرحبا",
    "supercalifragilisticexpialidocious" * 10,
    "word " * 1000,
    "[CLS] [MASK] not special? [SEP]",
]
MODEL = program.model_folder()


@unittest.skipIf(MODEL is None, "the model is not installed; run: bin/alknet model pull")
class EmbedTest(program.ProgramTest):
    @classmethod
    def setUpClass(cls):
        if np is None:
            raise unittest.SkipTest(REASON)
        cls.tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        cls.tokenizer.no_padding()
        cls.tokenizer.enable_truncation(256)
        cls.tokens = [cls.tokenizer.encode(text).ids for text in TEXTS]
        reference = MiniLm(MODEL)
        cls.normalized = reference.encode(cls.tokens)
        cls.raw = reference.encode(cls.tokens, normalize=False)

    def lines_file(self, texts):
        file = tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="")
        self.addCleanup(file.close)
        file.write("".join(text + "\n" for text in texts))
        file.flush()
        return file.name

    def vectors(self, *arguments):
        answer = program.document("embed", "--file", self.lines_file(TEXTS), *arguments)
        return answer, np.array([sentence["vector"] for sentence in answer["sentences"]])

    def test_agrees_with_the_float64_reference_on_the_cpu(self):
        answer, vectors = self.vectors("--device", "cpu")
        self.assertEqual(answer["device"], "cpu")
        self.assertEqual(answer["dim"], 384)
        self.assertLess(np.abs(vectors - self.normalized).max(), 1e-5)
        similarity = np.array(answer["similarity"])
        self.assertLess(np.abs(similarity - self.normalized @ self.normalized.T).max(), 1e-5)

    def test_agrees_with_the_float64_reference_on_the_gpu(self):
        if not program.has_gpu():
            self.skipTest("no Vulkan driver: alknet devices says why")
        answer, vectors = self.vectors("--device", "gpu:0")
        self.assertEqual(answer["device"], "gpu:0")
        self.assertLess(np.abs(vectors - self.normalized).max(), 1e-4)

    def test_has_the_token_ids_of_the_tokenizers_package(self):
        answer, _ = self.vectors()
        self.assertEqual([sentence["tokens"] for sentence in answer["sentences"]], self.tokens)

    def test_leaves_lengths_as_they_are_when_asked(self):
        _, vectors = self.vectors("--no-normalize")
        self.assertLess(np.abs(vectors - self.raw).max(), 1e-4)

    def test_gives_the_same_in_batches_of_any_size(self):
        _, whole = self.vectors()
        for size in ("1", "2", "5"):
            _, batched = self.vectors("--batch", size)
            self.assertLess(np.abs(batched - whole).max(), 1e-5)

    def test_prints_dog_and_puppy_well_above_the_others(self):
        table = program.run("embed", *DOGS).stdout.decode().splitlines()
        rows = [line.split()[-3:] for line in table if line[:1].isdigit()]
        numbers = [[float(cell) for cell in row] for row in rows]
        self.assertEqual(len(numbers), 3)
        self.assertGreater(numbers[0][1], numbers[0][2] + 0.3)
        self.assertGreater(numbers[0][1], numbers[1][2] + 0.3)

    def test_reads_standard_input(self):
        from_stdin = program.document("embed", "--file", "-", stdin="".join(text + "\n" for text in DOGS))
        self.assertEqual([sentence["text"] for sentence in from_stdin["sentences"]], DOGS)

    def test_takes_texts_that_look_like_options_after_two_dashes(self):
        answer = json.loads(program.run("embed", "--json", "--", "--device").stdout)
        self.assertEqual(answer["sentences"][0]["text"], "--device")

    def test_notes_truncation_on_standard_error(self):
        process = program.run("embed", "--json", "--file", "-", stdin="word " * 100_000)
        self.assertEqual(process.returncode, 0)
        self.assertIn("cut to the model's 256 tokens; 99746 were dropped", process.stderr.decode())
        self.assertEqual(len(json.loads(process.stdout)["sentences"][0]["tokens"]), 256)

    def test_refuses_no_sentences(self):
        self.assert_fails(program.run("embed"), 2, "no sentences", "--file")
        self.assert_fails(program.run("embed", "--file", "-", stdin=""), 2, "no sentences")

    def test_refuses_invalid_utf8(self):
        process = program.run("embed", "--json", "--file", "-", stdin=b"fine\nbad \xff\xfe\n")
        self.assert_fails(process, 1, "sentence 2")
        self.assertEqual(json.loads(process.stdout)["error"]["code"], "invalid_text")

    def test_refuses_an_unknown_device(self):
        self.assert_fails(program.run("embed", "--device", "gpu:77", "x"), 2, "gpu:77", "cpu")
        self.assert_fails(program.run("embed", "--device", "quantum", "x"), 2, "quantum")

    def test_refuses_an_unknown_model_and_an_unreadable_file(self):
        self.assert_fails(program.run("embed", "--model", "no-such-model", "x"), 2, "all-MiniLM-L6-v2")
        self.assert_fails(program.run("embed", "--model", "./no/such/folder", "x"), 2, "./no/such/folder")
        self.assert_fails(program.run("embed", "--file", "/no/such/file"), 1, "/no/such/file")

    def test_names_the_damaged_file_of_a_model(self):
        weights = (MODEL / "model.safetensors").read_bytes()
        damages = {
            "model.safetensors": [b"", weights[:5], weights[:100_000], b"\xff" * 64, weights[:9] + b"\x00" + weights[10:20_000]],
            "config.json": [b"", b"{}", b'{"model_type": "llama"}'],
            "tokenizer.json": [b"", b"[]", b'{"model": {"type": "Unigram"}}'],
            "sentence_bert_config.json": [b"[]", b'{"max_seq_length": -3}'],
            "1_Pooling/config.json": [b"{", b'{"pooling_mode_cls_token": true}'],
        }  # fmt: skip
        for name, contents in damages.items():
            for content in contents:
                with self.subTest(file=name, content=content[:20]), tempfile.TemporaryDirectory() as folder:
                    copy = pathlib.Path(folder) / "model"
                    shutil.copytree(MODEL, copy, copy_function=lambda a, b: pathlib.Path(b).symlink_to(a))
                    (copy / name).unlink()
                    (copy / name).write_bytes(content)
                    self.assert_fails(program.run("embed", "--model", str(copy), "x"), 1, name)

    def test_names_a_missing_file_of_a_model(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assert_fails(program.run("embed", "--model", folder, "x"), 1, "config.json", "alknet model pull")


if __name__ == "__main__":
    unittest.main()
