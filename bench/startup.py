"""S1 and S2: how long a newcomer waits for the first answer, and a user for each later one. S3: what a script's start is
made of."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

TENSOR = 'import { tensor } from "@alknet/tensor";\nconsole.log(await tensor([1, 2]).sum().item());\n'
SCRIPTS = {
    "hello.ts": ('console.log("hello");\n', []),
    "every core package": (
        "".join(
            f'import "{name}";\n'
            for name in (
                "@preact/signals-core", "@sinclair/typebox", "@sinclair/typebox/value", "@logtape/logtape", "@alknet/schema",
                "@alknet/operations", "@alknet/pubsub", "@alknet/ujsx", "@alknet/flowgraph", "@alknet/layout",
                "@alknet/tensor", "@alknet/nn",
            )
        ),
        [],
    ),
    "a first tensor on the processor": (TENSOR, ["--device", "cpu"]),
    "a first tensor on a GPU": (TENSOR, ["--device", "gpu"]),
}  # fmt: skip
PHASES = ["program", "isolate", "load", "run", "TypeScript", "packages", "operations", "devices"]

SENTENCES = [
    "A dog runs in the park.",
    "A puppy is playing outside.",
    "Stock prices fell sharply today.",
]


def timed(root, environment):
    begin = time.perf_counter()
    subprocess.run(
        [root / "bin" / "alknet", "embed", *SENTENCES], check=True, stdout=subprocess.DEVNULL, env=environment
    )
    return time.perf_counter() - begin


def row(id, case, seconds, bar):
    median = statistics.median(seconds)
    return {"id": id, "case": case, "ours": median, "peer": None, "peer_version": "–", "unit": "s", "ratio": None,
            "bar": f"<= {bar} s", "ok": median <= bar, "threads": os.cpu_count(), "runs": len(seconds)}  # fmt: skip


def warm(root, runs):
    """S2: `bin/alknet embed` when everything is built and fetched."""
    timed(root, os.environ)
    return row("S2", "bin/alknet embed, warm", [timed(root, os.environ) for _ in range(runs)], 1.0)


def phases(command, runs):
    """S3: the phases of `alknet run --timing`, a row a phase; the last four are parts of the first four."""
    with tempfile.TemporaryDirectory(prefix="alknet-s3-") as folder:
        file = pathlib.Path(folder) / "script.ts"
        for name, (source, options) in SCRIPTS.items():
            file.write_text(source)
            times = {phase: [] for phase in PHASES}
            for _ in range(runs):
                done = subprocess.run([*command, "run", "--timing", *options, file], capture_output=True, text=True)
                if done.returncode != 0:
                    break
                for words in (line.split() for line in done.stderr.splitlines() if line.endswith(" ms")):
                    times[words[1]].append(float(words[2]) / 1000)
            for phase, seconds in times.items():
                if len(seconds) == runs:
                    yield {"id": "S3", "case": f"{name}: {phase}", "ours": statistics.median(seconds), "peer": None,
                           "peer_version": "–", "unit": "s", "ratio": None, "bar": "reported", "ok": None,
                           "threads": os.cpu_count(), "runs": runs}  # fmt: skip


def clean_clone(root):
    """S1: the same in a clean clone, compiler cache off. What was downloaded before is put in place first, because
    downloads do not count."""
    with tempfile.TemporaryDirectory(prefix="alknet-s1-") as folder:
        clone = pathlib.Path(folder) / "alknet"
        subprocess.run(["git", "clone", "--quiet", root, clone], check=True)
        shutil.copytree(root / ".deps", clone / ".deps", symlinks=True)
        environment = {**os.environ, "CCACHE_DISABLE": "1"}
        return row("S1", "bin/alknet embed in a clean clone", [timed(clone, environment)], 360)
