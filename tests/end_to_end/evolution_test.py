"""Schemas and files that change: schema diff, tensor schema, tensor migrate, tensor diff."""

import json
import struct
import unittest

import program


def record(properties, required=()):
    return {"TypeDef:Struct": {"order": list(properties)}, "properties": properties, "required": list(required)}


def file_schema(**entries):
    tensors = {name: {"TypeDef:Tensor": tensor} for name, tensor in entries.items()}
    return record(tensors, tensors)


PEOPLE_1 = file_schema(people={"shape": [-1], "dtype": record({
    "id": {"TypeDef:Int32": True}, "name": {"TypeDef:Blob": {"item": "String"}}, "age": {"TypeDef:Float32": True},
}, ["id", "name"])})  # fmt: skip
PEOPLE_2 = file_schema(people={"shape": [-1], "dtype": record({
    "name": {"TypeDef:Blob": {"item": "String"}}, "id": {"TypeDef:Int64": True}, "age": {"TypeDef:Float32": True},
    "role": {"TypeDef:Enum": True, "enum": ["user", "admin"], "default": "user"},
}, ["id", "name"])})  # fmt: skip
PEOPLE_3 = file_schema(people={"shape": [-1], "dtype": record({
    "id": {"TypeDef:Uint8": True}, "age": {"TypeDef:Int8": True},
}, ["id"])})  # fmt: skip
LINES = [{"id": 1, "name": "Ada", "age": 36.5}, {"id": 2, "name": "Linus"}, {"id": 300, "name": "Grace", "age": 85}]


