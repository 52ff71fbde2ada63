"""`alknet check`: what is wrong with templates and layouts, by the registry and the engine of this program; types."""

import json
import os
import subprocess
import threading
import unittest

import program
from program import run

HEAD = """import { Input, Map, Operation, Output, Parallel, Sequential } from "@alknet/flowgraph";
"""

GOOD = HEAD + """import { operations } from "@alknet/operations";
import { Field, Struct } from "@alknet/layout";
operations.register({
  name: "text/words",
  input: { type: "object", properties: { text: { type: "string" } }, required: ["text"], additionalProperties: false },
  output: { type: "array", items: { type: "string" } },
  handler: ({ text }) => text.split(" "),
});
operations.register({
  name: "text/count",
  visibility: "internal",
  input: { type: "object", properties: { words: { type: "array", items: { type: "string" } } }, required: ["words"] },
  output: { type: "integer" },
  handler: ({ words }) => words.length,
});
export const model = (
  <Sequential>
    <Input name="x" dtype="f32" shape={["batch", 4]} />
    <Operation name="tensor/relu" />
    <Operation name="tensor/softmax" input={{ dim: -1 }} />
  </Sequential>
);
export const workflow = (
  <Sequential>
    <Operation name="text/words" input={{ text: "a b" }} />
    <Operation name="text/count" input={{ words: "$.output" }} />
    <Operation name="services/list" input={{ prefix: "tensor/" }} />
  </Sequential>
);
export const record = (
  <Struct>
    <Field name="id" type="Uint32" />
  </Struct>
);
export const page = { type: "div", props: {}, children: [] };
export const number = 5;
"""

# What is exported as `bad`, from line 2 on: (the faults as (line, path, code, words of the message)).
FAULTS = {
    "an operation that is not there": (
        """export const bad = (
  <Sequential>
    <Operation name="services/lst" input={{}} />
    <Operation name="tensor/rellu" input="$.input" />
  </Sequential>
);""",
        [
            (5, "/0/1", "unknown_operation", ("tensor/rellu", "did you mean relu")),
            (4, "/0/0", "unknown_operation", ("services/lst", "did you mean services/list")),
        ],
    ),
    "inputs that the operation does not take": (
        """export const bad = (
  <Parallel>
    <Operation id="a" name="services/schema" input={{ nam: "x" }} />
    <Operation
      id="b"
      name="services/list"
      input={{ prefix: 3 }}
    />
  </Parallel>
);""",
        [
            (4, "/0/a", "missing_input", ('services/schema needs "name"',)),
            (5, "/0/b", "bad_ref", ('"prefix" of services/list cannot be 3', "string")),
        ],
    ),
    "a parameter of a wrong type": (
        """export const bad = (
  <Sequential>
    <Input name="x" />
    <Operation name="tensor/softmax" input={{ dim: "last" }} />
  </Sequential>
);""",
        [(5, "/0/1", "bad_ref", ('"dim" of tensor/softmax cannot be "last"',))],
    ),
    "shapes that do not fit": (
        """export const bad = (
  <Sequential>
    <Input name="x" dtype="f32" shape={[2, 3]} />
    <Input name="y" dtype="f32" shape={[4, 5]} />
    <Operation name="tensor/matmul" input={{ input: "$.input.x", other: "$.input.y" }} />
  </Sequential>
);""",
        [(6, "/0/2", "shape_mismatch", ("[matmul]", "f32 [2, 3]", "f32 [4, 5]"))],
    ),
    "dtypes that do not fit": (
        """export const bad = (
  <Sequential>
    <Input name="x" dtype="f32" shape={[2]} />
    <Operation name="tensor/bitwise_and" input={{ input: "$.input.x", other: "$.input.x" }} />
  </Sequential>
);""",
        [(5, "/0/1", "dtype_mismatch", ("[bitwise_and]",))],
    ),
    "refs that name nothing": (
        """export const bad = (
  <Sequential>
    <Operation id="first" name="tensor/relu" input="$.input.x" />
    <Operation id="a" name="tensor/relu" input="$.nodes.frist.output" />
    <Operation id="b" name="tensor/relu" input="$.nods" />
    <Operation id="c" name="tensor/relu" input="$.nodes" />
  </Sequential>
);""",
        [
            (5, "/0/a", "unknown_ref", ("$.nodes.frist.output names nothing",)),
            (6, "/0/b", "unknown_ref", ("$.nods names nothing",)),
            (7, "/0/c", "bad_ref", ("$.nodes:",)),
        ],
    ),
    "outputs that need each other": (
        """export const bad = (
  <Parallel>
    <Operation id="a" name="tensor/relu" input="$.nodes.b.output" />
    <Operation id="b" name="tensor/relu" input="$.nodes.a.output" />
  </Parallel>
);""",
        [(4, "/0/a", "cycle", ("it needs its own output",))],
    ),
    "a node that comes later": (
        """export const bad = (
  <Sequential>
    <Operation id="a" name="tensor/relu" input="$.nodes.b.output" />
    <Operation id="b" name="tensor/relu" input="$.input.x" />
  </Sequential>
);""",
        [(4, "/0/a", "order", ("/0/b", "comes after"))],
    ),
    "an element that is no component": (
        """const Stage = () => (
  <Sequential>
    <Operation name="tensor/relu" input="$.input.x" />
    <stage />
  </Sequential>
);
export const bad = <Stage />;""",
        [(5, "/0", "bad_element", ("<stage> is no component",))],
    ),
    "the same id twice": (
        """export const bad = (
  <Parallel>
    <Operation id="a" name="tensor/relu" input="$.input.x" />
    <Operation id="a" name="tensor/relu" input="$.input.x" />
  </Parallel>
);""",
        [(None, "/0/a", "duplicate_id", ('has the id "a"',))],
    ),
}


