"""Q1, Q2, Q3: products with weights in GGUF's block formats; the peer multiplies by the same weights decoded to f32. In Q3 the row is
rounded to 8 bits, as llama.cpp does."""

import peer_programs as peers
from harness import Case

# Bytes of a block and the values in it.
FORMATS = {"q4_0": (18, 32), "q4_1": (20, 32), "q8_0": (34, 32), "q4_k": (144, 256), "q6_k": (210, 256)}
SIZE = 4096


def cases(model_folder):
    for name, (block, values) in FORMATS.items():
        gigabytes = SIZE * SIZE // values * block / 1e9
        parameters = {"case": "quantized", "format": name, "n": SIZE, "k": SIZE, "device": "cpu", "burst": 1, "activations": "exact"}
        yield Case("Q1", f"one row times {name} weights, 4096 x 4096", peers.numpy, {**parameters, "rows": 1}, "GB/s of weights", None, gigabytes)
        yield Case("Q3", f"one row in bytes times {name} weights, 4096 x 4096", peers.numpy, {**parameters, "rows": 1, "activations": "q8"}, "GB/s of weights", None, gigabytes)
        yield Case("Q2", f"512 rows times {name} weights, 4096 x 4096", peers.numpy, {**parameters, "rows": 512}, "GFLOP/s", None, 2 * 512 * SIZE**2 / 1e9)
