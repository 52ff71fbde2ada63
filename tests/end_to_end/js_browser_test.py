"""The tests of the packages under js/ in a real browser: those that need nothing of Node. ALKNET_NODE bundles them, with
the packages of ALKNET_NODE_MODULES; see js/browser_tests.mjs."""

import functools
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

from browser import MISSING, Browser
from needs_node import AJV, NEEDS_NODE

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = os.environ.get("ALKNET_NODE", "node")
PAGE = b'<!doctype html><title>tests</title><script type="module" src="tests.mjs"></script>'

# Tests that are passed over in a browser: why.
SKIPPED = {
    "it asks for the context of node:test",
    "this is no isolate of alknet, which has the module alknet:graph",
    "this is no isolate of alknet, which has the module alknet:host",
    "this is no isolate of alknet, which has the module alknet:schema",
}


# Runs the file of tests of that number, and leaves its results in window.results.
RUN = """
window.results = undefined;
const [i] = arguments;
alknetTests.run(i).then((results) => (window.results = results));
"""


def bundle(folder, *packages):
    """js/browser_tests.mjs for these packages, all without one; skips the test where it cannot run."""
    command = [NODE, ROOT / "js" / "browser_tests.mjs", folder / "tests.mjs", *packages]
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise unittest.SkipTest("Node is not installed") from None
    if run.returncode == 77:
        raise unittest.SkipTest(run.stdout.strip())
    return run


class Bundles(unittest.TestCase):
    """What is left out of a bundle, and what is a mistake."""

    def bundle(self, contents):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "one.test.ts").write_text(contents)
        return bundle(folder, folder)

    def test_a_module_of_node_leaves_a_file_out(self):
        run = self.bundle('import { readFileSync } from "node:fs"; readFileSync(process.argv[0]);')
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(list(json.loads(run.stdout).values()), [["node:fs", "process"]])

    def test_what_cannot_be_bundled_is_an_error(self):
        for contents, words in (
            ('import { gone } from "@alknet/ujsx"; gone();', 'No matching export in "ujsx/src/index.ts"'),
            ('import { h } from "@alknet/gone"; h();', 'Could not resolve "@alknet/gone"'),
            ("const x = = 1;", "Unexpected"),
        ):
            with self.subTest(contents):
                run = self.bundle(contents)
                self.assertNotEqual(run.returncode, 0, run.stdout)
                self.assertIn(words, run.stderr)


class Files(http.server.SimpleHTTPRequestHandler):
    """The page and the bundle."""

    extensions_map = {".html": "text/html", ".mjs": "text/javascript"}

    def log_message(self, *_):
        pass


class Packages(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        run = bundle(folder)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.left_out = json.loads(run.stdout)
        (folder / "index.html").write_bytes(PAGE)
        handler = functools.partial(Files, directory=folder)
        server = self.enterContext(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        self.browser = self.enterContext(Browser())
        self.browser.open(f"http://127.0.0.1:{server.server_port}/")
        self.browser.until("window.alknetTests")

    def test_what_passes_in_node_passes_in_a_browser(self):
        self.assertEqual(self.left_out.keys(), NEEDS_NODE.keys(), "tests/end_to_end/needs_node.py lists others")
        for name, needs in self.left_out.items():
            module, why = NEEDS_NODE[name]
            if module != AJV[0]:  # which is in the bundle: those files compare with the C++ engine too
                self.assertIn(module, needs, name)
            print(f"left out {name}: it needs {', '.join(needs)}: {why}")
        names = self.browser.value("alknetTests.names")
        passed = dict.fromkeys(names, 0)
        for i, name in enumerate(names):
            self.browser.script(RUN, i)
            results = self.browser.until("window.results")
            for result in results:
                with self.subTest(f"{name}: {result['name']}"):
                    self.assertNotIn("error", result, result.get("error"))
                if "skipped" in result:
                    self.assertIn(result["skipped"], SKIPPED)
                    print(f"skipped {name}: {result['name']}: {result['skipped']}")
                else:
                    passed[name] += "error" not in result
        print(f"{sum(passed.values())} tests of {len(names)} files passed")
        self.assertGreater(sum(passed.values()), 100)
        packages = {name.split("/")[0] for name, count in passed.items() if count > 0}
        portable = {"flowgraph", "layout", "nn", "operations", "pubsub", "schema", "tensor", "ujsx"}
        self.assertGreaterEqual(packages, portable)


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {MISSING}")
        sys.exit(77)
    program = unittest.main(exit=False)
    if program.result.skipped:
        print(f"skipped: {program.result.skipped[0][1]}")
    sys.exit(77 if program.result.skipped else not program.result.wasSuccessful())
