"""F1 to F4: the file layer."""

import functools
import subprocess
import sys

import peer_programs as peers
from harness import Case

MIB = 1 << 20
INPUTS = peers.BUILD / "inputs"
ACCESSES = 1_000_000


@functools.cache
def inputs():
    """The folder with the files of inputs.py, made when they are not there."""
    made = INPUTS / "made"
    script = peers.ROOT / "bench" / "inputs.py"
    if not made.exists() or made.stat().st_mtime < script.stat().st_mtime:
        if subprocess.run([peers.PYTHON, script, INPUTS]).returncode != 0:
            sys.exit("bench: the inputs could not be made; bin/setup installs what they need")
        made.touch()
    return INPUTS


def input_file(name):
    """A file of that folder, by a function that makes it first."""
    return lambda: str(inputs() / name)


def access(kind, peer, bar, by_list=False):
    """F4 beside one peer, which has one way for both of ours."""
    case, how = (f"visit_{kind}", ", by a list of indices") if by_list else (f"read_{kind}", "")
    parameters = {"case": case, "file": input_file(f"{kind}.mt"), "count": ACCESSES}
    arrow = {"case": f"read_{kind}", "file": input_file(f"{kind}.arrow")}
    name = f"10^6 of 10^6 {kind} at random{how}"
    return Case("F4", name, peer, parameters, "s", bar, peer_parameters=arrow, threads=1)


def cases(model_folder):
    for file, name, bar in (("entries", "no schema", ("<=", 0.7)),
                            ("entries_layers", "schema of 2,500 equal layers", ("<=", 0.7)),
                            ("entries_each", "schema of 10,000 tensors", ("<=", 0.7)),
                            ("entries_titled", "schema of 10,000 tensors that is not plain", None)):  # fmt: skip
        parameters = {"case": "touch_views", "file": input_file(f"{file}.mt")}
        yield Case("F1", f"open 10,000 entries, touch every view, {name}", peers.safetensors_rust, parameters, "s",
                   bar, threads=1)  # fmt: skip
    parameters = {"case": "read_file", "file": lambda: model_folder() + "/model.safetensors"}
    yield Case("F2", "open MiniLM, read all bytes", peers.safetensors_rust, parameters, "s", ("<=", 1.0), threads=1)
    parameters = {"case": "write_file", "file": input_file("ours.out"), "count": 64, "bytes": 16 * MIB}
    yield Case("F3", "write 1 GiB, fsync, rename", peers.safetensors_rust, parameters, "s", ("<=", 1.0),
               peer_parameters={"file": input_file("peer.out")}, memory_bar=16, threads=1)  # fmt: skip
    for kind in ("records", "strings"):
        yield access(kind, peers.arrow, ("<=", 1.0))
        yield access(kind, peers.pyarrow, None)
    yield access("strings", peers.arrow, ("<=", 1.0), by_list=True)
    yield access("strings", peers.pyarrow, None, by_list=True)