class EvolutionTest(program.ProgramTest):
    def people(self):
        """A file of PEOPLE_1."""
        path = str(self.folder / "people.mt")
        lines = "".join(json.dumps(line) + "\n" for line in LINES)
        packed = program.run("tensor", "pack", path, "-", "--schema", self.file("1.json", PEOPLE_1), "--metadata",
                             "who=me", "--checksums", stdin=lines)  # fmt: skip
        self.assertEqual(packed.returncode, 0, packed.stderr)
        return path

    def records(self, path):
        return program.document("tensor", "get", path, "people")

    def test_schema_diff_tells_by_its_status_whether_a_converter_is_needed(self):
        one, two, three = (self.file(f"{i}.json", s) for i, s in enumerate([PEOPLE_1, PEOPLE_2, PEOPLE_3]))
        same = program.run("schema", "diff", one, one)
        self.assertEqual((same.returncode, same.stdout), (0, b""))
        minor = program.run("schema", "diff", one, two, "--json")
        self.assertEqual(minor.returncode, 0)
        document = json.loads(minor.stdout)
        self.assertEqual(document["bump"], "minor")
        found = {(change["path"], change["change"], change["class"]) for change in document["changes"]}
        self.assertEqual(found, {("people.id", "retyped", "compatible"), ("people.role", "added", "defaultable"),
                                 ("people", "reordered", "compatible")})  # fmt: skip
        major = program.run("schema", "diff", one, three)
        self.assertEqual(major.returncode, 1)
        self.assertIn("needs converter", major.stdout.decode())
        self.assertIn("people.name", major.stdout.decode())
        piped = program.run("schema", "diff", "-", two, stdin=json.dumps(PEOPLE_2))
        self.assertEqual(piped.returncode, 0)
        self.assert_fails(program.run("schema", "diff", one, self.file("bad.json", "{")), 2, "bad.json")
        self.assert_fails(program.run("schema", "diff", "-", "-"), 2)

    def test_tensor_schema_prints_what_made_the_file(self):
        path = self.people()
        self.assertEqual(program.document("tensor", "schema", path), PEOPLE_1)
        header = program.document("tensor", "schema", path, "--header")
        self.assertIn("people", header["properties"])
        self.assertEqual(header["properties"]["people"]["properties"]["dtype"], {"const": "U8"})
        plain = self.folder / "plain.safetensors"
        text = json.dumps({"a.b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
        plain.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 4)
        inferred = program.document("tensor", "schema", plain)
        self.assertEqual(inferred["properties"]["a.b"]["TypeDef:Tensor"], {"dtype": "F32", "shape": [1]})

    def test_migrates_records_with_defaults_and_reordering(self):
        path, target = self.people(), str(self.folder / "new.mt")
        two = self.file("2.json", PEOPLE_2)
        document = program.document("tensor", "migrate", path, target, "--schema", two)
        self.assertEqual((document["output"], document["bump"]), (target, "minor"))
        self.assertEqual(self.records(target), [{**line, "role": "user"} for line in LINES])
        info = program.document("tensor", "info", target)
        self.assertEqual(info["metadata"]["who"], "me")
        self.assertIn("metatensor.checksum", info["metadata"])
        self.assertEqual(info["schema"], PEOPLE_2)
        self.assertTrue(program.document("tensor", "verify", target)["ok"])

    def test_refuses_with_every_obstacle_and_writes_nothing(self):
        path, target = self.people(), self.folder / "new.mt"
        three = self.file("3.json", PEOPLE_3)
        process = program.run("tensor", "migrate", path, target, "--schema", three, "--json")
        self.assert_fails(process, 1, "people.name", "drop")
        error = json.loads(process.stdout)["error"]
        self.assertEqual(error["code"], "migration_refused")
        self.assertEqual([refusal["path"] for refusal in error["details"]["refusals"]], ["people.name"])
        self.assertFalse(target.exists())

    def test_converts_by_name_and_saturates(self):
        path, target = self.people(), self.folder / "new.mt"
        arguments = ["tensor", "migrate", path, target, "--schema", self.file("3.json", PEOPLE_3), "--converter",
                     "people.name=drop"]  # fmt: skip
        process = program.run(*arguments, "--json")
        self.assert_fails(process, 1, "people.age", "round")
        details = json.loads(process.stdout)["error"]["details"]
        self.assertEqual((details["entry"], details["index"], details["field"]), ("people", 0, "people.age"))
        arguments += ["--converter", "people.age=round"]
        self.assert_fails(program.run(*arguments), 1, "300 is beyond Uint8")
        self.assertEqual(program.run(*arguments, "--saturate").returncode, 0)
        self.assertEqual(self.records(target), [{"id": 1, "age": 36}, {"id": 2}, {"id": 255, "age": 85}])
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith(".")], [])

    def test_unknown_converters_are_wrong_usage(self):
        path, target = self.people(), self.folder / "new.mt"
        one = self.file("1.json", PEOPLE_1)
        for converter in ("people.age", "people.age=rond", "people.age=scale", "=round"):
            process = program.run("tensor", "migrate", path, target, "--schema", one, "--converter", converter)
            self.assert_fails(process, 2, "--converter")
        self.assert_fails(program.run("tensor", "migrate", path, target, "--schema", self.file("bad.json", "[]")), 2)
        self.assertFalse(target.exists())

    def test_a_file_may_be_migrated_onto_itself(self):
        path = self.people()
        self.assertEqual(program.run("tensor", "migrate", path, path, "--schema", self.file("2.json", PEOPLE_2)).returncode, 0)
        self.assertEqual(self.records(path)[1], {"name": "Linus", "id": 2, "role": "user"})

    def test_tensor_diff_counts_values_that_differ(self):
        path = self.people()
        same = program.run("tensor", "diff", path, path)
        self.assertEqual((same.returncode, same.stdout), (0, b""))
        other = str(self.folder / "other.mt")
        lines = "".join(json.dumps({**line, "name": "X"} if line["id"] == 2 else line) + "\n" for line in LINES)
        program.run("tensor", "pack", other, "-", "--schema", self.file("1.json", PEOPLE_1), stdin=lines)
        process = program.run("tensor", "diff", path, other, "--json")
        self.assertEqual(process.returncode, 1)
        document = json.loads(process.stdout)
        self.assertFalse(document["equal"])
        self.assertEqual(document["metadata"], ["who"])
        (entry,) = document["entries"]
        self.assertEqual((entry["entry"], entry["values"], entry["differing"], entry["first"]), ("people", 3, 1, 1))
        self.assertIn("1 of 3", program.run("tensor", "diff", path, other).stdout.decode())

    def test_tensor_diff_of_a_migrated_file_shows_the_schema_and_equal_values(self):
        path, target = self.people(), str(self.folder / "new.mt")
        wider = json.loads(json.dumps(PEOPLE_1).replace("Int32", "Int64"))
        program.run("tensor", "migrate", path, target, "--schema", self.file("wider.json", wider))
        document = program.document("tensor", "diff", path, target)
        self.assertEqual([change["path"] for change in document["schema"]["changes"]], ["people.id"])
        self.assertEqual(document["entries"], [])
        self.assert_fails(program.run("tensor", "diff", path, "/no/such/file"), 1, "/no/such/file")


if __name__ == "__main__":
    unittest.main()
