"""`alknet check`: what TypeScript says of files of a user, in a folder of the user's."""

import json
import pathlib
import shutil
import subprocess
import unittest

import program
from program import run

TYPED = """import { Input, Sequential } from "@alknet/flowgraph";
import { Linear } from "@alknet/nn";
import { getLogger } from "@logtape/logtape";
import { signal } from "@preact/signals-core";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { tensor } from "@alknet/tensor";

const Settings = Type.Object({ width: Type.Integer() });
const settings: Static<typeof Settings> = Value.Parse(Settings, { width: 4 });
export const width = signal(settings.width);
export const logger = getLogger("typed");
export const product = () => tensor([[1, 2], [3, 4]]).matmul(tensor([[5, 6], [7, 8]]));
export const model = (
  <Sequential>
    <Input name="x" dtype="f32" shape={["n", 4]} />
    <Linear in={settings.width} out={2} />
  </Sequential>
);
"""

# What stands at the end of TYPED: the code of the error, words of its message.
WRONG_TYPES = {
    "a prop of @alknet/nn": ('export const bad = <Linear in="four" out={2} />;', "TS2322", "'string'"),
    "a prop that @alknet/nn lacks": ("export const bad = <Linear in={4} out={2} biased />;", "TS2322", "biased"),
    "an argument of @alknet/tensor": ('export const bad = () => product().matmul("no");', "TS2345", "'string'"),
    "a value of a typebox schema": ('export const bad: Static<typeof Settings> = { width: "4" };', "TS2322", "'string'"),
}


class TypesTest(program.ProgramTest):
    def check(self, *files, **options):
        """What TypeScript says of each file."""
        document = json.loads(run("check", "--json", *files, cwd=self.folder, **options).stdout)
        if not document["types"]:
            self.skipTest(document["types_skipped"])
        return {
            file["file"]: [error for error in file["errors"] if error["code"].startswith("TS")]
            for file in document["files"]
        }

    def test_packages_have_types_outside_a_checkout(self):
        self.file("model.tsx", TYPED)
        for name in WRONG_TYPES:
            self.file(f"{name}.tsx", TYPED + WRONG_TYPES[name][0])
        reports = self.check("model.tsx", *(f"{name}.tsx" for name in WRONG_TYPES))
        self.assertEqual(reports.pop("model.tsx"), [])
        for name, (_, code, word) in WRONG_TYPES.items():
            with self.subTest(name):
                [error] = reports[f"{name}.tsx"]
                self.assertEqual((error["code"], error["details"]["line"]), (code, len(TYPED.splitlines()) + 1))
                self.assertIn(word, error["message"])
        self.assertFalse((self.folder / "node_modules").exists())

    def test_a_typescript_of_the_user_knows_the_same_packages(self):
        typescript = program.ROOT / ".deps/node/node_modules/typescript"
        if not typescript.exists():
            self.skipTest("TypeScript is not installed; bin/setup --group test installs it")
        (self.folder / "node_modules").mkdir()
        (self.folder / "node_modules/typescript").symlink_to(typescript)
        self.file("src/model.tsx", TYPED)
        self.file("src/bad.tsx", TYPED + WRONG_TYPES["a prop of @alknet/nn"][0])
        reports = self.check("src/model.tsx", "src/bad.tsx")
        self.assertEqual([len(errors) for errors in reports.values()], [0, 1], reports)

    def test_names_of_an_import_map_have_types(self):
        self.file("lib/twice.ts", "export const twice = (x: number): number => 2 * x;\n")
        self.file("lib/more/half.ts", "export const half = (x: number): number => x / 2;\n")
        import_map = self.file("lib/map.json", {"imports": {"twice": "./twice.ts", "more/": "./more/", "gone": None}})
        head = "import { twice } from 'twice';\nimport { half } from 'more/half.ts';\n"
        self.file("good.ts", head + "export const x: number = twice(half(3));\n")
        self.file("bad.ts", head + "export const x = half('3');\n")
        reports = self.check("--import-map", import_map, "good.ts", "bad.ts")
        self.assertEqual([error["code"] for error in reports["good.ts"]], [])
        self.assertEqual([error["code"] for error in reports["bad.ts"]], ["TS2345"])

    def test_errors_belong_to_the_file_of_their_path(self):
        self.file("a/same.ts", "export const x: number = 'text';\n")
        self.file("b/same.ts", "export const x = 1;\n")
        reports = self.check("a/same.ts", "b/same.ts")
        self.assertEqual([len(reports[name]) for name in ("a/same.ts", "b/same.ts")], [1, 0])

    def test_says_when_the_program_lies_in_no_checkout(self):
        copy = self.folder / "alknet"
        shutil.copy2(program.PROGRAM, copy)
        finished = subprocess.run([copy, "check", self.file("a.ts", "export {}")], capture_output=True, timeout=300)
        self.assertEqual(finished.returncode, 0, finished.stderr)
        self.assertIn(b"types were not checked", finished.stderr)
        self.assertIn(b"bin/alknet", finished.stderr)

    def test_types(self):
        file = self.file("typed.ts", "const x: number = 'text';\nexport { x };\n")
        [error] = self.check(file)[file]
        self.assertEqual((error["code"], error["details"]["line"], error["details"]["column"]), ("TS2322", 1, 7))

    def test_types_know_the_globals_of_scripts(self):
        file = self.file("typed.ts", """if (import.meta.main) {
  const text: string = await fs.readFile("a.txt", "utf8");
  console.log(text, import.meta.dirname, navigator.gpu, GPUMapMode.READ);
  test("x", () => expect(1).toBe(1));
}
""")
        self.assertEqual(self.check(file)[file], [])

    def test_says_when_the_compiler_fails(self):
        node = pathlib.Path(self.file("bin/node", "#!/bin/sh\nexit 3\n"))
        node.chmod(0o755)
        modules = pathlib.Path(self.file("modules/typescript/bin/tsc", "")).parents[2]
        finished = run("check", self.file("a.ts", "export {}"),
                       environment={"PATH": f"{node.parent}:/bin", "ALKNET_NODE_MODULES": str(modules)})  # fmt: skip
        self.assertEqual(finished.returncode, 0)
        self.assertIn(b"status 3", finished.stderr)
        self.assertIn(b"types were not checked", finished.stderr)

    def test_says_when_types_are_not_checked(self):
        environment = {"PATH": "/nonexistent", "ALKNET_NODE_MODULES": ""}
        finished = run("check", self.file("a.ts", "export {}"), environment=environment)
        self.assertEqual(finished.returncode, 0)
        self.assertIn(b"types were not checked", finished.stderr)


if __name__ == "__main__":
    unittest.main()
