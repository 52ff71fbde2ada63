"""N4 and the soak: a node and its users over loopback for a minute or half an hour; no peer."""

import json
import subprocess
import sys

import peer_programs

MOST_RISE = 0.05  # of resident memory during a soak


def figures(*arguments):
    """What alknet_soak found: the JSON of its last line; the lines before go to standard error as they come."""
    command = [*peer_programs.soak(), *arguments, "--json"]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if not line.startswith("{"):
                print(line, end="", file=sys.stderr)
            last = line
    if not last.startswith("{"):
        raise RuntimeError(f"{' '.join(map(str, command))} ended without a summary")
    return json.loads(last)


def row(id, case, value, unit, relation, limit):
    ok = value >= limit if relation == ">=" else value <= limit
    return {"id": id, "case": case, "ours": value, "peer": None, "peer_version": "–", "unit": unit, "ratio": None,
            "bar": f"{relation} {limit:,} {unit}", "ok": ok, "threads": 1, "runs": 1}  # fmt: skip


def idle():
    """N4."""
    found = figures("connections")
    yield row("N4", "memory of an idle connection", found["server KiB a connection"], "KiB", "<=", 64)
    found = figures("subscriptions")
    count, seconds = found["count"], found["idle seconds"]
    alive = found["pushed items that arrived"] - found["ended or spoke meanwhile"]
    yield row("N4", f"idle subscriptions alive after {seconds:g} s", alive, "subscriptions", ">=", count)
    yield row("N4", "memory of an idle subscription", found["server KiB a subscription"], "KiB", "<=", 64)
    yield row("N4", f"growth of the server in {seconds:g} s", 100 * found["server growth meanwhile"], "%", "<=", 1)


def soak():
    """Half an hour with a thousand connections."""
    found = figures("run", "--most-rise", str(MOST_RISE))
    case = f"{found['connections']:,} connections, {found['seconds'] / 60:.0f} min"
    requests = found["calls"] + found["subscriptions"] + found["streams"]
    yield row("soak", f"{case}: lost of {requests:,} answers", found["lost"], "answers", "<=", 0)
    for side in ("server", "client"):
        rise = 100 * found[f"{side} rise"]
        yield row("soak", f"{case}: rise of the {side}'s memory", rise, "%", "<=", 100 * MOST_RISE)
    left = 0 if found["server empty at the end"] else 1
    yield row("soak", f"{case}: servers that keep something", left, "servers", "<=", 0)
