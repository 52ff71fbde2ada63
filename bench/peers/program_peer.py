"""A program as a contestant: one run is one process. The protocol is that of alknet_bench.cc.

    program_peer.py [--epochs] VERSION COMMAND...

In the command, `{file}` is replaced by the case's parameter `file`, and `{out}` by an empty folder. The time is that of the process
from its start to its end. With --epochs the program is a training that prints a line for each epoch and one more, and the time is
that of an epoch: from the first one's line to the last one's, with all that the program does from one to the next.
"""

import json
import subprocess
import sys
import tempfile
import time


def process_seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def epoch_seconds(command):
    with subprocess.Popen(command, stdout=subprocess.PIPE) as training:
        *epochs, _ = [time.perf_counter() for _ in training.stdout]
    if training.returncode != 0:
        raise subprocess.CalledProcessError(training.returncode, command)
    return (epochs[-1] - epochs[0]) / (len(epochs) - 1)


def run(command, parameters, seconds):
    with tempfile.TemporaryDirectory(prefix="alknet-bench-") as out:
        return seconds([part.format(out=out, **parameters) for part in command])


def main():
    arguments = sys.argv[1:]
    seconds = process_seconds
    if arguments[0] == "--epochs":
        seconds, arguments = epoch_seconds, arguments[1:]
    version, command, parameters = arguments[0], arguments[1:], {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                parameters = request["prepare"]
                run(command, parameters, seconds)
                print(json.dumps({"ready": True, "version": version}), flush=True)
                continue
            total = sum(run(command, parameters, seconds) for _ in range(request["run"]))
            print(json.dumps({"seconds": total}), flush=True)
        except (subprocess.CalledProcessError, OSError) as error:
            print(json.dumps({"error": str(error)}), flush=True)


if __name__ == "__main__":
    main()
