"""Runs the alknet program for the end-to-end tests."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("ALKNET_PROGRAM", str(ROOT / "build" / "release" / "apps" / "alknet" / "alknet"))


def run(*arguments, stdin="", environment=None, **options):
    """The finished process; standard output and error are bytes decoded as UTF-8."""
    return subprocess.run(
        [PROGRAM, *map(os.fsencode, arguments)],
        input=stdin if isinstance(stdin, bytes) else stdin.encode(),
        capture_output=True,
        env={**os.environ, **(environment or {})},
        timeout=300,
        **options,
    )


def document(*arguments, **options):
    """What a command with --json printed; it must be the only thing on standard output."""
    return json.loads(run(*arguments, "--json", **options).stdout)


def model_folder():
    """Where the default model is installed, or None."""
    found = run("model", "path")
    return pathlib.Path(found.stdout.decode().strip()) if found.returncode == 0 else None


def has_gpu():
    return any(device["usable"] and device["id"] == "gpu:0" for device in document("devices"))


class ProgramTest(unittest.TestCase):
    """Each test has a folder of its own, removed at the end."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, content):
        """The path of a new file in the test's folder: bytes or text as they are, other values as JSON."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def assert_fails(self, process, status, *words):
        """One line on standard error that says what and how to mend it; the exit status of the conventions."""
        message = process.stderr.decode()
        self.assertEqual(process.returncode, status, message)
        self.assertTrue(message.startswith("alknet: "), message)
        for word in words:
            self.assertIn(word, message)
