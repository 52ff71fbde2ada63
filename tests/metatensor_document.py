#!/usr/bin/env python3
"""Keeps docs/metatensor.md true.

    metatensor_document.py --check|--write FACTS EXAMPLE

FACTS and EXAMPLE are the programs alknet_metatensor_facts and example_records_and_text. The parts of the document
between <!-- generated: NAME --> and <!-- end --> are made from them, from the error enums, the corpus and
docs/performance.md. --write puts them in, --check compares them. Both fail when the document names a test or a case of the
corpus that does not exist, and when an error has no test that expects it.
"""

import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "metatensor.md"
ENUMS = {"file": ROOT / "alknet" / "tensor" / "error.h", "schema": ROOT / "alknet" / "schema" / "error.h"}
GOOGLE_TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", re.M)
PYTHON_TEST = re.compile(r"^    def (test_\w+)\(", re.M)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def test_files():
    yield from sorted(ROOT.glob("alknet/*/*_test.cc"))
    yield from sorted(ROOT.glob("tests/end_to_end/*_test.py"))


def tests_of(path, text):
    """(position, name) of each test in a file: "Suite.Name", or "file_test.test_name"."""
    if path.suffix == ".py":
        return [(found.start(), f"{path.stem}.{found[1]}") for found in PYTHON_TEST.finditer(text)]
    return [(found.start(), f"{found[1]}.{found[2]}") for found in GOOGLE_TEST.finditer(text)]


def all_tests():
    return {name for path in test_files() for _, name in tests_of(path, path.read_text())}


# --- errors ------------------------------------------------------------------------------------------------------------


def snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def errors(header):
    """(code name, meaning) of each enumerator."""
    text = re.sub(r"\n\s*///<", "", header.read_text())
    return [(snake_case(name), meaning) for name, meaning in re.findall(r"^  k(\w+)(?: = 1)?,\s*///< (.*)$", text, re.M)]


def corpus():
    return json.loads((ROOT / "tests" / "metatensor_corpus.json").read_text())


def codes_of(case):
    return [case["open"]] if case["open"] != "ok" else case["verify"]


def tests_naming(code, folder):
    """Tests that expect an error, first those of the error's own layer."""
    names = []
    for path in sorted(test_files(), key=lambda path: path.parent.name != folder):
        text = path.read_text()
        if (at := text.find(f'"{code}"')) >= 0:
            names += [name for position, name in tests_of(path, text) if position < at][-1:]
    return names


def error_table(which, folder):
    rows, unproved = [], []
    for code, meaning in errors(ENUMS[which]):
        cases = [case["name"] for case in corpus() if code in codes_of(case)]
        tests = tests_naming(code, folder)
        if not cases and not tests:
            unproved.append(code)
        proof = ([f"{len(cases)} of the corpus"] if cases else []) + [f"`{name}`" for name in tests[:1]]
        rows.append((f"`{code}`", meaning, "; ".join(proof)))
    if unproved:
        sys.exit(f"metatensor_document: no test expects {', '.join(unproved)}: write one")
    return table(("error", "meaning", "proved by"), rows)


def refusals():
    rows = []
    for case in corpus():
        if codes_of(case):
            when = "opening" if case["open"] != "ok" else "`verify`"
            ours = ", ".join(f"`{code}`" for code in codes_of(case))
            reference = case["reference"] if case["reference"] == "ok" else "refused: " + case["reference"].replace("|", "\\|")
            rows.append((f"`{case['name']}`", when, ours, "accepted" if reference == "ok" else reference))
    return table(("file", "at", "alknet", "safetensors package"), rows)


# --- kinds, dtypes, limits ----------------------------------------------------------------------------------------------


def kinds(facts):
    def size(kind):
        return kind["size"] or "varies"

    rows = [(f"`{kind['name']}`", size(kind), kind["align"] or "of its parts", ", ".join(f"`{o}`" for o in kind["options"].split()),
             kind["expects"]) for kind in facts["kinds"]]  # fmt: skip
    return table(("kind", "bytes", "alignment", "options besides `align`", "as JSON"), rows)


def dtypes(facts):
    return table(("dtype", "bits", "alignment"), [(f"`{d['name']}`", d["bits"], d["align"]) for d in facts["dtypes"]])


