"""`alknet check` over the scripts in examples/: they load, their trees are right, and so are their types where Node and
TypeScript are (ALKNET_NODE, ALKNET_NODE_MODULES)."""

import json
import os
import pathlib
import shutil
import unittest

import program
from program import ROOT, run

EXAMPLES = sorted(path for end in ("js", "ts", "tsx") for path in (ROOT / "examples").glob(f"*.{end}"))
TSC = pathlib.Path(os.environ.get("ALKNET_NODE_MODULES", ROOT / ".deps/node/node_modules")) / "typescript/bin/tsc"


class ExamplesTest(program.ProgramTest):
    def test_alknet_check_finds_nothing_wrong(self):
        self.assertGreater(len(EXAMPLES), 9)
        finished = run("check", "--json", *map(str, EXAMPLES), cwd=self.folder)
        checked = json.loads(finished.stdout)
        for report in checked["files"]:
            with self.subTest(report["file"]):
                self.assertEqual(report["errors"], [])
        self.assertEqual(finished.returncode, 0, finished.stderr.decode())
        self.assertEqual([report["file"] for report in checked["files"]], list(map(str, EXAMPLES)))
        if TSC.exists() and shutil.which("node"):
            self.assertTrue(checked["types"], checked["types_skipped"])
        else:
            print(checked["types_skipped"])


if __name__ == "__main__":
    unittest.main()
