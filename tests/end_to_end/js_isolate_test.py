"""The packages' own tests in an isolate, as `alknet test` runs them: what QuickJS and alknet's host modules are for
scripts. `node js/test.mjs` runs the same files in Node. js/testing/alknet/import_map.json says what node:test and
node:assert are here, and takes the C++ engine of `@alknet/schema`."""

import json
import pathlib
import unittest

from needs_node import NEEDS_NODE
from program import ROOT, run

JS = ROOT / "js"
MAP = JS / "testing" / "alknet" / "import_map.json"
# Tests that are passed over in an isolate: why.
SKIPPED = {"it asks for the context of node:test", "this is an isolate"}


def test_files():
    found = [path for end in ("ts", "tsx") for path in JS.glob(f"*/src/**/*.test.{end}")]
    return sorted(str(path.relative_to(JS)) for path in found)


class JsIsolateTest(unittest.TestCase):
    def test_each_package(self):
        files = test_files()
        self.assertLessEqual(NEEDS_NODE.keys(), set(files), "a file of the list is gone")
        finished = run("test", "--json", "--timeout", "120s", "--import-map", str(MAP), *files, cwd=JS)
        document = json.loads(finished.stdout)
        passed = dict.fromkeys(files, 0)
        for test in document["tests"]:
            name, status = test["name"], test["status"]
            with self.subTest(test["file"], test=name):
                failure = test.get("failure", {}).get("message", "")
                module, _ = NEEDS_NODE.get(test["file"], (None, None))
                if module is not None:
                    self.assertEqual(name, "the file loads", "take the file out of NEEDS_NODE")
                    self.assertIn(f'"{module}"', failure)
                elif status == "skipped":
                    self.assertIn(name.split(": ")[-1], SKIPPED)
                else:
                    self.assertEqual(status, "passed", failure + "\n" + test.get("failure", {}).get("stack", ""))
                    passed[test["file"]] += 1
        for file, count in passed.items():
            self.assertTrue(count > 0 or file in NEEDS_NODE, f"{file} has no test")
        for file, (module, why) in NEEDS_NODE.items():
            print(f"left out {file}: it needs {module}: {why}")
        packages = sorted({pathlib.Path(file).parts[0] for file, count in passed.items() if count > 0})
        print(f"{sum(passed.values())} tests of {', '.join(packages)} in {document['seconds']:.1f} s")
        self.assertGreater(sum(passed.values()), 250)


if __name__ == "__main__":
    unittest.main()
