"""A program as a contestant: one run is one process from its start to its end. The protocol is that of alknet_bench.cc.

    program_peer.py VERSION COMMAND...

`{file}` in the command is replaced by the case's parameter `file`.
"""

import json
import subprocess
import sys
import time


def main():
    version, command, ready = sys.argv[1], sys.argv[2:], []
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                ready = [part.format(file=request["prepare"]["file"]) for part in command]
                subprocess.run(ready, check=True, stdout=subprocess.DEVNULL)
                print(json.dumps({"ready": True, "version": version}), flush=True)
                continue
            begin = time.perf_counter()
            for _ in range(request["run"]):
                subprocess.run(ready, check=True, stdout=subprocess.DEVNULL)
            print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
        except (subprocess.CalledProcessError, OSError) as error:
            print(json.dumps({"error": str(error)}), flush=True)


if __name__ == "__main__":
    main()
