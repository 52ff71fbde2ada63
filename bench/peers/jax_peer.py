"""jax as a peer: jitted functions on the CPU."""

import os
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".deps" / "peers"), str(ROOT / "tests" / "end_to_end")]
os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

import elementwise_cases as cases  # noqa: E402
from minilm_reference import MiniLm  # noqa: E402
from protocol import serve  # noqa: E402


def repeated(function, *arguments):
    jitted = jax.jit(function)
    return lambda: jitted(*arguments).block_until_ready()


def uniform(*shape):
    return jnp.asarray(cases.uniform(*shape))


def matmul(parameters):
    n = parameters["n"]
    return repeated(jnp.matmul, uniform(n, n), uniform(n, n))


def pointwise(parameters):
    x, y = (uniform(*parameters["shape"]) for _ in range(2))
    weight, bias = uniform(x.shape[-1]), uniform(x.shape[-1])
    function = cases.FUNCTIONS[parameters["function"]]
    return repeated(lambda *tensors: function(jnp, *tensors), x, y, weight, bias)


def replay(parameters):
    return repeated(lambda x, y: cases.replay(jnp, parameters["kind"], x, y), uniform(4, 4), uniform(4, 4))


class JaxMiniLm(MiniLm):
    """The encoder of the reference, compiled for each shape of a batch."""

    numbers = jnp

    def __init__(self, folder):
        super().__init__(folder, np.float32, jax.scipy.special.erf)
        self.weights = {name: jnp.asarray(weight) for name, weight in self.weights.items()}
        self.compiled = jax.jit(super().encode_padded)

    def encode_padded(self, ids, mask, normalize=True):
        return np.asarray(self.compiled(ids, mask))


def embed(parameters):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(parameters["model"] + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    model = JaxMiniLm(parameters["model"])
    texts = parameters["texts"]
    return lambda: model.encode([encoding.ids for encoding in tokenizer.encode_batch(texts)])


serve({"matmul": matmul, "pointwise": pointwise, "replay": replay, "embed": embed}, f"jax {jax.__version__}")
