"""R1 to R3, R5: scripts from start to exit, isolates, the way from script to C++ and back, and a training by script."""

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import peer_programs as peers
from harness import Case

HELLO = 'const greeting: string = "hello";\nconsole.log(greeting);\n'
CALLS = 100_000
ENV_CALLS = 1_000
EPOCHS = "12"


@functools.cache
def hello():
    """The script of R1, in TypeScript, and what a peer without TypeScript runs: the same without its one type."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="alknet-bench-"))
    (folder / "hello.ts").write_text(HELLO)
    (folder / "hello.mjs").write_text(HELLO.replace(": string", ""))
    return folder


def program(name, *arguments):
    """A contestant that starts `name` for each run, or None where it is not installed."""
    path = shutil.which(name)
    if path is None:
        return None
    version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    label = version if name in version else f"{name} {version}"
    return [sys.executable, peers.PEERS / "program_peer.py", label, path, *arguments, "{file}"]


def node():
    return program("node")


def deno():
    return program("deno", "run")


def alknet_run():
    return [sys.executable, peers.PEERS / "program_peer.py", "alknet", *peers.alknet(), "run", "{file}"]


def training(version, *arguments):
    """A contestant that trains a network on the digits, and leaves what it makes in a folder."""
    options = ["--epochs", EPOCHS, "--out", "{out}", "--json"]
    return [sys.executable, peers.PEERS / "program_peer.py", "--epochs", version, *peers.alknet(), *arguments, *options]


def digits_by_script():
    return training("alknet run", "run", "--device", "cpu", peers.ROOT / "examples" / "digits.tsx")


def digits_by_command():
    return training("alknet train digits", "train", "digits", "--device", "cpu")


def cases(_model_folder):
    start = {"file": lambda: str(hello() / "hello.ts")}
    javascript = {"file": lambda: str(hello() / "hello.mjs")}
    yield Case("R1", "hello.ts from start to exit", node, start, "s", ("<=", 0.3), ours=alknet_run,
               peer_parameters=javascript)  # fmt: skip
    yield Case("R1", "hello.ts from start to exit", deno, start, "s", ("<=", 0.6), ours=alknet_run)
    yield Case("R2", "isolate: create, first call, free", peers.quickjs, {"case": "isolate_life"}, "s", None,
               most=0.5e-3, ours=peers.runtime_bench)  # fmt: skip
    yield Case("R2", "isolate: create, import every core package, first call, free", peers.quickjs, {"case": "isolate_packages"},
               "s", None, most=5e-3, ours=peers.runtime_bench, peer_parameters={"case": "isolate_life"})  # fmt: skip
    yield Case("R3", "host functions called by script", peers.quickjs, {"case": "host_calls", "count": CALLS}, "calls/s",
               (">=", 0.333), work=CALLS, ours=peers.runtime_bench)  # fmt: skip
    yield Case("R3", "env.call of an operation, beside a C function called by script", peers.quickjs,
               {"case": "env_calls", "count": ENV_CALLS}, "calls/s", None, work=ENV_CALLS, ours=peers.runtime_bench,
               peer_parameters={"case": "host_calls"})  # fmt: skip
    yield Case("R5", "examples/digits.tsx beside alknet train digits: an epoch with validation and checkpoint", digits_by_command, {},
               "s", ("<=", 1.1), threads=os.cpu_count(), ours=digits_by_script)  # fmt: skip
