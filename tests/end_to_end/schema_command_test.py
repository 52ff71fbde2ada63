"""`alknet schema encode`, `decode` and `codegen`: the bytes of the reference, errors that name the place, types that compile."""

import json
import os
import pty
import shutil
import subprocess
import unittest

import program

CODEGEN_SCHEMAS = json.loads((program.ROOT / "tests" / "codegen_schemas.json").read_text())
POINT = json.dumps({"TypeDef:Struct": True, "required": ["x"],
                    "properties": {"x": {"TypeDef:Int16": True, "minimum": 0}, "y": {"TypeDef:Int16": True}}})  # fmt: skip
TSC = program.ROOT / ".deps" / "node" / "node_modules" / "typescript" / "bin" / "tsc"


class EncodeTest(program.ProgramTest):
    def test_encodes_and_decodes_in_both_modes(self):
        schema = self.file("point.json", POINT)
        for flags, data in ((["--packed"], bytes([5, 0, 1, 6, 0])), ([], bytes([1, 0, 5, 0, 6, 0]))):
            encoded = program.run("schema", "encode", schema, *flags, stdin='{"x": 5, "y": 6}')
            self.assertEqual((encoded.stdout, encoded.returncode), (data, 0), encoded.stderr)
            decoded = program.run("schema", "decode", schema, *flags, stdin=data)
            self.assertEqual(json.loads(decoded.stdout), {"x": 5, "y": 6})

    def test_encodes_every_byte_value_through_pipes(self):
        schema = self.file("bytes.json", {"TypeDef:Array": True, "items": {"TypeDef:Uint8": True}})
        values = list(range(256)) * 100
        data = program.run("schema", "encode", schema, "--packed", stdin=json.dumps(values)).stdout
        self.assertEqual(data, len(values).to_bytes(4, "little") + bytes(values))
        self.assertEqual(json.loads(program.run("schema", "decode", schema, "--packed", stdin=data).stdout), values)

    def test_writes_a_file_whole_or_not_at_all(self):
        schema, out = self.file("point.json", POINT), self.folder / "point.bin"
        self.assertEqual(program.run("schema", "encode", schema, "--out", out, stdin='{"x": 1}').returncode, 0)
        self.assertEqual(out.read_bytes(), bytes([0, 0, 1, 0, 0, 0]))
        self.assert_fails(program.run("schema", "encode", schema, "--out", out, stdin='{"x": "one"}'), 1, "/x")
        self.assertEqual(out.read_bytes(), bytes([0, 0, 1, 0, 0, 0]))
        self.assert_fails(program.run("schema", "encode", schema, "--out", self.folder / "no" / "f", stdin='{"x": 1}'), 1)

    def test_a_value_that_does_not_conform_is_status_1_and_names_the_place(self):
        schema = self.file("point.json", POINT)
        for value, word in (('{"x": 1.5}', '"/x"'), ('{"x": 1, "z": 2}', '"/z"'), ('{"y": 1}', '"x"'), ('{"x": -1}', '"/x"'),
                            ('{"x": 1', "JSON"), ("", "JSON"), ('{"x": 1, "x": 2}', "x"), ("[" * 100, "64")):  # fmt: skip
            with self.subTest(value=value):
                process = program.run("schema", "encode", schema, stdin=value)
                self.assert_fails(process, 1, word)
                self.assertEqual(process.stdout, b"")

    def test_a_schema_that_has_no_layout_is_status_2(self):
        for schema in ({"type": "object"}, {"TypeDef:String": True}, {"TypeDef:Nonsense": True}, "{",
                       {"TypeDef:Struct": True, "properties": {"w": {"TypeDef:Tensor": {"dtype": "F32", "shape": [1]}}}},
                       {"TypeDef:Struct": True, "properties": {"b": {"TypeDef:Blob": {"item": "String"}}}}):  # fmt: skip
            path = self.file("schema.json", schema)
            for verb in ("encode", "decode"):
                with self.subTest(schema=schema, verb=verb):
                    self.assert_fails(program.run("schema", verb, path, stdin="{}"), 2, "schema")
        blob = {"TypeDef:Array": True, "items": {"TypeDef:Blob": {"item": "String"}}}
        packed = program.run("schema", "encode", self.file("blob.json", blob), "--packed", stdin="[]")
        self.assert_fails(packed, 2, "tensor pack")
        self.assert_fails(program.run("schema", "encode", "-", stdin="{}"), 2, "standard input")
        self.assert_fails(program.run("schema", "encode", self.folder / "missing.json"), 2, "missing.json")

    def test_bytes_that_are_no_value_are_status_1(self):
        schema = self.file("point.json", POINT)
        for data, word in ((b"", "byte 0"), (b"\x00" * 5, "more bytes"), (b"\x02" + b"\x00" * 5, "presence"), (b"\x00" * 7, "behind")):
            with self.subTest(data=data):
                self.assert_fails(program.run("schema", "decode", schema, stdin=data), 1, word)

    def test_a_schema_that_asks_for_gigabytes_is_refused(self):
        schema = self.file("huge.json", {"TypeDef:String": {"maxBytes": 4294967295}})
        self.assert_fails(program.run("schema", "encode", schema, stdin='""'), 1, "1073741824")

    def test_does_not_garble_a_terminal(self):
        schema, value = self.file("point.json", POINT), self.file("value.json", {"x": 1})
        leader, terminal = pty.openpty()
        with open(value, "rb") as stdin:
            process = subprocess.run([program.PROGRAM, "schema", "encode", schema], stdin=stdin, stdout=terminal,
                                     stderr=subprocess.PIPE)  # fmt: skip
        os.close(terminal)
        os.close(leader)
        self.assert_fails(process, 2, "--out")


