"""R4: hostile scripts under a deadline of 100 ms; no peer. `hostile_runs.py` alone writes the table of docs/sandbox.md."""

import json
import pathlib
import re
import subprocess
import sys

import peer_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "tests" / "hostile_scripts"
DOCUMENT = ROOT / "docs" / "sandbox.md"
RUNS = 3  # of each script; the slowest counts
MOST_SECONDS = 0.150
MOST_GROWTH = 16  # MiB of the host, over all scripts
MOST_READY = 0.010


def figures():
    result = subprocess.run([*peer_programs.hostile_bench(), SCRIPTS, str(RUNS)], stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout)


def row(case, value, unit, limit):
    return {"id": "R4", "case": case, "ours": value, "peer": None, "peer_version": "–", "unit": unit, "ratio": None,
            "bar": f"<= {limit:g} {unit}", "ok": value <= limit, "threads": 1, "runs": RUNS}  # fmt: skip


def hostile():
    found = figures()
    scripts = found["scripts"]
    slowest = max(scripts, key=lambda script: script["seconds"])
    wrong = [script["script"] for script in scripts if not script["right"]]
    for name in wrong:
        print(f"bench: R4 {name} ended otherwise than it should", file=sys.stderr)
    growth = (scripts[-1]["host_after"] - scripts[0]["host_before"]) / 2**20
    count = len(scripts)
    yield row(f"{count} hostile scripts: the slowest to be stopped ({slowest['script']})", slowest["seconds"], "s", MOST_SECONDS)
    yield row(f"{count} hostile scripts: other ends than expected", len(wrong), "scripts", 0)
    yield row(f"{count} hostile scripts: growth of the host", growth, "MiB", MOST_GROWTH)
    yield row("host harmed", 0 if found["unharmed"] else 1, "hosts", 0)
    yield row("helper from fork to ready", found["ready_seconds"], "s", MOST_READY)


def table(scripts):
    lines = ["| script | tries | ended by | ms | host before, after (MiB) |", "|---|---|---|---|---|"]
    for script in scripts:
        limit = f" ({script['what']})" if script["outcome"] == "RESOURCE_EXHAUSTED" else ""
        memory = f"{script['host_before'] / 2**20:.1f}, {script['host_after'] / 2**20:.1f}"
        lines.append(f"| `{script['script']}` | {script['tries']} | {script['outcome']}{limit} | "
                     f"{1000 * script['seconds']:.0f} | {memory} |")  # fmt: skip
    return "\n".join(lines)


def write_document():
    text = DOCUMENT.read_text()
    made = f"<!-- made by bench/hostile_runs.py -->\n{table(figures()['scripts'])}\n<!-- end -->"
    DOCUMENT.write_text(re.sub(r"<!-- made by bench/hostile_runs.py -->.*?<!-- end -->", lambda _: made, text, flags=re.S))


if __name__ == "__main__":
    write_document()
