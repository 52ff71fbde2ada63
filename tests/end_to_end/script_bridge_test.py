"""Scripts, operations and tensors together: `alknet run` of a TypeScript file that checks itself."""

import pathlib
import sys
import unittest

from program import run

SCRIPT = pathlib.Path(__file__).with_name("bridge_tensors.ts")


class ScriptBridgeTest(unittest.TestCase):
    def test_calls_tensors_and_operations_from_an_isolate(self):
        result = run("run", "--device", "cpu", str(SCRIPT))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.endswith(b"all done\n"), result.stdout + result.stderr)
        self.assertGreater(result.stdout.count(b"ok "), 15)


if __name__ == "__main__":
    sys.exit(unittest.main())
