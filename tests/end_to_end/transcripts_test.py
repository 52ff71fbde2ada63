"""docs/transcripts.md: what its readers type is typed, and what comes back must be what the document says. `--write`
puts in what comes back."""

import json
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import browser
import program
import transcript

DOCUMENT = program.ROOT / "docs" / "transcripts.md"
WRITE = "--write"

# How somebody does at the page what a line of a browser session says.
BUTTON = """
const [label] = arguments;
const shown = [...document.querySelectorAll("button")].filter((one) => one.checkVisibility());
shown.find((one) => one.textContent.trim() === label || one.getAttribute("aria-label") === label).click();
"""
FIELD = """
const [name] = arguments;
document.querySelector("[data-test]")?.removeAttribute("data-test");
const row = [...document.querySelectorAll(".field-name")].find((one) => one.textContent === name).closest(".field");
row.querySelector("input:not(.include), select, textarea").setAttribute("data-test", "");
"""
PLAIN_TEXT = "document.body.innerText.replace(/\\s+/g, ' ')"
REQUESTS = (
    "performance.getEntriesByType('resource').filter((one) => one.initiatorType === 'fetch')"
    ".map((one) => one.name.slice(location.origin.length))"
)


class BrowserSteps:
    """The words of a browser session."""

    def __init__(self, window, names):
        self.window = window
        self.names = names
        self.window.resize(1280, 940)

    def open(self, address):
        self.window.open("about:blank")
        self.window.open(self.names.real(address))

    def press(self, label):
        self.window.until("[...document.querySelectorAll('button')].some((one) => one.checkVisibility() && "
                          "(one.textContent.trim() === label || one.getAttribute('aria-label') === label))", label=label)  # fmt: skip
        self.window.script(BUTTON, label)

    def choose(self, operation):
        self.window.click(f"[role=option][data-name='{operation}']")
        self.window.until("document.querySelector('.operation h2').textContent === operation", operation=operation)

    def search(self, text):
        self.window.write("#search", text)

    def enter(self, value):
        self.window.write(".input-json", value)

    def fill(self, text):
        name, _, value = text.partition(" with ")
        self.window.until("[...document.querySelectorAll('.field-name')].some((one) => one.textContent === name)", name=name)
        self.window.script(FIELD, name)
        self.window.write("[data-test]", value)

    def see(self, text):
        self.window.until(f"{PLAIN_TEXT}.includes(text)", text=text)

    def asked(self, path):
        self.window.until(f"{REQUESTS}.includes(path)", path=path)

    def play(self, line):
        word, _, rest = line.partition(" ")
        getattr(self, word)(rest.strip())


def missing(block):
    """Why a block cannot be played here; nothing when it can."""
    if block.kind == "browser" and browser.MISSING:
        return browser.MISSING
    if "model" in block.needs and program.model_folder() is None:
        return "the model is not installed (alknet model pull)"
    return ""


def played(block, player, window):
    """The block as it is this time."""
    if block.kind == "browser":
        steps = BrowserSteps(window, player.names)
        for line in block.text.splitlines():
            steps.play(line)
        return block.text.rstrip("\n")
    return "\n".join(str(player.play(step)) for step in block.steps())


class TranscriptsTest(unittest.TestCase):
    maxDiff = None

    def test_what_readers_type_answers_what_the_document_says(self):
        text = DOCUMENT.read_text()
        contents = []
        with tempfile.TemporaryDirectory() as folder, transcript.Player(folder) as player:
            window = None if browser.MISSING else self.enterContext(browser.Browser())
            for block in transcript.blocks_of(text):
                with self.subTest(section=block.section, line=block.line):
                    contents.append(None)
                    if why := missing(block):
                        self.skipTest(why)
                    contents[-1] = played(block, player, window)
                    if WRITE not in sys.argv and not transcript.same(block.text.rstrip("\n"), contents[-1]):
                        self.assertEqual(block.text.rstrip("\n"), contents[-1], f"mend the program or {sys.argv[0]} {WRITE}")
        if WRITE in sys.argv:
            DOCUMENT.write_text(transcript.with_blocks(text, contents))

    def test_a_difference_is_seen(self):
        self.assertTrue(transcript.same('{"a":0.25}', '{"a":0.250001}'))
        self.assertFalse(transcript.same('{"a":0.25}', '{"a":0.26}'))
        self.assertFalse(transcript.same('{"a":0.25}', '{"b":0.25}'))
        self.assertFalse(transcript.same("2 0.5", "3 0.5"))

    def test_names_stand_for_values(self):
        names = transcript.Names()
        key = "ed25519:" + "0123456789abcdef" * 4
        self.assertEqual(names.shown(f"key {key}, {key[:20]}…", "node"), "key <node-key>, <node-key>")
        self.assertEqual(names.real("peer add --fingerprint <node-key>"), f"peer add --fingerprint {key}")
        self.assertEqual(names.shown("2026-11-23T00:37:52.647 info ready operations=327", "node"), "<time> info ready operations=<count>")
        self.assertEqual(names.shown("[0.5,1,2.5e-05,4,5,6,7,8,9.0]", "node"), "[0.5,1,2.5e-05,…]")
        self.assertEqual(names.shown("[1,2,3,4,5,6,7,8]", "node"), "[1,2,3,4,5,6,7,8]")

    def test_sessions_are_read_and_written_back(self):
        text = "## A\n<!-- needs: the model -->\n```console\nnode$ first\n> second\nline\n\nlast\nnode$ third\n```\nbetween\n```sh\n$ x\n```\n"
        (block,) = transcript.blocks_of(text)
        self.assertEqual((block.section, block.needs, block.line), ("A", "the model", 3))
        steps = block.steps()
        self.assertEqual([step.command for step in steps], ["first\nsecond", "third"])
        self.assertEqual(steps[0].output, "line\n\nlast")
        self.assertEqual(transcript.with_blocks(text, ["\n".join(map(str, steps))]), text)
        self.assertEqual(transcript.with_blocks(text, [None]), text)


if __name__ == "__main__":
    if absent := [name for name in ("curl", "jq") if not shutil.which(name)]:
        print(f"skipped: {', '.join(absent)}: not installed (bin/setup)")
        sys.exit(77)
    unittest.main(argv=[one for one in sys.argv if one != WRITE])
