"""Times ours and a peer in turn and makes rows of the outcome."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

MINIMUM_SECONDS = 0.05  # a measurement repeats the case until it takes this long
SETTLE_SECONDS = 0.2  # threads of the other side that spin when they have no work are asleep by then


@dataclasses.dataclass
class Case:
    """One row of the tables: two, where memory has a bar."""

    id: str
    name: str
    peer: Callable  # makes the peer's command, None when it cannot be had
    parameters: dict  # sent to both; values that are functions are called first, for cases that run
    unit: str
    bar: tuple | None  # (">=" | "<=", ratio): of speeds where there is `work`, else of times; None: only reported
    work: float | None = None  # in one run, in the unit of its speed; None: the unit is seconds
    peer_parameters: dict = dataclasses.field(default_factory=dict)  # where they differ
    memory_bar: float | None = None  # MiB over the start that ours may use
    most: float | None = None  # seconds that ours may take, whatever the peer takes
    threads: int | None = None  # of both sides, where the case decides
    ours: Callable | None = None  # makes our command, where that is not alknet_bench


class Contestant:
    """A process that prepares a case and times it: alknet_bench or a peer."""

    def __init__(self, command, threads):
        limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **limits}
        )

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise RuntimeError(f"{' '.join(map(str, self.command))}: {answer['error']}")
        return answer

    def prepare(self, parameters):
        self.version = self.ask({"prepare": parameters})["version"]
        self.count = 1
        while (seconds := self.run(self.count)["seconds"]) < MINIMUM_SECONDS:
            self.count = max(self.count + 1, int(self.count * min(10, 1.3 * MINIMUM_SECONDS / max(seconds, 1e-9))))

    def run(self, count):
        return self.ask({"run": count})

    def measure(self):
        """(seconds of one run of the case, MiB that became resident meanwhile). Short cases run as long
        before, so that the machine and their threads are awake, and these are spread over the cores."""
        time.sleep(SETTLE_SECONDS)
        if self.count > 1:
            self.run(self.count)
        answer = self.run(self.count)
        return answer["seconds"] / self.count, answer.get("peak_bytes", 0) / 2**20

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def resolved(parameters):
    """Values that are functions take time or the network."""
    return {name: value() if callable(value) else value for name, value in parameters.items()}


def holds(value, bar):
    """A bar is met when the median meets it or misses it by at most 5 %."""
    relation, limit = bar
    return value >= limit * 0.95 if relation == ">=" else value <= limit * 1.05


def bar_text(bar):
    return "reported" if bar is None else f"{bar[0]} {bar[1]}"


def case_bar_text(case):
    return bar_text(case.bar) if case.most is None else f"<= {case.most:g} s"


def case_holds(case, ratio, seconds):
    """None where nothing has to hold."""
    if case.most is not None:
        return seconds <= case.most
    return case.bar and holds(ratio, case.bar)


def time_row(case, pairs, threads, peer_version):
    def figure(seconds):
        return case.work / seconds if case.work else seconds

    ratios = [(peer / ours if case.work else ours / peer) for ours, peer in pairs]
    ratio = statistics.median(ratios)
    return {
        "id": case.id, "case": case.name, "ours": figure(statistics.median(ours for ours, _ in pairs)),
        "peer": figure(statistics.median(peer for _, peer in pairs)), "peer_version": peer_version, "unit": case.unit,
        "ratio": ratio, "ratio_min": min(ratios), "ratio_max": max(ratios), "bar": case_bar_text(case),
        "ok": case_holds(case, ratio, statistics.median(ours for ours, _ in pairs)), "threads": threads, "runs": len(pairs),
    }  # fmt: skip


def memory_row(case, pairs, threads, peer_version):
    """The bar is for ours alone; the peer's memory stands beside it."""
    ours, peer = (statistics.median(side) for side in zip(*pairs))
    return {
        "id": case.id, "case": f"{case.name}: memory over the start", "ours": ours, "peer": peer,
        "peer_version": peer_version, "unit": "MiB", "ratio": None, "bar": f"<= {case.memory_bar} MiB",
        "ok": ours <= case.memory_bar, "threads": threads, "runs": len(pairs),
    }  # fmt: skip


def not_measured(case, threads, why):
    return {"id": case.id, "case": case.name, "ours": None, "peer": None, "peer_version": why, "unit": case.unit,
            "ratio": None, "bar": case_bar_text(case), "ok": None, "threads": threads, "runs": 0}  # fmt: skip


def measure(case, ours, peer, pairs, threads):
    """The rows of one case; `ours` and `peer` are commands."""
    threads = case.threads or threads
    print(f"bench: {case.id} {case.name} beside {' '.join(map(str, peer))}", file=sys.stderr)
    contestants = [Contestant(command, threads) for command in (ours, peer)]
    try:
        for contestant, differing in zip(contestants, ({}, case.peer_parameters)):
            contestant.prepare(resolved({**case.parameters, **differing, "threads": threads}))
        measured = [tuple(contestant.measure() for contestant in contestants) for _ in range(pairs)]
        times, memory = ([(a[i], b[i]) for a, b in measured] for i in range(2))
        yield time_row(case, times, threads, contestants[1].version)
        if case.memory_bar is not None:
            yield memory_row(case, memory, threads, contestants[1].version)
    finally:
        for contestant in contestants:
            contestant.close()