class CodegenTest(program.ProgramTest):
    def generate(self, language, schema, *flags):
        process = program.run("schema", "codegen", self.file("schema.json", schema), "--language", language, *flags)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process.stdout.decode()

    def test_cpp_structs_compile_and_hold_what_encode_wrote(self):
        compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
        if compiler is None:
            self.skipTest("no C++ compiler")
        main = "#include <cstdio>\n#include <cstring>\n"
        body = ""
        for index, case in enumerate(CODEGEN_SCHEMAS):
            name = case["name"]
            header = self.folder / f"{name}.h"
            header.write_text(self.generate("cpp", case["schema"], "--name", name))
            path = self.file(f"{name}.json", case["schema"])
            record = program.run("schema", "encode", path, stdin=json.dumps(case["value"]))
            self.assertEqual(record.returncode, 0, record.stderr)
            data = ", ".join(str(byte) for byte in record.stdout)
            main += f'#include "{name}.h"\n'
            body += (f"  {{ static const unsigned char data[] = {{{data}}};\n    {name} r; std::memcpy(&r, data, sizeof(r));\n"
                     f'    if (!({case["check"]})) {{ std::puts("{name}"); failed = 1; }} }}\n')  # fmt: skip
        source = self.folder / "main.cc"
        source.write_text(main + "int main() {\n  int failed = 0;\n" + body + "  return failed;\n}\n")
        flags = ["-std=c++20", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wpedantic", "-Werror"]
        build = subprocess.run([compiler, *flags, source, "-o", self.folder / "main"], capture_output=True, text=True)
        self.assertEqual(build.returncode, 0, build.stderr)
        run = subprocess.run([self.folder / "main"], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout), (0, ""))

    def test_cpp_of_a_file_has_a_struct_for_each_record(self):
        record = {"TypeDef:Struct": True, "required": ["d"], "properties": {"d": {"TypeDef:Float16": True}}}
        text = self.generate("cpp", {"TypeDef:Struct": True, "properties": {
            "w": {"TypeDef:Tensor": {"dtype": "F32", "shape": [2]}}, "rows": {"TypeDef:Tensor": {"dtype": record, "shape": [-1]}}}},
            "--name", "Model")  # fmt: skip
        self.assertIn("struct ModelRows {", text)
        self.assertIn("static_assert(offsetof(ModelRows, d) == 0);", text)

    def test_typescript_compiles_and_takes_the_instances(self):
        if not TSC.exists() or shutil.which("node") is None:
            self.skipTest(f"node or {TSC.relative_to(program.ROOT)} is missing: bin/setup installs them")
        shape = {"TypeDef:Union": {"discriminator": "kind", "mapping": {
            "circle": {"TypeDef:Struct": True, "required": ["r"], "properties": {"r": {"TypeDef:Float32": True}}},
            "odd \u2028\"": {"TypeDef:Struct": True, "properties": {"a-b": {"TypeDef:Int64": True}}}}}}  # fmt: skip
        more = [
            {"name": "Shapes", "schema": {"TypeDef:Array": True, "items": shape},
             "value": [{"kind": "circle", "r": "NaN"}, {"kind": "odd \u2028\"", "a-b": "5"}, {"kind": "odd \u2028\""}],
             "wrong": [[{"kind": "circle"}], [{"kind": "square", "r": 1}], [{"kind": "circle", "r": "nan"}]]},
            {"name": "List", "schema": {"TypeDef:Struct": True, "required": ["v"], "properties": {"v": {"TypeDef:Uint8": True}, "next": {"$ref": "#"}}},
             "value": {"v": 1, "next": {"v": 2}}, "wrong": [{"v": 1, "next": None}, {"v": 1, "last": {"v": 2}}]},
            {"name": "Forest", "schema": {"TypeDef:Array": True, "items": {"$ref": "#"}}, "value": [[], [[]]], "wrong": [[1]]},
            {"name": "Labels", "schema": {"TypeDef:Record": {"values": {"TypeDef:Record": {"values": {"TypeDef:Boolean": True}}}}},
             "value": {"a": {"b": True}}, "wrong": [{"a": {"b": 1}}]},
            {"name": "Loose", "schema": {"TypeDef:Struct": True, "properties": {"any": {"type": "string"}, "blob": {"TypeDef:Blob": {"item": "Int16"}},
             "t": {"TypeDef:Tensor": {"dtype": "F32", "shape": [1]}}}},
             "value": {"any": [1], "blob": [1, 2], "t": {"$tensor": "x", "dtype": "F32", "shape": [1]}}, "wrong": [{"blob": "x"}]},
        ]  # fmt: skip
        for case in CODEGEN_SCHEMAS + more:
            name, value = case["name"], json.dumps(case["value"])
            text = self.generate("typescript", case["schema"], "--name", name) + f"\nexport const value: {name} = {value};\n"
            for index, wrong in enumerate(case.get("wrong", [])):
                text += f"// @ts-expect-error\nexport const wrong{index}: {name} = {json.dumps(wrong)};\n"
            (self.folder / f"{name}.ts").write_text(text)
        files = sorted(map(str, self.folder.glob("*.ts")))
        check = subprocess.run(["node", str(TSC), "--noEmit", "--strict", "--target", "es2022", "--typeRoots", str(self.folder), *files],
                               capture_output=True, text=True)  # fmt: skip
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_names_the_type_by_title_or_file(self):
        point = json.loads(POINT)
        self.assertIn("struct Schema {", self.generate("cpp", point))
        self.assertIn("struct GridPoint {", self.generate("cpp", {**point, "title": "grid point"}))
        self.assertIn("struct Spot {", self.generate("cpp", {**point, "title": "grid point"}, "--name", "Spot"))

    def test_refuses_what_has_no_types(self):
        schema = self.file("point.json", POINT)
        for name in ("class", "a b", "1a", "string", "x;"):
            self.assert_fails(program.run("schema", "codegen", schema, "--language", "cpp", "--name", name), 2, "name")
        packed_only = self.file("record.json", {"TypeDef:Record": {"values": {"TypeDef:Int8": True}}})
        self.assert_fails(program.run("schema", "codegen", packed_only, "--language", "cpp"), 2, "packed")
        self.assert_fails(program.run("schema", "codegen", schema, "--language", "cobol"), 2, "cobol")


if __name__ == "__main__":
    unittest.main()
