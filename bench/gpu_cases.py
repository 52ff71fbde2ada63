"""G1 to G4: the first GPU, beside torch on the same one and the WebGPU library alone."""

import peer_programs as peers
from harness import Case

ADDED = 64 << 20  # elements of each operand


def cases(_model_folder):
    add = {"case": "gpu_add", "n": ADDED, "burst": 20}
    yield Case("G1", "add, 256 MiB operands", peers.torch, add, "GB/s", (">=", 0.95), 20 * 3 * 4 * ADDED / 1e9)
    for id_, dtype, bar in (("G2", "f32", 0.7), ("G3", "f16", 0.33)):
        product = {"case": "gpu_matmul", "n": 4096, "dtype": dtype, "burst": 4}
        yield Case(id_, f"{dtype} matmul 4096", peers.torch, product, "GFLOP/s", (">=", bar), 4 * 2 * 4096**3 / 1e9)
    product = {"case": "gpu_matmul", "n": 4096, "dtype": "i8", "burst": 4}
    yield Case("G3", "int_mm 4096", peers.torch, product, "GOP/s", None, 4 * 2 * 4096**3 / 1e9)
    for count, name in ((200, "dispatches in one plan"), (1, "submit and wait")):
        ours = {"case": "gpu_dispatches", "count": count, "burst": 1}
        raw = {"case": "raw_dispatches"}
        yield Case("G4", name, peers.webgpu, ours, "dispatches/s", (">=", 0.9), count, raw)
