"""Mutated files, opened by alknet and by the safetensors package: what we accept it accepts with the same contents, and
what only it accepts we refuse by a rule of the format."""

import base64
import collections
import json
import os
import random
import re
import struct
import subprocess
import unittest

import program

try:
    from safetensors import SafetensorError, deserialize
except ImportError:
    deserialize = None

SEEDS = program.ROOT / "fuzz" / "seeds" / "header"
MUTATIONS = 20_000

# Where alknet is stricter than the package, on purpose: the code and the rule of docs/metatensor.md.
STRICTER = {
    "header_invalid": "the header starts with {; only spaces follow its JSON; numbers are JSON integers",
    "json_too_deep": "at most 64 levels",
    "duplicate_key": "no name twice in an object",
    "unknown_member": "an entry has three members",
    "bad_name": "1 to 1,024 bytes, no NUL",
    "rank_too_large": "at most 32 dimensions",
    "size_overflow": "a dimension is below 2^63, even beside one that is 0",
    "unsupported_version": "metatensor is 1",
}


def file(header, data):
    return struct.pack("<Q", len(header)) + header + data


class Mutator:
    """Makes files from seeds. Half of the changes keep the header's length right, so that they reach the JSON."""

    NUMBERS = [b"0", b"1", b"2", b"3", b"4", b"8", b"-1", b"1.0", b"1e1", b"01", b"255", b"4294967296",
               b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"18446744073709551616"]  # fmt: skip
    PIECES = [b'"a":', b'{}', b'[]', b'[0]', b'null', b'true', b'""', b',', b' ', b'\n', b'\t', b'\0', b'\\u0061', b'\\',
              b'"dtype"', b'"shape"', b'"data_offsets"', b'"F32"', b'"U8"', b'"BOOL"', b'"F4"', b'"__metadata__":{},',
              b'"metatensor":"1",', b'"extra":1,', b'\xff', b'\xc3\xa9', b'"', b'{', b'}', b'[', b']', b'[[[[[[[[']  # fmt: skip

    def __init__(self, seeds, seed):
        self.seeds = seeds
        self.random = random.Random(seed)

    def make(self):
        whole = self.random.choice(self.seeds)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            whole = self.change(whole)
        return whole

    def change(self, whole):
        length = struct.unpack("<Q", whole[:8].ljust(8, b"\0"))[0]
        header, data = whole[8 : 8 + length], whole[8 + length :]
        kind = self.random.randrange(8)
        if kind == 0 or not header:
            return self.change_bytes(whole)
        if kind == 1:
            return file(header, self.change_bytes(data))
        if kind == 2:
            return file(self.replace(header, rb"\d+", self.NUMBERS), data)
        if kind == 3:
            return file(self.replace(header, rb'"[^"]*"', [b'"a"', b'"dtype"', b'"F32"', b'"U8"', b'"F64"', b'"__metadata__"']), data)
        if kind == 4:
            return file(self.repeat_member(header), data)
        if kind == 5:
            at = self.random.randrange(len(header) + 1)
            return file(header[:at] + self.random.choice(self.PIECES) + header[at:], data)
        if kind == 6:
            return file(header, data + self.random.randbytes(self.random.randrange(1, 5)))
        return file(self.change_bytes(header), data)

    def change_bytes(self, content):
        if not content:
            return self.random.randbytes(1)
        at = self.random.randrange(len(content))
        other = self.random.choice((self.random.randbytes(1), b"", content[at : at + 1] * 2, bytes([content[at] ^ 1 << self.random.randrange(8)])))
        return content[:at] + other + content[at + 1 :]

    def replace(self, header, pattern, choices):
        found = list(re.finditer(pattern, header))
        if not found:
            return header
        one = self.random.choice(found)
        return header[: one.start()] + self.random.choice(choices) + header[one.end() :]

    def repeat_member(self, header):
        found = re.findall(rb'"[^"]*":(?:\{[^{}]*\}|\[[^\[\]]*\]|"[^"]*")', header)
        at = header.find(b"{", self.random.randrange(max(1, len(header) // 2))) + 1
        return header[:at] + self.random.choice(found) + b"," + header[at:] if found else header


def our_verdicts(files):
    """The JSON of alknet for each file, from one process."""
    content = b"".join(struct.pack("<Q", len(each)) + each for each in files)
    process = subprocess.run([os.environ["ALKNET_HEADER_VERDICTS"]], input=content, stdout=subprocess.PIPE, check=True, timeout=300)
    return [json.loads(line) for line in process.stdout.decode().splitlines()]


def their_verdict(content):
    """Entries by name as the package reads them, or None when it refuses the file."""
    try:
        return {name: (entry["dtype"], list(entry["shape"]), bytes(entry["data"])) for name, entry in deserialize(content)}
    except SafetensorError:
        return None


def names_twice(content):
    """Whether an object of the header has two members of one name: the package then drops the first unseen."""
    twice = []

    def pairs(members):
        names = [name for name, _ in members]
        twice.append(len(set(names)) < len(names))
        return dict(members)

    length = struct.unpack("<Q", content[:8])[0]
    json.loads(content[8 : 8 + length], object_pairs_hook=pairs)
    return any(twice)


@unittest.skipIf(deserialize is None, "the safetensors package is not installed")
@unittest.skipIf("ALKNET_HEADER_VERDICTS" not in os.environ, "ALKNET_HEADER_VERDICTS does not name the program")
class HeaderDifferentialTest(unittest.TestCase):
    def compare(self, files):
        """Counts of what the two said of the files."""
        verdicts = our_verdicts(files)
        self.assertEqual(len(verdicts), len(files))
        counts = collections.Counter()
        for content, ours in zip(files, verdicts):
            theirs = their_verdict(content)
            if "entries" in ours:
                self.assertIsNotNone(theirs, content)
                read = {entry["name"]: (entry["dtype"], entry["shape"], base64.b64decode(entry["bytes"])) for entry in ours["entries"]}
                self.assertEqual(read, theirs, content)
                counts["both accept"] += 1
            elif theirs is None:
                counts["both refuse"] += 1
            else:
                if ours["error"] not in STRICTER:  # a fault of an entry that its namesake hid from the package
                    self.assertTrue(names_twice(content), (ours, content))
                counts[ours["error"]] += 1
        return counts

    def test_seeds(self):
        counts = self.compare([path.read_bytes() for path in sorted(SEEDS.iterdir())])
        self.assertGreater(counts["both accept"], 50)
        self.assertGreater(counts["both refuse"], 50)

    def test_mutations(self):
        seeds = [content for path in sorted(SEEDS.iterdir()) if len(content := path.read_bytes()) < 4096]
        mutator = Mutator(seeds, seed=4)
        counts = self.compare([mutator.make() for _ in range(MUTATIONS)])
        # The mutations are worth something: neither nearly all sound nor nearly all broken, and they meet our rules.
        self.assertGreater(counts["both accept"], MUTATIONS // 20)
        self.assertGreater(counts["both refuse"], MUTATIONS // 4)
        for code in ("duplicate_key", "unknown_member", "header_invalid"):
            self.assertGreater(counts[code], 0, counts)


if __name__ == "__main__":
    unittest.main()
