"""R4: hostile scripts and kernels under a deadline of 100 ms; no peer. `hostile_runs.py` alone writes the tables of
docs/sandbox.md."""

import json
import pathlib
import re
import subprocess
import sys

import peer_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tests" / "hostile_scripts"
KERNELS = ROOT / "tests" / "hostile_kernels"
DOCUMENT = ROOT / "docs" / "sandbox.md"
RUNS = 3  # of each script; the slowest counts
MOST_SECONDS = 0.150
MOST_GROWTH = 16  # MiB of the host, over all scripts
MOST_READY = 0.010


def figures():
    result = subprocess.run([*peer_programs.hostile_bench(), SCRIPTS, KERNELS, str(RUNS)], stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)


def row(case, value, unit, limit):
    return {"id": "R4", "case": case, "ours": value, "peer": None, "peer_version": "–", "unit": unit, "ratio": None,
            "bar": f"<= {limit:g} {unit}", "ok": value <= limit, "threads": 1, "runs": RUNS}  # fmt: skip


def rows(what, found):
    slowest = max(found, key=lambda script: script["seconds"])
    wrong = [script["script"] for script in found if not script["right"]]
    for name in wrong:
        print(f"bench: R4 {name} ended otherwise than it should", file=sys.stderr)
    growth = (found[-1]["host_after"] - found[0]["host_before"]) / 2**20
    many = f"{len(found)} hostile {what}"
    yield row(f"{many}: the slowest to be stopped ({slowest['script']})", slowest["seconds"], "s", MOST_SECONDS)
    yield row(f"{many}: other ends than expected", len(wrong), what, 0)
    yield row(f"{many}: growth of the host", growth, "MiB", MOST_GROWTH)


def hostile():
    found = figures()
    yield from rows("scripts", found["scripts"])
    if found["kernels"]:
        yield from rows("kernels", found["kernels"])
    else:
        print("bench: R4 no GPU, hardware or software: hostile kernels were not run", file=sys.stderr)
    yield row("host harmed", 0 if found["unharmed"] else 1, "hosts", 0)
    yield row("helper from fork to ready", found["ready_seconds"], "s", MOST_READY)


def table(what, scripts):
    lines = [f"| {what} | tries | ended by | ms | host before, after (MiB) |", "|---|---|---|---|---|"]
    for script in scripts:
        limit = f" ({script['what']})" if what == "script" and script["outcome"] == "RESOURCE_EXHAUSTED" else ""
        memory = f"{script['host_before'] / 2**20:.1f}, {script['host_after'] / 2**20:.1f}"
        lines.append(f"| `{script['script']}` | {script['tries']} | {script['outcome']}{limit} | "
                     f"{1000 * script['seconds']:.0f} | {memory} |")  # fmt: skip
    return "\n".join(lines)


def write_document():
    found = figures()
    text = DOCUMENT.read_text()
    for what in ("script", "kernel"):
        begin = f"<!-- {what}s, made by bench/hostile_runs.py -->"
        made = f"{begin}\n{table(what, found[what + 's'])}\n<!-- end -->"
        text = re.sub(re.escape(begin) + ".*?<!-- end -->", lambda _, made=made: made, text, flags=re.S)
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    write_document()
