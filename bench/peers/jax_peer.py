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


def digits_parameters():
    """Of alknet's digits_cnn, uniform within 1 / sqrt(fan in); layouts as flax has them."""
    shapes = {"conv1": (3, 3, 1, 32), "conv2": (3, 3, 32, 64), "fc1": (1024, 128), "fc2": (128, 10)}
    random = np.random.default_rng(1)
    parameters = {}
    for name, shape in shapes.items():
        bound = 1 / np.sqrt(np.prod(shape[:-1]))
        parameters[name + ".weight"] = jnp.asarray(random.uniform(-bound, bound, shape).astype(np.float32))
        parameters[name + ".bias"] = jnp.asarray(random.uniform(-bound, bound, shape[-1:]).astype(np.float32))
    return parameters


def digits_loss(parameters, images, labels):
    x = images[..., None]
    for name in ("conv1", "conv2"):
        x = jax.lax.conv_general_dilated(
            x, parameters[name + ".weight"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + parameters[name + ".bias"])
    x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID").reshape(len(images), -1)
    x = jax.nn.relu(x @ parameters["fc1.weight"] + parameters["fc1.bias"])
    logits = x @ parameters["fc2.weight"] + parameters["fc2.bias"]
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)
    return -chosen.mean()


def train(parameters):
    """AdamW with PyTorch's defaults, one jitted step; what it replaces is donated."""
    decay, beta1, beta2, epsilon, rate = 0.01, 0.9, 0.999, 1e-8, 0.001

    def step(values, means, squares, count, images, labels):
        loss, gradients = jax.value_and_grad(digits_loss)(values, images, labels)
        count = count + 1
        means = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, means, gradients)
        squares = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, squares, gradients)
        root = jnp.sqrt(1 - beta2**count)
        size = rate / (1 - beta1**count)
        values = jax.tree.map(
            lambda p, m, v: p * (1 - rate * decay) - size * m / (jnp.sqrt(v) / root + epsilon), values, means, squares
        )
        return loss, (values, means, squares, count)

    jitted = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    batch = parameters["batch"]
    images = jnp.asarray(np.random.default_rng(1).uniform(0, 1, (batch, 8, 8)).astype(np.float32))
    labels = jnp.arange(batch) % 10
    values = digits_parameters()
    state = (values, jax.tree.map(jnp.zeros_like, values), jax.tree.map(jnp.zeros_like, values), jnp.float32(0))

    def run():
        nonlocal state
        loss, state = jitted(*state, images, labels)
        loss.block_until_ready()

    return run


CASES = {"matmul": matmul, "pointwise": pointwise, "replay": replay, "embed": embed, "train": train}
serve(CASES, f"jax {jax.__version__}")
