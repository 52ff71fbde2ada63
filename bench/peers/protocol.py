"""The peers' side of the protocol that alknet_bench.cc describes."""

import json
import sys
import time


def serve(cases, version):
    """Answers requests until standard input ends. `cases` maps a name to a function(parameters) -> callable."""
    current = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if "prepare" in request:
                current = cases[request["prepare"]["case"]](request["prepare"])
                current()
                answer = {"ready": True, "version": version}
            else:
                begin = time.perf_counter()
                for _ in range(request["run"]):
                    current()
                answer = {"seconds": time.perf_counter() - begin}
        except Exception as error:  # told to the harness, which prints it
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)