def limits(facts):
    names = {
        "header_min": "bytes of a header, at least", "header_max": "bytes of a header, at most", "json_depth": "nesting of the header's JSON",
        "entries": "entries", "name_bytes": "bytes of an entry's name", "rank": "dimensions", "region_alignment": "the data region starts at a multiple of",
        "schema_bytes": "bytes of a schema", "schema_depth": "nesting of a schema", "schema_entries": "entries that a schema unfolds into",
        "pattern_bytes": "bytes of a pattern", "pattern_memory": "bytes of a compiled pattern",
    }  # fmt: skip
    return table(("limit", "value"), [(names[key], f"{value:,}") for key, value in facts["limits"].items()])


# --- the worked file ----------------------------------------------------------------------------------------------------


def hex_lines(content, begin, end):
    lines = []
    for at in range(begin, end, 16):
        part = content[at : min(at + 16, end)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{at:04x}  {' '.join(f'{byte:02x}' for byte in part):<47}  {text}")
    return lines


def worked_file(example):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "small.mt"
        subprocess.run([example, path], check=True, stdout=subprocess.DEVNULL)
        content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    used = len(content[8 : 8 + length].rstrip(b" "))
    metadata = header.pop("__metadata__")
    lines = [f"{len(content):,} bytes in all; the header has {length:,} = 0x{length:x}, of which {length - used:,} are padding.", "", "```"]
    lines += [*hex_lines(content, 0, 48), "...", "", "the header's members:", ""]
    lines += [f'  "__metadata__" "{key}": {json.dumps(value)[:92]}{"..." if len(json.dumps(value)) > 92 else ""}' for key, value in metadata.items()]
    lines += [f"  {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in header.items()]
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        lines += ["", f"{name}: bytes {begin} to {end}", "", *hex_lines(content, begin, end)]
    return "\n".join([*lines, "```"])


# --- speed --------------------------------------------------------------------------------------------------------------


def speed():
    rows = []
    for line in (ROOT / "docs" / "performance.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 11 and re.fullmatch(r"F[1-4]", cells[0]):
            rows.append((*cells[:2], f"{cells[2]} {cells[4]}", f"{cells[3]} {cells[4]}", cells[5], cells[8]))
    return table(("#", "what", "metatensor", "the other", "ratio (min..max)", "the other is"), rows)


# --- the document -------------------------------------------------------------------------------------------------------


def generated(facts_program, example):
    facts = json.loads(subprocess.run([facts_program], check=True, capture_output=True, text=True).stdout)
    return {
        "kinds": kinds(facts), "dtypes": dtypes(facts), "limits": limits(facts), "file errors": error_table("file", "tensor"),
        "schema errors": error_table("schema", "schema"), "refusals": refusals(), "worked file": worked_file(example),
        "speed": speed(),
    }  # fmt: skip


def filled(text, parts):
    def part(found):
        if found[1] not in parts:
            sys.exit(f"metatensor_document: nothing generates {found[1]!r}")
        return f"<!-- generated: {found[1]} -->\n\n{parts.pop(found[1])}\n\n<!-- end -->"

    text = re.sub(r"<!-- generated: ([a-z ]+) -->.*?<!-- end -->", part, text, flags=re.S)
    if parts:
        sys.exit(f"metatensor_document: {DOCUMENT.name} has no place for {', '.join(parts)}")
    return text


def check_names(text):
    named = set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+|\w+_test\.test_\w+)`", text))
    if missing := sorted(named - all_tests()):
        sys.exit(f"metatensor_document: {DOCUMENT.name} names tests that do not exist: {', '.join(missing)}")
    listed = {case["name"] for case in corpus()}
    for names in re.findall(r"\bcases?\s+((?:`\w+`(?:,\s*)?)+)", text):
        if unknown := sorted(set(re.findall(r"`(\w+)`", names)) - listed):
            sys.exit(f"metatensor_document: {DOCUMENT.name} names cases that the corpus lacks: {', '.join(unknown)}")


def main():
    mode, facts_program, example = sys.argv[1:]
    text = DOCUMENT.read_text()
    wanted = filled(text, generated(facts_program, example))
    check_names(wanted)
    if mode == "--write":
        DOCUMENT.write_text(wanted)
    elif wanted != text:
        sys.exit(f"metatensor_document: {DOCUMENT.name} is out of date: run {' '.join(sys.argv[:1] + ['--write'] + sys.argv[2:])}")


if __name__ == "__main__":
    main()
