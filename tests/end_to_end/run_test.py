"""`alknet run`: scripts in JavaScript and TypeScript as programs."""

import json
import os
import subprocess
import unittest

import program
from program import run


class RunTest(program.ProgramTest):
    def script(self, text, *arguments, name="main.ts", **options):
        """Runs a script; its standard output, which must come with status 0."""
        finished = run("run", self.file(name, text), *arguments, **options)
        self.assertEqual(finished.returncode, 0, finished.stderr.decode())
        return finished.stdout.decode()

    def failure(self, text, *words, name="main.ts", status=1, options=()):
        finished = run("run", *options, self.file(name, text))
        self.assert_fails(finished, status, *words)
        return finished.stderr.decode()

    def test_runs_javascript_and_typescript(self):
        self.assertEqual(self.script("console.log(1 + 1)", name="a.js"), "2\n")
        typed = "interface A { x: number }\nconst a: A = { x: 3 };\nenum E { One = 1, Two }\nconsole.log(a.x!, E.Two)"
        self.assertEqual(self.script(typed), "3 2\n")

    def test_reads_standard_input(self):
        finished = run("run", "-", "a", stdin="import { args } from '@alknet/program'; console.log(args[0] as string)")
        self.assertEqual((finished.returncode, finished.stdout), (0, b"a\n"), finished.stderr)

    def test_ends_without_a_word_when_nobody_reads_its_output(self):
        for number, text in enumerate(("console.log('x')", "write('x\\n')")):
            file = self.file(f"{number}.ts", f"import {{ write }} from '@alknet/program'; for (;;) {text};")
            with subprocess.Popen([program.PROGRAM, "run", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
                self.assertEqual(running.stdout.readline(), b"x\n")
                running.stdout.close()
                self.assertEqual((running.stderr.read(), running.wait(60)), (b"", 1), text)

    def test_says_that_a_file_has_its_extension_already(self):
        self.assert_fails(run("run", "--ext", "js", self.file("a.ts", "")), 2, "--ext", "standard input", "a.ts")

    def test_gives_the_script_what_stands_behind_its_file(self):
        text = "import { args } from '@alknet/program'; console.log(JSON.stringify(args))"
        self.assertEqual(self.script(text, "--json", "-q", "--", "x y"), '["--json","-q","--","x y"]\n')
        file = self.file("b.ts", text)
        for options in (["--root", "/"], ["--root=/"], ["--timing"]):
            self.assertEqual(run("run", *options, file, "--help").stdout, b'["--help"]\n')

    def test_ends_with_the_status_that_the_script_asks_for(self):
        exits = "import { exit } from '@alknet/program';\nsetTimeout(() => console.log('never'), 1);\nexit(7);\nconsole.log(1);"
        finished = run("run", self.file("a.ts", exits))
        self.assertEqual((finished.returncode, finished.stdout), (7, b""))
        later = "import { setExitStatus } from '@alknet/program';\nsetExitStatus(3);\nconsole.log(1);"
        finished = run("run", self.file("b.ts", later))
        self.assertEqual((finished.returncode, finished.stdout), (3, b"1\n"))
        self.failure("import { exit } from '@alknet/program'; exit(1000)", "exit status is from 0 to 125")

    def test_waits_for_timers_and_promises(self):
        text = "setTimeout(() => console.log('timer'), 5); await Promise.resolve(); console.log('now');"
        self.assertEqual(self.script(text), "now\ntimer\n")
        self.failure("await new Promise(() => {})", "nothing can settle")

    def test_a_pipe_that_nobody_writes_to_does_not_hold_up_the_end(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        text = f"import {{ exit }} from '@alknet/program';\nfs.readFile({json.dumps(str(pipe))}).catch(() => {{}});\nexit(3);"
        self.assertEqual(run("run", self.file("a.ts", text)).returncode, 3)

    def test_reads_its_standard_input_as_a_file(self):
        text = "console.log((await fs.readFile('/dev/stdin', 'utf8')).toUpperCase())"
        self.assertEqual(run("run", self.file("a.ts", text), stdin="text").stdout, b"TEXT\n")

    def test_an_error_names_the_place_in_the_users_file(self):
        text = "interface A { x: number }\nfunction f(a: A, b: number): number { throw new Error('no room'); }\nf({ x: 1 }, 2);\n"
        message = self.failure(text, "Error: no room", "main.ts:2:")
        column = text.split("\n")[1].index("Error") + 1  # where QuickJS says that it is made
        self.assertIn(f"main.ts:2:{column}", message)
        self.assertIn("2 | function f(a: A, b: number): number { throw new Error", message)
        self.assertIn("main.ts:3:1", message)
        mark = message.split("\n")[2]
        self.assertEqual(mark.index("^") - mark.index("|") - 2, column - 1)

    def test_what_nobody_catches_fails_the_program(self):
        self.failure("Promise.reject(new TypeError('lost'))", "TypeError: lost")
        self.failure("setTimeout(() => { throw new RangeError('late') }, 1)", "RangeError: late", "main.ts:1:")
        self.failure("throw 7", "7")

    def test_bad_syntax_is_shown(self):
        message = self.failure("const a = 1;\nconst x: number = = 5;\n", "main.ts:2:19", "Unexpected token")
        self.assertIn("2 | const x: number = = 5;", message)
        self.failure("const a = 1;\nlet = = 5;\n", "main.js", "SyntaxError", name="main.js")

    def test_imports_files_in_all_forms(self):
        self.file("lib/a.ts", "export const a: number = 1; export { b } from './b.js';")
        self.file("lib/b.ts", "export const b = 2;")
        self.file("lib/index.ts", "export * from './a';")
        self.file("data.json", {"name": "x", "__proto__": 1})
        text = """import { a, b } from "./lib";
import data from "./data.json" with { type: "json" };
const { b: again } = await import("./lib/b.ts");
console.log(a, b, data.name, again);"""
        self.assertEqual(self.script(text), "1 2 x 2\n")

    def test_import_meta(self):
        other = self.file("o t/other.ts", "export const main = import.meta.main;")
        text = "import { main } from './o t/other.ts';\nconsole.log(import.meta.url, import.meta.dirname, import.meta.main, main)"
        file = self.file("main.ts", text)
        real = os.path.realpath(file)
        self.assertEqual(self.script(text), f"file://{real} {os.path.dirname(real)} true false\n")
        self.assertTrue(os.path.exists(other))

    def test_a_missing_module_says_what_was_tried(self):
        self.failure('import "./none"', "./none", "none.ts", "imported by", "main.ts")
        self.failure('import "lodash"', '"lodash"', "--import-map")
        self.failure('import "@alknet/ujx"', '"@alknet/ujx"', "did you mean")
        self.failure('import "https://example.com/x.js"', "not fetched")
        self.failure('import "node:fs"', "Node")

    def test_an_import_map(self):
        self.file("vendor/left.js", "export default (text) => ' ' + text;")
        mapping = self.file("map.json", {"imports": {"left-pad": "./vendor/left.js", "lib/": "./vendor/"}})
        text = "import pad from 'left-pad'; import again from 'lib/left.js'; console.log(pad('x'), pad === again)"
        finished = run("run", "--import-map", mapping, self.file("main.ts", text))
        self.assertEqual(finished.stdout, b" x true\n", finished.stderr)
        bad = self.file("bad.json", {"imports": []})
        self.failure("1", "imports", status=2, options=("--import-map", bad))

    def test_modules_come_only_from_the_root(self):
        self.file("outside.ts", "export const secret = 1;")
        file = self.file("app/main.ts", 'import "../outside.ts"')
        self.assert_fails(run("run", "--root", str(self.folder / "app"), file), 1, "outside.ts", "modules come from")
        os.symlink("../outside.ts", self.folder / "app/link.ts")
        file = self.file("app/main.ts", 'import "./link.ts"')
        self.assert_fails(run("run", "--root", str(self.folder / "app"), file), 1, "modules come from")

    def test_a_restricted_script_has_its_folder_and_what_is_allowed(self):
        secret = self.file("outside/secret.json", '{"secret": 1}')
        chart = os.path.join(os.path.dirname(secret), "x.svg")
        self.file("inside/b.ts", "export const b: number = 2;")
        text = (
            "import { dataset, writeChart } from '@alknet/program';\n"
            f"const chart = () => writeChart('{chart}', {{ title: '', xLabel: '', yLabel: '', series: [] }});\n"
            f"const secret = () => import('{secret}', {{ with: {{ type: 'json' }} }});\n"
            "const operations = () => import('@alknet/operations').then(({ env }) => env.call('services/list', {}));\n"
            "for (const f of [secret, chart, () => dataset('digits'), operations, () => import('./b.ts')])\n"
            "  try { console.log('got', (await f() as { b?: number }).b); } catch { console.log('refused'); }\n"
            "console.log(typeof navigator.gpu, typeof fetch);"
        )
        finished = run("run", "--restrict", self.file("inside/a.ts", text))
        self.assertEqual(finished.returncode, 0, finished.stderr.decode())
        self.assertEqual(finished.stdout.decode(), "refused\n" * 4 + "got 2\nundefined function\n")
        self.assertFalse(os.path.exists(chart))

    def test_jsx_makes_elements(self):
        text = "const n: number = 2;\nconst tree = <box size={n}>a<b/></box>;\nconsole.log(tree.type, tree.props.size, tree.children.length)"
        if "@alknet/ujsx" not in run("run", "-", stdin="import '@alknet/ujsx'").stderr.decode():
            self.assertEqual(self.script(text, name="main.tsx"), "box 2 2\n")

    def test_the_core_packages_load(self):
        text = """import { signal, effect } from "@preact/signals-core";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { getLogger } from "@logtape/logtape";
const s = signal(1); effect(() => void s.value);
console.log(Value.Check(Type.Object({ x: Type.Number() }), { x: s.value }), typeof getLogger);"""
        self.assertEqual(self.script(text), "true function\n")

    def test_output_into_a_closed_pipe_ends_quietly(self):
        file = self.file("a.js", "for (let i = 0; i < 1e5; ++i) console.log('x'.repeat(100));")
        process = subprocess.run(["bash", "-c", f"'{program.PROGRAM}' run '{file}' | head -1"], capture_output=True, timeout=60)
        self.assertEqual((process.stdout, process.stderr), (b"x" * 100 + b"\n", b""))

    def test_wrong_usage(self):
        self.assert_fails(run("run"), 2, "FILE")
        self.assert_fails(run("run", str(self.folder / "none.ts")), 1, "none.ts")


class ReplTest(program.ProgramTest):
    def repl(self, text, status=0):
        finished = run("repl", stdin=text, environment={"XDG_STATE_HOME": str(self.folder)})
        self.assertEqual(finished.returncode, status, finished.stderr)
        return finished.stdout.decode(), finished.stderr.decode()

    def test_prints_what_lines_give(self):
        lines = "const x: number = 6\nx * 7\nlet f = (n: number) => {\n  return n + x\n}\nf(1)\n'a' + _\n({a: 1}).a\n"
        self.assertEqual(self.repl(lines)[0], "42\n7\n'a7'\n1\n")

    def test_awaits_and_imports_at_the_top_level(self):
        lines = "import { signal } from '@preact/signals-core'\nconst s = signal(await Promise.resolve(5))\ns.value + 1\n"
        self.assertEqual(self.repl(lines)[0], "6\n")

    def test_shows_the_elements_of_tensors(self):
        lines = """import { arange, tensor } from "@alknet/tensor"
tensor([[1.5, 2], [3, 4]])
const gone = tensor([1]); gone.dispose()
gone
arange(2000)
tensor([3, 1]).sort()
console.log(arange(3))
"""
        wanted = """tensor([[1.5000, 2.0000],
        [3.0000, 4.0000]], f32 [2, 2])
Tensor(f32 [1], disposed)
tensor([   0,    1,    2,  ..., 1997, 1998, 1999], i64 [2000])
[tensor([1., 3.], f32 [2]),
 tensor([1, 0], i64 [2])]
Tensor(i64 [3])
"""
        self.assertEqual(self.repl(lines)[0], wanted)

    def test_goes_on_after_an_error_and_fails_at_the_end(self):
        output, errors = self.repl("nothing.at.all\nconst y = = 1\n1 + 1\n", status=1)
        self.assertEqual(output, "2\n")
        self.assertIn("nothing", errors)
        self.assertIn("^", errors)


class TestTest(program.ProgramTest):
    TEXT = """import { describe, expect, test } from "@alknet/test";
describe("sums", () => {
  test("add", () => expect(1 + 1).toBe(2));
  it("fail", () => {
    const value: number = 3;
    expect(value).toEqual(4);
  });
  test.skip("later", () => {});
});
test("waits", async () => { await new Promise((done) => setTimeout(done, 2)); });
"""

    def test_reports_each_test(self):
        finished = run("test", self.file("a.test.ts", self.TEXT))
        self.assertEqual(finished.returncode, 1, finished.stderr)
        text = finished.stdout.decode()
        for part in ("✓ sums > add", "✗ sums > fail", "expected 3 to equal 4", "a.test.ts:6:", "- sums > later", "✓ waits"):
            self.assertIn(part, text)
        self.assertIn("2 passed, 1 failed, 1 skipped in 1 file", text)
        self.assertNotIn("@alknet/test", text)

    def test_json(self):
        self.file("sub/b.test.js", "console.log('noise'); test('b', () => expect([1]).toContain(1))")
        self.file("node_modules/c.test.js", "throw 1")
        finished = run("test", str(self.folder), "--json")
        self.assertEqual(finished.returncode, 0, finished.stderr)
        document = json.loads(finished.stdout)
        self.assertEqual((document["ok"], document["passed"], document["files"]), (True, 1, 1))
        self.assertEqual((document["tests"][0]["name"], document["tests"][0]["status"]), ("b", "passed"))

    def test_a_file_that_cannot_be_loaded_a_late_test_and_an_exit_fail(self):
        finished = run("test", "--json", "--timeout", "20ms", self.file("a.test.ts", "test('x', () => new Promise(() => {}))"))
        self.assertIn("longer than 20 ms", json.loads(finished.stdout)["tests"][0]["failure"]["message"])
        finished = run("test", "--json", self.file("b.test.ts", "throw new Error('broken')"))
        self.assertIn("broken", json.loads(finished.stdout)["tests"][0]["failure"]["message"])
        text = "import { exit } from '@alknet/program'; test('x', () => exit(0))"
        finished = run("test", "--json", self.file("c.test.ts", text))
        self.assertEqual((finished.returncode, json.loads(finished.stdout)["ok"]), (1, False))

    def failures(self, text, *options):
        """(name, message) of the tests that failed in a file with this text."""
        finished = run("test", "--json", *options, self.file("a.test.ts", text))
        document = json.loads(finished.stdout)
        self.assertEqual((finished.returncode, document["ok"]), (1, False), finished.stderr)
        return [(test["name"], test["failure"]["message"]) for test in document["tests"] if test["status"] == "failed"]

    def test_a_file_without_tests_fails(self):
        for text in ("", "export const x = 1;", "describe('empty', () => {});"):
            [(name, message)] = self.failures(text)
            self.assertEqual(name, "the file has tests")
            self.assertIn("declares no tests", message)

    def test_what_nobody_catches_fails_its_test_and_the_others_run(self):
        [(name, message), (late, other)] = self.failures("""
test("loses", () => { void Promise.reject(new Error("forgotten")); });
test("goes on", () => {});
test("throws later", async () => {
  setTimeout(() => { throw new Error("late"); }, 1);
  await new Promise((done) => setTimeout(done, 50));
});""")
        self.assertEqual((name, message), ("loses", "nobody caught: Error: forgotten"))
        self.assertEqual((late, other), ("throws later", "nobody caught: Error: late"))

    def test_a_loop_without_end_is_ended(self):
        [(name, message)] = self.failures("test('spins', () => { for (;;); });", "--timeout", "20ms")
        self.assertEqual(name, "spins")
        self.assertIn("spins never paused", message)

    def test_a_describe_that_throws_fails_the_file(self):
        [(name, message)] = self.failures("describe('g', () => { throw new Error('broke'); });")
        self.assertEqual((name, message), ("the file loads", "Error: broke"))
        [(_, message)] = self.failures("test('outer', () => test('inner', () => {}));")
        self.assertIn("top of a test file", message)

    def test_a_failure_shows_no_frames_of_the_runner(self):
        text = "test('x', () => new Promise(() => {}));\ntest('y', () => { throw new Error('y'); });"
        shown = run("test", "--timeout", "20ms", self.file("a.test.ts", text)).stdout.decode()
        self.assertNotIn("native", shown)
        self.assertNotIn("alknet:", shown)
        self.assertIn("a.test.ts:2:", shown)

    def test_a_filter_that_chooses_nothing_fails(self):
        finished = run("test", "--filter", "no such", self.file("a.test.ts", self.TEXT))
        self.assertEqual(finished.returncode, 1)
        self.assertIn(b'no test has "no such"', finished.stderr)

    def test_a_filter_chooses(self):
        finished = run("test", "--json", "--filter", "sums add", self.file("a.test.ts", self.TEXT))
        self.assertEqual((finished.returncode, json.loads(finished.stdout)["passed"]), (0, 1))

    def test_no_tests_is_wrong_usage(self):
        self.assert_fails(run("test", str(self.folder)), 2, "there are no tests")


if __name__ == "__main__":
    unittest.main()
