"""Rows of operations on weights in blocks (operation_rows.py): the gguf package says what the blocks hold."""

import numpy as np
from operation_rows import Blocks, Call, Row, Values

SMALL = ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]
LARGE = ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k"]
SIZES = [(kind, 32) for kind in SMALL] + [(kind, 256) for kind in LARGE]


def product(a, x, w, bias=None):
    y = x @ w.T
    return y if bias is None else y + bias


def products(kind, values):
    """One block and many, odd numbers of rows, batches, a vector, nothing."""
    yield Call((1, values), Blocks(kind, 3, values))
    yield Call((2 * values,), Blocks(kind, 7, 2 * values))
    yield Call((2, 3, 3 * values), Blocks(kind, 17, 3 * values))
    yield Call((33, values), Blocks(kind, 5, values))
    yield Call((0, values), Blocks(kind, 2, values))


def rows():
    calls = [call for kind, values in SIZES for call in products(kind, values)]
    biased = [Call((3, 2 * values), Blocks(kind, 5, 2 * values), (5,)) for kind, values in SIZES]
    plain = [Call((3, 4), (5, 4), (5,)), Call((2, 3, 4), (1, 4), None), Call((4,), (5, 4), (5,)), Call((2, 0), (3, 0), (3,))]
    decoded = [Call(Blocks(kind, 3, 2 * values)) for kind, values in SIZES]
    picked = [Call(Blocks(kind, 4, 2 * values), Values(np.array([[0, 3, 3], [1, 0, 2]]), "i64")) for kind, values in SIZES]
    return {
        "quantized_matmul": Row(product, *calls, dtypes=["f32", "f16", "f64"]),
        "quantized_embedding": Row(lambda a, w, i: w[i], *picked, dtypes=["f32"], rounding=0),
        "linear": Row(product, *plain, *biased, dtypes=["f32", "f16", "f64"]),
        "dequantize": Row(lambda a, x: x, *decoded, dtypes=["f32"], rounding=0),
    }
