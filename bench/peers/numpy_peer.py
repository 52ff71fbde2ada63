"""numpy as a peer: matrix products, and the MiniLM encoder written with it."""

import pathlib
import sys

import elementwise_cases as cases
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "end_to_end"))
from minilm_reference import MiniLm, fast_erf  # noqa: E402
from protocol import serve  # noqa: E402


def matmul(parameters):
    n = parameters["n"]
    random = np.random.default_rng(1)
    a, b = (random.uniform(-1, 1, (n, n)).astype(np.float32) for _ in range(2))
    out = np.empty((n, n), np.float32)
    return lambda: np.matmul(a, b, out=out)


def quantized(parameters):
    rows, n, k = (parameters[name] for name in ("rows", "n", "k"))
    random = np.random.default_rng(1)
    x, w = (random.uniform(-1, 1, shape).astype(np.float32) for shape in ((rows, k), (n, k)))
    out = np.empty((rows, n), np.float32)
    return lambda: np.matmul(x, w.T, out=out)


def tiny(parameters):
    a, b = (np.full(16, 1.5, np.float32) for _ in range(2))
    calls = range(parameters["calls"])

    def add():
        for _ in calls:
            a + b

    def scale():
        for _ in calls:
            a * 0.5

    def exp():
        for _ in calls:
            np.exp(a)

    def total():
        for _ in calls:
            a.sum(0)

    return {"add": add, "mul by a number": scale, "exp": exp, "sum": total}[parameters["op"]]


def pointwise(parameters):
    x, y = (cases.uniform(*parameters["shape"]) for _ in range(2))
    weight, bias = (cases.uniform(x.shape[-1]) for _ in range(2))
    function = cases.FUNCTIONS[parameters["function"]]
    return lambda: function(np, x, y, weight, bias)


def replay(parameters):
    x, y = (cases.uniform(4, 4) for _ in range(2))
    return lambda: cases.replay(np, parameters["kind"], x, y)


def embed(parameters):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(parameters["model"] + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    model = MiniLm(parameters["model"], np.float32, fast_erf)
    texts = parameters["texts"]
    return lambda: model.encode([encoding.ids for encoding in tokenizer.encode_batch(texts)])


serve({"matmul": matmul, "pointwise": pointwise, "quantized": quantized, "replay": replay, "tiny": tiny, "embed": embed}, f"numpy {np.__version__}")