class CheckTest(program.ProgramTest):
    def check(self, *arguments, status):
        finished = run("check", "--no-types", "--json", *arguments)
        self.assertEqual(finished.returncode, status, (finished.stdout, finished.stderr))
        return json.loads(finished.stdout)["files"]

    def test_good_trees_pass(self):
        file = self.file("good.tsx", GOOD)
        [report] = self.check(file, status=0)
        self.assertEqual((report["ok"], report["templates"], report["layouts"]), (True, 2, 1), report)
        self.assertEqual(report["not_checked"], ["page (<div>)"])
        finished = run("check", "--no-types", file)
        self.assertEqual(finished.stdout.decode(), f"{file}: ok, 2 templates, 1 layout\n")
        self.assertIn(b"page (<div>) is neither a template nor a layout", finished.stderr)

    def test_each_fault_is_told_with_its_element_and_line(self):
        files = {name: self.file(f"{i}.tsx", HEAD + text) for i, (name, (text, _)) in enumerate(FAULTS.items())}
        reports = {report["file"]: report for report in self.check(*files.values(), status=1)}
        for name, (_, faults) in FAULTS.items():
            errors = reports[files[name]]["errors"]
            for line, path, code, words in faults:
                with self.subTest(name, code=code, path=path):
                    found = [
                        error for error in errors if (error["code"], error["details"]["path"]) == (code, path)
                    ]
                    self.assertTrue(found, errors)
                    details = found[0]["details"]
                    self.assertEqual((details["export"], details["file"]), ("bad", files[name]))
                    if line is not None:
                        self.assertEqual(details["line"], line)
                    for word in words:
                        self.assertIn(word, found[0]["message"])

    def test_a_person_sees_the_line(self):
        text, _ = FAULTS["shapes that do not fit"]
        file = self.file("bad.tsx", HEAD + text)
        finished = run("check", "--no-types", file)
        self.assertEqual(finished.returncode, 1)
        shown = finished.stdout.decode()
        self.assertTrue(shown.startswith(f"{file}:6: bad /0/2: [matmul]"), shown)
        self.assertIn('\n  6 |     <Operation name="tensor/matmul"', shown)

    def test_a_tree_without_places_is_checked_too(self):
        text = """import { Operation } from "@alknet/flowgraph";
import { h } from "@alknet/ujsx";
export const bad = h(Operation, { name: "tensor/rellu" });
"""
        [report] = self.check(self.file("bad.js", text), status=1)
        self.assertEqual([error["code"] for error in report["errors"]], ["unknown_operation"])
        self.assertNotIn("line", report["errors"][0]["details"])

    def test_a_layout_is_checked(self):
        text = """import { Field, Struct } from "@alknet/layout";
export const record = (
  <Struct>
    <Field name="id" type="Uint33" />
  </Struct>
);
"""
        [report] = self.check(self.file("layout.tsx", text), status=1)
        [error] = report["errors"]
        self.assertEqual(error["code"], "unknown_type")
        self.assertIn('no kind "Uint33"', error["message"])

    def test_a_component_of_a_layout_that_throws_is_told_once(self):
        text = """import { Field, Struct } from "@alknet/layout";
const Part = () => {
  throw new Error("there is no part");
};
export const record = (
  <Struct>
    <Field name="id" type="Uint32" />
    <Part />
  </Struct>
);
"""
        file = self.file("layout.tsx", text)
        [report] = self.check(file, status=1)
        [error] = report["errors"]
        self.assertEqual(error["message"].splitlines()[0].count("layout.tsx"), 1, error)
        self.assertIn(": there is no part (", error["message"])

    def test_files_of_operations_count(self):
        operations = self.file("shop.ts", """import { operations } from "@alknet/operations";
operations.register({ name: "shop/buy", type: "mutation", handler: () => 1,
  input: { type: "object", properties: { id: { type: "integer", minimum: 1 } }, required: ["id"] } });
""")
        good = self.file("good.tsx", HEAD + 'export const t = <Operation name="shop/buy" input={{ id: 7 }} />;')
        bad = self.file("bad.tsx", HEAD + 'export const t = <Operation name="shop/buy" input={{ id: 0 }} />;')
        [report] = self.check(good, status=1)
        self.assertEqual(report["errors"][0]["code"], "unknown_operation")
        self.assertIn("--ops FILE", report["errors"][0]["message"])
        self.check("--ops", operations, good, status=0)
        [report] = self.check("--ops", operations, bad, status=1)
        self.assertIn("cannot be 0", report["errors"][0]["message"])

    def test_another_node_counts(self):
        socket = str(self.folder / "node.sock")
        operations = self.file("far.ts", """import { operations } from "@alknet/operations";
operations.register({ name: "far/away", handler: () => 1, input: { type: "object", properties: {}, additionalProperties: false } });
""")
        node = subprocess.Popen(
            [program.PROGRAM, "serve", "--json", "--device", "cpu", "--listen", f"unix:{socket}", "--ops", operations],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "XDG_CONFIG_HOME": str(self.folder)})
        watch = threading.Timer(60, node.kill)  # ends the reading below
        watch.start()
        try:
            self.assertIn(b"listening", node.stdout.readline())
            text = HEAD + """export const t = (
  <Sequential>
    <Operation name="far/away" />
    <Operation name="far/away" peer="gpu1" input={{ x: 1 }} />
    <Operation name="far/awy" peer="gpu1" />
  </Sequential>
);"""
            file = self.file("far.tsx", text)
            [report] = self.check("--peer", f"unix:{socket}", file, status=1)
            errors = [(error["details"]["path"], error["code"]) for error in report["errors"]]
            self.assertEqual(errors, [("/0/1", "unknown_input"), ("/0/2", "unknown_operation")])
        finally:
            watch.cancel()
            node.kill()
            node.communicate()

    def test_syntax_and_imports(self):
        good = self.file("good.ts", "console.log('noise'); export const x: number = 1; if (import.meta.main) throw new Error('not run');")
        finished = run("check", "--no-types", good)
        self.assertEqual((finished.returncode, finished.stdout.decode()), (0, f"{good}: ok\n"), finished.stderr)
        bad = self.file("bad.ts", "const x = = 1;")
        finished = run("check", "--no-types", "--json", good, bad)
        document = json.loads(finished.stdout)
        self.assertEqual((finished.returncode, document["ok"]), (1, False))
        self.assertEqual([file["ok"] for file in document["files"]], [True, False])
        self.assertEqual(document["files"][1]["errors"][0]["code"], "module_invalid")

    def test_what_cannot_be_imported(self):
        for text, code in (("const x = = 1;", "module_invalid"), ("throw new Error('no')", "script_threw"),
                           ("import './gone.ts'", "module_not_found"), ("await new Promise(() => {})", "script_threw"),
                           ("import { exit } from '@alknet/program'; exit(0)", "script_threw")):
            [report] = self.check(self.file("bad.ts", text), status=1)
            self.assertEqual(report["errors"][0]["code"], code, text)
        [report] = self.check(self.file("empty.ts", ""), status=0)
        self.assertEqual((report["templates"], report["errors"]), (0, []))

    def test_a_restricted_script_has_no_registry_and_that_is_said(self):
        file = self.file("a.tsx", HEAD + 'export const t = <Operation name="no/such" />;')
        finished = run("check", "--no-types", "--restrict", file)
        self.assertEqual(finished.returncode, 0, finished.stdout)
        self.assertIn(b"operations were not looked up", finished.stderr)

    def test_usage(self):
        self.assert_fails(run("check"), 2, "FILES")
        self.assert_fails(run("check", "--key", "x", "a.ts"), 2, "--peer")
        shown = run("check", "--help").stdout.decode()
        for word in ("--ops", "--peer", "--no-types", "Examples"):
            self.assertIn(word, shown)


if __name__ == "__main__":
    unittest.main()
