"""S1 and S2: how long a newcomer waits for the first answer, and a user for each later one."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

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


def clean_clone(root):
    """S1: the same in a clean clone, compiler cache off. What was downloaded before is put in place first, because
    downloads do not count."""
    with tempfile.TemporaryDirectory(prefix="alknet-s1-") as folder:
        clone = pathlib.Path(folder) / "alknet"
        subprocess.run(["git", "clone", "--quiet", root, clone], check=True)
        shutil.copytree(root / ".deps", clone / ".deps", symlinks=True)
        environment = {**os.environ, "CCACHE_DISABLE": "1"}
        return row("S1", "bin/alknet embed in a clean clone", [timed(clone, environment)], 360)
