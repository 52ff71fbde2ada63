"""alknet tensor info and verify: the tree, the JSON that scripts rely on, files larger than memory, checksums."""

import json
import os
import re
import resource
import struct
import subprocess
import unittest

import program

SEEDS = program.ROOT / "fuzz" / "seeds" / "header"
HUGE = 100 * 10**9


def header(entries):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


def entry(begin, end):
    return {"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end]}


class TensorInfoTest(program.ProgramTest):
    def nested(self):
        names = ["layers.10.w", "layers.2.w", "layers.2.b", "head.only.one", "head.only.two", "x"]
        path = self.folder / "nested.safetensors"
        path.write_bytes(header({name: entry(i, i + 1) for i, name in enumerate(names)}) + bytes(range(len(names))))
        return path

    def test_draws_names_as_a_tree(self):
        lines = program.run("tensor", "info", "--tree", self.nested()).stdout.decode().splitlines()
        drawn = [re.split(" +(?:flat|\\d+ tensors) ", line)[0] for line in lines[lines.index("") + 2 :]]
        self.assertEqual(drawn, ["head.only", " ├─ one", " └─ two", "layers", " ├─ 2", " │  ├─ b", " │  └─ w", " └─ 10.w", "x"])

    def test_a_tree_is_not_for_programs(self):
        self.assert_fails(program.run("tensor", "info", "--tree", "--json", self.nested()), 2, "--tree", "--json")

    def test_statistics_are_those_of_the_values(self):
        rows = program.document("tensor", "info", "--stats", self.nested())["tensors"]
        self.assertEqual({row["name"]: (row["min"], row["max"]) for row in rows}["layers.2.b"], (2, 2))

    def test_json_has_the_shape_of_every_kind(self):
        expected = {
            "one_f32": {"name": "a", "kind": "flat", "dtype": "F32", "shape": [1], "bytes": 4},
            "records": {"name": "r", "kind": "struct", "dtype": "struct", "shape": [2], "bytes": 24, "stride": 12},
            "block_quantised": {"name": "w", "kind": "struct", "dtype": "struct", "shape": [2, 96], "bytes": 120, "stride": 20},
            "blobs": {"name": "t", "kind": "blob", "dtype": "blob", "shape": [3], "bytes": 48, "stride": 16},
        }  # fmt: skip
        for seed, wanted in expected.items():
            with self.subTest(seed=seed):
                document = program.document("tensor", "info", SEEDS / seed)
                self.assertEqual(set(document), {"file", "bytes", "format", "metadata", "schema", "tensors"})
                (row,) = document["tensors"]
                offset = row.pop("offset")
                self.assertEqual(row, wanted)
                self.assertEqual(offset, 8 + struct.unpack("<Q", (SEEDS / seed).read_bytes()[:8])[0])

    def test_describes_100_gigabytes_without_reading_them(self):
        path = self.folder / "huge.safetensors"
        path.write_bytes(header({"a": entry(0, HUGE)}))
        os.truncate(path, path.stat().st_size + HUGE)

        def limit():  # what it reads stays in the page cache, but what it maps and touches counts
            resource.setrlimit(resource.RLIMIT_DATA, (256 << 20, 256 << 20))

        info = subprocess.Popen([program.PROGRAM, "tensor", "info", "--json", path], stdout=subprocess.PIPE, preexec_fn=limit)
        with info.stdout as out:
            document = json.load(out)
        _, status, usage = os.wait4(info.pid, 0)
        info.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(info.returncode, 0)
        self.assertEqual(document["tensors"][0]["bytes"], HUGE)
        self.assertLess(usage.ru_maxrss, 128 << 10)  # KiB
        self.assertLess(usage.ru_minflt + usage.ru_majflt, 50_000)  # pages touched

    def test_verify_finds_a_flipped_bit_by_its_checksum(self):
        content = bytearray((SEEDS / "checksum").read_bytes())
        path = self.folder / "flipped.mt"
        path.write_bytes(content)
        self.assertEqual(program.document("tensor", "verify", path), {"ok": True, "errors": []})
        content[-1] ^= 1
        path.write_bytes(content)
        process = program.run("tensor", "verify", "--json", path)
        self.assertEqual(process.returncode, 1)
        (error,) = json.loads(process.stdout)["errors"]
        self.assertEqual((error["code"], error["path"]), ("checksum_mismatch", "a"))


if __name__ == "__main__":
    unittest.main()
