"""`alknet schema validate`: dialects, formats, registered schemas, the shape of its JSON and its exit statuses."""

import json
import unittest

import program


class SchemaValidateTest(program.ProgramTest):
    def verdict(self, schema, instance, *options):
        schema, instance = self.file("schema.json", schema), self.file("instance.json", json.dumps(instance))
        process = program.run("schema", "validate", *options, schema, instance)
        self.assertIn(process.returncode, (0, 1), process.stderr.decode())
        return process.returncode == 0

    def test_prints_both_pointers_of_every_error(self):
        schema = self.file("s.json", {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "items": [{"type": "integer"}, {"$ref": "#/definitions/name"}], "additionalItems": False,
            "definitions": {"name": {"minLength": 2}},
        })  # fmt: skip
        bad = self.file("bad.json", ["x", "y", None])
        process = program.run("schema", "validate", "--json", schema, bad, self.file("good.json", [1, "ab"]))
        self.assertEqual(process.returncode, 1)
        answer = json.loads(process.stdout)
        self.assertEqual(set(answer), {"valid", "results"})
        self.assertFalse(answer["valid"])
        first, second = answer["results"]
        self.assertEqual((first["instance"], first["valid"], second["valid"], second["errors"]), (bad, False, True, []))
        pointers = {(error["instance_path"], error["schema_path"]) for error in first["errors"]}
        self.assertEqual(pointers, {("/0", "/items/0/type"), ("/1", "/definitions/name/minLength"), ("/2", "/additionalItems")})
        self.assertTrue(all(error["message"] for error in first["errors"]))

    def test_checks_formats_on_request(self):
        self.assertTrue(self.verdict({"format": "ipv4"}, "1.2.3"))
        self.assertFalse(self.verdict({"format": "ipv4"}, "1.2.3", "--format"))
        self.assertTrue(self.verdict({"format": "ipv4"}, "1.2.3.4", "--format"))

    def test_reads_the_draft_that_is_asked_for(self):
        schema = {"items": [{"type": "integer"}], "if": {"maxItems": 0}, "then": False}
        self.assertFalse(self.verdict(schema, [], "--draft", "7"))
        self.assertTrue(self.verdict(schema, [], "--draft", "6"))
        self.assertFalse(self.verdict(schema, ["x"], "--draft", "6"))
        self.assert_fails(program.run("schema", "validate", self.file("s.json", schema), stdin="[]"), 2, "prefixItems")
        self.assert_fails(program.run("schema", "validate", "--draft", "4", self.file("s.json", schema)), 2, "--help")

    def test_the_schema_itself_says_its_draft_before_the_option(self):
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"type": "integer"}]}
        self.assertFalse(self.verdict(schema, ["x"], "--draft", "7"))

    def test_references_lead_to_registered_schemas(self):
        name = self.file("name.json", {"$id": "https://example.com/name", "type": "string", "$ref": "short"})
        short = self.file("short.json", {"$id": "https://example.com/short#", "maxLength": 3})
        schema = {"$ref": "https://example.com/name"}
        options = ("--register", name, "--register", short)
        self.assertTrue(self.verdict(schema, "abc", *options))
        self.assertFalse(self.verdict(schema, "abcd", *options))
        path = self.file("schema.json", schema)
        self.assert_fails(program.run("schema", "validate", path, stdin="1"), 2, "https://example.com/name")
        self.assert_fails(program.run("schema", "validate", path, "--register", "/no/such.json", stdin="1"), 2, "/no/such.json")

    def test_knows_the_meta_schemas(self):
        schema = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
        self.assertTrue(self.verdict(schema, {"type": "integer"}))
        self.assertFalse(self.verdict(schema, {"type": "int"}))

    def test_reads_standard_input(self):
        schema = self.file("s.json", {"type": "integer"})
        for arguments in ((schema,), (schema, "-")):
            self.assertEqual(program.run("schema", "validate", *arguments, stdin="1").returncode, 0)
            self.assertEqual(program.run("schema", "validate", *arguments, stdin="{").returncode, 1)
        self.assertEqual(program.run("schema", "validate", "-", self.file("i.json", 1), stdin='{"type": "null"}').returncode, 1)
        self.assert_fails(program.run("schema", "validate", "-", "-", stdin="{}"), 2, "standard input")
        self.assert_fails(program.run("schema", "validate", "-", stdin="{}"), 2, "standard input")

    def test_an_unusable_schema_is_wrong_usage(self):
        for schema in ("{", {"type": 3}, {"$ref": "nowhere"}, {"$schema": "http://json-schema.org/draft-03/schema#"},
                       {"pattern": "(?=a)"}):  # fmt: skip
            with self.subTest(schema=schema):
                path = self.file("broken.json", schema)
                self.assert_fails(program.run("schema", "validate", path, stdin="1"), 2, path)


if __name__ == "__main__":
    unittest.main()
