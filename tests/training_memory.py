#!/usr/bin/env python3
"""Trains for many steps and compares the memory of the program early and late.

    training_memory.py ALKNET [--steps 10000] [--device cpu]

By hand, as 10,000 steps take minutes. Prints the resident memory after each tenth of the steps, and fails when it grew by
more than 1 MiB from the first tenth to the last.
"""

import argparse
import json
import pathlib
import subprocess
import sys

STEPS_AN_EPOCH = 23  # 1437 images in batches of 64
ALLOWED = 1 << 20


def resident(process):
    """Bytes, as the system counts them; 0 once the program has ended."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().split("\n"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    epochs = -(-options.steps // STEPS_AN_EPOCH) + 1
    command = [options.program, "train", "digits", "--epochs", str(epochs), "--device", options.device, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    marks, next_mark = [], options.steps // 10
    for line in process.stdout:
        steps = json.loads(line).get("step", 0)
        if steps >= next_mark and (bytes_now := resident(process)):
            marks.append((steps, bytes_now))
            next_mark += options.steps // 10
            print(f"{steps:>7} steps  {bytes_now / 2**20:8.2f} MiB", flush=True)
    if process.wait() != 0 or len(marks) < 2:
        sys.exit("the training failed")
    grown = marks[-1][1] - marks[0][1]
    print(f"grew by {grown / 2**20:.2f} MiB in {marks[-1][0] - marks[0][0]} steps")
    sys.exit(grown > ALLOWED)


if __name__ == "__main__":
    main()
