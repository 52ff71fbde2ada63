#!/usr/bin/env python3
"""Checks the documents for what can rot: links and anchors that lead nowhere, tests that do not exist, options that a
command does not have, options of `alknet serve` that docs/serving.md does not mention, faults of its systemd unit, and
excerpts of programs that have changed.

    documents_check.py PROGRAM
"""

import functools
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from metatensor_document import tests_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
GOOGLE_NAME = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")
PYTHON_NAME = re.compile(r"`(\w+\.py): (test_\w+)`")
EXCERPT = re.compile(r"^<!-- from: (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)
OPTION = re.compile(r"--[a-z][a-z-]+")


def documents():
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted(ROOT.glob("docs/*.md"))
    yield from sorted(ROOT.glob("js/*/README.md"))


def anchors(text):
    """As GitHub makes them of headings."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        while slug in found:
            slug += "-1"
        found.add(slug)
    return found


def bad_links(path, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"\w+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (path.parent / place).resolve() if place else path
        if not file.exists():
            yield f"the link to {target} leads nowhere"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
            yield f"{target}: there is no such heading"


@functools.cache
def test_names():
    names = set()
    for path in [*ROOT.glob("alknet/**/*_test.cc"), *ROOT.glob("tests/**/*_test.cc"), *ROOT.glob("tests/**/*_test.py")]:
        for _, name in tests_of(path, path.read_text()):
            names.add(f"{path.name}: {name.partition('.')[2]}" if path.suffix == ".py" else name)
    return names


def missing_tests(path, text):
    if path.is_relative_to(ROOT / "js"):
        return  # names there are those of TypeScript
    for suite, test in GOOGLE_NAME.findall(text):
        if f"{suite}.{test}" not in test_names():
            yield f"there is no test {suite}.{test}"
    for file, test in PYTHON_NAME.findall(text):
        if f"{file}: {test}" not in test_names():
            yield f"there is no test {test} in {file}"


def changed_excerpts(text):
    """Lines of code under <!-- from: FILE --> that are not in that file."""
    for file, code in EXCERPT.findall(text):
        known = set((ROOT / file).read_text().splitlines())
        yield from (f"this line is not in {file}: {line.strip()}" for line in code.splitlines() if line not in known)


@functools.cache
def help_of(program, words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else ""


def command_words(program, words):
    """The words that name a command, of those that begin a command line."""
    verbs = ()
    for word in words:
        if not re.fullmatch(r"[a-z-]+", word) or not re.search(rf"^  {word}\s", help_of(program, verbs).partition("Subcommands:")[2], re.M):
            return verbs
        verbs += (word,)
    return verbs


def command_lines(text):
    """What follows `alknet` in the document's commands, up to the end of the command."""
    joined = re.sub(r"\\\n(?:> )?", " ", text)
    for line in re.findall(r"(?:^|[`$ /])alknet ([a-z][^\n`]*)", joined, re.M):
        yield re.split(r" [|>&;]|;", line)[0]


def unknown_options(program, text):
    for line in command_lines(text):
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        verbs = command_words(program, tuple(words))
        known = set(OPTION.findall(help_of(program, verbs))) | set(OPTION.findall(help_of(program, ())))
        for option in OPTION.findall(" ".join(words)) if verbs else ():
            if option not in known:
                yield f"alknet {' '.join(verbs)} has no {option}"


def unmentioned_options(program):
    text = (ROOT / "docs" / "serving.md").read_text()
    general = set(OPTION.findall(help_of(program, ()))) | {"--json", "--help-all", "--help"}
    for option in sorted(set(OPTION.findall(help_of(program, ("serve",)))) - general):
        if not re.search(rf"{option}\b(?!-)", text):
            yield f"docs/serving.md does not mention {option} of alknet serve"


def unit_faults(program):
    """What systemd says of the unit in docs/serving.md."""
    if not shutil.which("systemd-analyze"):
        return
    (unit,) = re.findall(r"```ini\n(.*?)```", (ROOT / "docs" / "serving.md").read_text(), re.S)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "alknet.service"
        path.write_text(re.sub(r"/opt/\S+/alknet(?= )", program, unit))
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, timeout=60)
    for line in done.stderr.splitlines():
        if "alknet.service" in line:
            yield f"docs/serving.md: {line}"


def main():
    program = sys.argv[1]
    faults = [*unmentioned_options(program), *unit_faults(program)]
    for path in documents():
        text = path.read_text()
        for fault in [*bad_links(path, text), *missing_tests(path, text), *unknown_options(program, text), *changed_excerpts(text)]:
            faults.append(f"{path.relative_to(ROOT)}: {fault}")
    for fault in faults:
        print(f"documents: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
