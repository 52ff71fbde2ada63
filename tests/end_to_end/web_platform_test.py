"""docs/web-platform.md beside `alknet run` and `alknet sandbox`: what only programs have, what nobody has, the
language."""

import json
import re
import unittest

import program
from program import ROOT, run

DOCUMENT = (ROOT / "docs/web-platform.md").read_text()
DESCRIBE = (ROOT / "tests/describe_globals.js").read_text()
NAMES = "Object.getOwnPropertyNames(globalThis)"
WEBGPU = re.compile(r"(GPU|WGSL)")

# What came with an edition of ECMAScript, each true where it is.
LANGUAGE = {
    2023: ["[2, 1].toSorted()[0] === 1", "[1, 2].findLast(Boolean) === 2", "new WeakMap([[Symbol(), 1]]) !== null"],
    2024: [
        "Object.groupBy([1], String)[1][0] === 1",
        "typeof Promise.withResolvers === 'function'",
        "new ArrayBuffer(1, { maxByteLength: 2 }).resizable",
        "new ArrayBuffer(1).transfer().byteLength === 1",
        "new RegExp('[\\\\p{L}--a]', 'v').test('b')",
        "'a'.isWellFormed()",
    ],
    2025: [
        "[1].values().map((x) => x + 1).next().value === 2",
        "new Set([1]).union(new Set([2])).size === 2",
        "typeof Promise.try === 'function'",
        "new Float16Array([1.0001])[0] === Math.f16round(1.0001)",
        "RegExp.escape('.') === '\\\\.'",
        "new RegExp('(?i:a)b').test('Ab')",
        "new RegExp('(?<y>a)|(?<y>b)').exec('b').groups.y === 'b'",
        "(await import('./data.json', { with: { type: 'json' } })).default.one === 1",
    ],
}
MISSING = ["Atomics.waitAsync", "globalThis.Intl"]


def part(mark):
    """What stands between a mark of the document and the next end."""
    return DOCUMENT.split(f"<!-- {mark} -->")[1].split("<!-- end -->")[0]


class WebPlatformTest(program.ProgramTest):
    def value(self, expression, *command):
        """What a script of `alknet COMMAND` gets for an expression."""
        script = self.file("script.js", f"console.log(JSON.stringify({expression}));")
        done = run(*command, script)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def only_in(self, *command):
        return set(self.value(NAMES, *command)) - set(self.value(NAMES, "sandbox"))

    def test_what_only_programs_have(self):
        names = self.only_in("run")
        gpu = sorted(filter(WEBGPU.match, names))
        rows = self.value(f"({DESCRIBE})({json.dumps(sorted(names - set(gpu)))})", "run")
        described = ", ".join(f"`{name}`" for name in gpu)
        table = f"| global | what |\n| --- | --- |\n{rows}\n| {described} | [WebGPU](webgpu-in-scripts.md) |"
        self.maxDiff = None
        self.assertEqual(part("generated: interfaces of programs").strip(), table, "put this into docs/web-platform.md")

    def test_what_restricted_programs_have(self):
        names = self.only_in("run")
        gpu = {name for name in names if WEBGPU.match(name)} | {"OffscreenCanvas"}
        self.assertEqual(self.only_in("run", "--restrict"), names - gpu)

    def test_what_is_not_there(self):
        names = re.findall(r"`(\w+)`", part("checked: none of these exists"))
        self.assertGreater(len(names), 10)
        for command in ("run", "sandbox"):
            present = self.value(f"{json.dumps(names)}.filter((name) => name in globalThis)", command)
            self.assertEqual(present, [], command)

    def test_the_language(self):
        self.assertIn(f"ECMAScript {max(LANGUAGE)}", DOCUMENT)
        self.assertIn(f"ECMAScript {max(LANGUAGE)}", (ROOT / "docs/scripting.md").read_text())
        self.file("data.json", {"one": 1})
        for edition, features in LANGUAGE.items():
            for feature in features:
                with self.subTest(edition, feature=feature):
                    self.assertIs(self.value(feature, "run"), True)
        for name in MISSING:
            self.assertEqual(self.value(f"typeof {name}", "run"), "undefined", name)


if __name__ == "__main__":
    unittest.main()
