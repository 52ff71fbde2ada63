"""alknet tensor pack: datasets from JSON Lines and from folders."""

import base64
import json
import resource
import unittest

import program


def record(properties, required=()):
    return {"TypeDef:Struct": {"order": list(properties)}, "properties": properties, "required": list(required)}


def tensor(dtype, shape=(-1,)):
    return {"TypeDef:Tensor": {"dtype": dtype, "shape": list(shape)}}


def blob(item):
    return {"TypeDef:Blob": {"item": item}}


EVENTS = {"events": tensor(record({
    "at": {"TypeDef:Timestamp": {"maxBytes": 24}}, "level": {"TypeDef:Enum": True, "enum": ["info", "error"]},
    "text": blob("String"), "data": blob("Json"), "vector": blob("Float32"),
    "count": {"TypeDef:Uint16": True, "maximum": 1000},
}, ["at", "level"]))}  # fmt: skip
LINE = {"at": "2024-02-29T12:00:00Z", "level": "info"}


class PackTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.target = self.folder / "out.mt"

    def schema(self, entries, required=None):
        return self.file("schema.json", json.dumps(record(entries, entries if required is None else required)))

    def pack(self, entries, *arguments, stdin="", required=None, **options):
        return program.run("tensor", "pack", self.target, *arguments, "--schema", self.schema(entries, required),
                           stdin=stdin, **options)  # fmt: skip

    def assert_nothing_written(self):
        self.assertFalse(self.target.exists())
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])

    def test_packs_json_lines_into_records(self):
        lines = [LINE, {**LINE, "text": "täxt", "data": {"a": [1, None]}, "vector": [0.5, -1], "count": 3},
                 {**LINE, "level": "error", "data": None}]  # fmt: skip
        path = self.file("lines.jsonl", "\n".join(map(json.dumps, lines[:2])) + "\n\n")
        process = self.pack(EVENTS, path, "-", "--json", stdin=json.dumps(lines[2]) + "\r\n")
        self.assertEqual(process.returncode, 0, process.stderr)
        summary = json.loads(process.stdout)
        self.assertEqual((summary["entry"], summary["items"]), ("events", 3))
        self.assertEqual(program.document("tensor", "get", self.target, "events"), lines)
        self.assertTrue(program.document("tensor", "verify", self.target)["ok"])

    def test_packs_json_lines_into_blobs(self):
        process = self.pack({"t": tensor(blob("String"), [-1, 2])}, "-", stdin='"a"\n"b"\n"c"\n"d"\n')
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(program.document("tensor", "get", self.target, "t"), [["a", "b"], ["c", "d"]])

    def test_packs_no_lines_at_all(self):
        self.assertEqual(self.pack(EVENTS, "-").returncode, 0)
        self.assertEqual(program.document("tensor", "get", self.target, "events"), [])

    def test_errors_name_line_and_member_and_leave_nothing(self):
        cases = {
            "not JSON": ('{"at":', "lines.jsonl:2", None),
            "wrong type": (json.dumps({**LINE, "level": 5}), "lines.jsonl:2", "/level"),
            "unknown member": (json.dumps({**LINE, "extra": 5}), "lines.jsonl:2", None),
            "missing member": (json.dumps({"at": LINE["at"]}), "lines.jsonl:2", None),
            "beyond a limit": (json.dumps({**LINE, "count": 1001}), "lines.jsonl:2", "/count"),
            "too long": (json.dumps({**LINE, "at": "2024-02-29T12:00:00.000000Z"}), "lines.jsonl:2", "/at"),
            "not UTF-8": (b"\"\xff\"", "lines.jsonl:2", None),
            "two values": (json.dumps(LINE) + " 1", "lines.jsonl:2", None),
        }
        for name, (line, place, pointer) in cases.items():
            with self.subTest(case=name):
                line = line if isinstance(line, bytes) else line.encode()
                path = self.file("lines.jsonl", json.dumps(LINE).encode() + b"\n" + line + b"\n")
                process = self.pack(EVENTS, path, "--json")
                self.assert_fails(process, 1, place, *([pointer] if pointer else []))
                self.assertEqual(json.loads(process.stdout)["error"]["details"]["line"], 2)
                self.assert_nothing_written()

    def test_an_old_file_survives_a_failure(self):
        self.target.write_text("old")
        self.assert_fails(self.pack(EVENTS, "-", stdin="5\n"), 1, "-:1")
        self.assertEqual(self.target.read_text(), "old")

    def test_a_shape_that_the_lines_do_not_fill_is_an_error(self):
        process = self.pack({"t": tensor(blob("String"), [3])}, "-", stdin='"a"\n"b"\n')
        self.assert_fails(process, 1, "t")
        self.assert_nothing_written()

    def test_packs_a_folder_into_blobs_with_names(self):
        self.file("in/b.bin", b"\x00\xff")
        self.file("in/a/c.bin", b"")
        self.file("in/a/\u00e4.bin", b"xyz")
        entries = {"files": tensor(blob("Bytes")), "names": tensor(blob("String"))}
        process = self.pack(entries, self.folder / "in", "--entry", "files")
        self.assertEqual(process.returncode, 0, process.stderr)
        names = program.document("tensor", "get", self.target, "names")
        contents = program.document("tensor", "get", self.target, "files")
        self.assertEqual(names, ["a/c.bin", "a/\u00e4.bin", "b.bin"])
        self.assertEqual([base64.b64decode(content) for content in contents], [b"", b"xyz", b"\x00\xff"])

    def test_packs_a_folder_into_records(self):
        self.file("in/1.txt", "eins")
        self.file("in/2.txt", "zwei")
        entries = {"docs": tensor(record({
            "path": {"TypeDef:String": {"maxBytes": 64}}, "text": blob("String"),
            "label": {"TypeDef:Int32": True, "default": -1}}, ["path", "text"]))}  # fmt: skip
        process = self.pack(entries, self.folder / "in", "--name-field", "path", "--content-field", "text")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(program.document("tensor", "get", self.target, "docs"),
                         [{"path": "1.txt", "text": "eins", "label": -1}, {"path": "2.txt", "text": "zwei", "label": -1}])  # fmt: skip
        self.file("in/3.txt", b"\xff")
        self.target.unlink()
        process = self.pack(entries, self.folder / "in", "--name-field", "path", "--content-field", "text")
        self.assert_fails(process, 1, "3.txt", "UTF-8")
        self.assert_nothing_written()

    def test_wrong_usage(self):
        one = {"t": tensor(blob("String"))}
        two = {**one, "u": tensor(blob("String"))}
        flat = {"t": tensor("F32", [2])}
        cases = [
            (two, ["-"], None, ["--entry", "t, u"]),
            (two, ["-", "--entry", "v"], None, ["--entry"]),
            (two, ["-", "--entry", "t"], None, ["requires the entry u"]),
            (flat, ["-"], None, ["--entry"]),
            (one, ["-", "--metadata", "x"], None, ["KEY=VALUE"]),
            (one, [self.folder], None, ["--names"]),
        ]
        for entries, arguments, required, words in cases:
            with self.subTest(arguments=arguments):
                self.assert_fails(self.pack(entries, *arguments, required=required), 2, *words)
                self.assert_nothing_written()
        self.assert_fails(self.pack(one, "/no/such/file"), 1, "/no/such/file")
        bad = self.file("bad.json", '{"TypeDef:Int32": true}')
        self.assert_fails(program.run("tensor", "pack", self.target, "-", "--schema", bad), 2, "bad.json")
        optional = self.pack(two, "-", "--entry", "t", required=["t"], stdin='"x"\n')
        self.assertEqual(optional.returncode, 0, optional.stderr)

    def test_needs_constant_memory(self):
        """200,000 lines, 60 MB of text: the peak is that of ten lines, give or take buffers."""
        line = json.dumps({**LINE, "text": "x" * 250}) + "\n"
        path = self.file("many.jsonl", line * 200_000)
        needed = self.pack(EVENTS, "-", stdin=line * 10)
        self.assertEqual(needed.returncode, 0)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertEqual(self.pack(EVENTS, path).returncode, 0)
        grown = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before
        self.assertLess(grown, 16 * 1024, "kB of memory over what ten lines need")
        self.assertEqual(program.document("tensor", "get", self.target, "events[199999].level"), "info")


if __name__ == "__main__":
    unittest.main()
