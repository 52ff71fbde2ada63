"""The tests of the packages under js/ in a real browser: those that need nothing of Node. ALKNET_NODE bundles them, with
the packages of ALKNET_NODE_MODULES; see js/browser_tests.mjs."""

import functools
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

from browser import MISSING, Browser

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = os.environ.get("ALKNET_NODE", "node")
PAGE = b'<!doctype html><title>tests</title><script type="module" src="tests.mjs"></script>'

# Runs the file of tests of that number, and leaves its results in window.results.
RUN = """
window.results = undefined;
const [i] = arguments;
alknetTests.run(i).then((results) => (window.results = results));
"""


def bundle(folder):
    """The tests as a module, or the reason why there is none."""
    made = folder / "tests.mjs"
    command = [NODE, ROOT / "js" / "browser_tests.mjs", made]
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return "Node is not installed"
    if run.returncode == 77:
        return run.stdout.strip()
    if run.returncode != 0:
        raise RuntimeError(run.stdout + run.stderr)
    print(run.stdout, end="")
    return None


class Files(http.server.SimpleHTTPRequestHandler):
    """The page and the bundle."""

    extensions_map = {".html": "text/html", ".mjs": "text/javascript"}

    def log_message(self, *_):
        pass


class Packages(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        reason = bundle(folder)
        if reason is not None:
            self.skipTest(reason)
        (folder / "index.html").write_bytes(PAGE)
        handler = functools.partial(Files, directory=folder)
        server = self.enterContext(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        self.browser = self.enterContext(Browser())
        self.browser.open(f"http://127.0.0.1:{server.server_port}/")
        self.browser.until("window.alknetTests")

    def test_what_passes_in_node_passes_in_a_browser(self):
        names = self.browser.value("alknetTests.names")
        passed = 0
        for i, name in enumerate(names):
            self.browser.script(RUN, i)
            results = self.browser.until("window.results")
            for result in results:
                with self.subTest(f"{name}: {result['name']}"):
                    self.assertNotIn("error", result, result.get("error"))
                if "skipped" in result:
                    print(f"skipped {name}: {result['name']}: {result['skipped']}")
                else:
                    passed += "error" not in result
        print(f"{passed} tests of {len(names)} files passed")
        self.assertGreater(passed, 100)
        packages = {name.split("/")[0] for name in names}
        self.assertGreaterEqual(packages, {"layout", "pubsub", "schema", "ujsx"})


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {MISSING}")
        sys.exit(77)
    program = unittest.main(exit=False)
    if program.result.skipped:
        print(f"skipped: {program.result.skipped[0][1]}")
    sys.exit(77 if program.result.skipped else not program.result.wasSuccessful())
