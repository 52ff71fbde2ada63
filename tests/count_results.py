#!/usr/bin/env python3
"""Counts the test cases of one ctest run.

usage: count_results.py JUNIT_XML CASES_FOLDER

JUNIT_XML is what `ctest --output-junit` wrote: one entry a test program. Where CASES_FOLDER holds NAME.xml, written by
GoogleTest for the program NAME, its cases count instead of the program. Prints "PASSED FAILED SKIPPED" on standard
output; names every failed and skipped case, with the reason, on standard error.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def first_line(element):
    text = (element.get("message") or element.text or "").strip().splitlines()
    return next((line for line in reversed(text) if line.strip()), "no reason given").strip()


def count_program(path):
    """(passed, failed, skipped) of one GoogleTest report."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None:
            failed += 1
            print(f"  FAILED  {name}", file=sys.stderr)
        elif skip is not None:
            skipped += 1
            print(f"  skipped {name}: {first_line(skip)}", file=sys.stderr)
        elif case.get("status") == "run":
            passed += 1
    return passed, failed, skipped


def count(junit, cases):
    totals = [0, 0, 0]
    for test in ElementTree.parse(junit).iter("testcase"):
        name, status = test.get("name"), test.get("status")
        report = cases / f"{name}.xml"
        counts = (0, 0, 0)
        if report.exists():
            try:
                counts = count_program(report)
            except ElementTree.ParseError:
                pass  # the program died while it wrote: counted below by its status
        if status == "run" and counts == (0, 0, 0):
            counts = (1, 0, 0)
        elif status in ("notrun", "disabled"):
            skip = test.find("skipped")
            reason = first_line(skip) if skip is not None else "not run"
            is_skip = status == "disabled" or "SKIP_" in reason
            counts = (0, 0, 1) if is_skip else (0, 1, 0)
            print(f"  {'skipped' if is_skip else 'FAILED '} {name}: {reason}", file=sys.stderr)
        elif status == "fail" and counts[1] == 0:  # crashed, timed out, or a sanitizer spoke at the end
            counts = (counts[0], 1, counts[2])
            print(f"  FAILED  {name}: the program ended badly", file=sys.stderr)
        totals = [total + more for total, more in zip(totals, counts)]
    return totals


if __name__ == "__main__":
    print(*count(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
