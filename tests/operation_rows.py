"""What each operation of the op table computes, in numpy and float64: the rows of operations_reference.py."""

import math

import numpy as np


class Call:
    """Shapes of the inputs (None: left out; a list of shapes for a list of tensors) and attributes."""

    def __init__(self, *inputs, **attrs):
        self.inputs, self.attrs = inputs, attrs


class Values:
    """An input with these elements instead of random ones."""

    def __init__(self, values, dtype=None):
        self.values, self.dtype = values, dtype


class Blocks:
    """An input of random blocks in a format of GGUF, with the shape of its values; the reference gets what the gguf package decodes."""

    def __init__(self, kind, *shape):
        self.kind, self.shape = kind, shape


class Row:
    """reference(attrs, *inputs) -> output or list of outputs; inputs are float64, int64 or bool, absent ones None."""

    def __init__(self, reference, *calls, dtypes=None, rounding=None, scale=None):
        self.reference, self.calls, self.dtypes, self.rounding, self.scale = reference, calls, dtypes, rounding, scale


SHAPES = [Call((7,)), Call((2, 3, 5)), Call(()), Call((0, 3)), Call((300,))]
PAIRS = [Call((7,), (7,)), Call((2, 3), (3,)), Call((2, 1, 3), (4, 1)), Call((), (5,)), Call((0, 3), (3,))]
FLOATS = ["f32", "f64", "f16"]
PRODUCTS = [*FLOATS, "i8", "u8", "i32", "u32", "i64"]

# Operations that other tests compare: steps of gradients (with differences), what writes a state or needs words of the
# generator as they are (alknet/graph).
WITHOUT_ROW = {
    "assign": "AssignTest", "uniform_of_words": "of rand", "uniform_of_word_pairs": "of rand", "normal_of_words": "of randn", "normal_of_uniforms": "of randn", "integer_of_words": "of randint",
    "randn": "Philox", "interpolate": "conformance_window.cc", "convolution": "of conv1d, conv2d, conv3d",
    "convolution_backward_input": "of convolution", "convolution_backward_weight": "of convolution",
    "slice_backward": "of slice", "embedding_dense_backward": "of embedding", "gather_backward": "of gather",
}  # fmt: skip
STEP_ENDINGS = ("_backward", "_indices", "_gather")


def without_row(name):
    return name in WITHOUT_ROW or name.endswith(STEP_ENDINGS)


def erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)


def unary(reference, **options):
    return Row(lambda a, x: reference(x), *SHAPES, **options)


def binary(reference, **options):
    return Row(lambda a, x, y: reference(x, y), *PAIRS, **options)


def axes(a, x):
    dim = a["dim"]
    if dim is None or dim == []:
        return tuple(range(x.ndim))
    return tuple(d % max(x.ndim, 1) for d in dim) if isinstance(dim, list) else dim % max(x.ndim, 1)


def reduction(reference, **options):
    calls = [Call((7,)), Call((3, 4, 5), dim=[1]), Call((3, 4, 5), dim=[0, -1], keepdim=True), Call(()), Call((2, 300), dim=[1])]
    return Row(lambda a, x: reference(x, axis=axes(a, x), keepdims=a["keepdim"]), *calls, **options)


def reduced(a, loss):
    return {"none": lambda: loss, "mean": loss.mean, "sum": loss.sum}[a["reduction"]]()


def loss_calls(*more, **attrs):
    calls = [Call((4, 3), (4, 3), *more, reduction=r, **attrs) for r in ("none", "mean", "sum")]
    return [*calls, Call((4, 3), (3,), *more, **attrs)]


def element_loss(reference, *calls, **options):
    return Row(lambda a, *inputs: reduced(a, reference(a, *inputs)), *loss_calls(), *calls, dtypes=FLOATS, **options)


def log_softmax(x, axis):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def smooth_l1(a, x, y):
    d, beta = np.abs(x - y), a["beta"]
    return d if beta == 0 else np.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)


def huber(a, x, y):
    d, delta = np.abs(x - y), a["delta"]
    return np.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))


def bce(a, p, y, weight):
    loss = -(y * np.maximum(np.log(p), -100) + (1 - y) * np.maximum(np.log(1 - p), -100))
    return loss if weight is None else loss * weight


def bce_with_logits(a, x, y, weight, pos_weight):
    p = 1 / (1 + np.exp(-x))
    loss = -(y * np.log(p) * (1 if pos_weight is None else pos_weight) + (1 - y) * np.log(1 - p))
    return loss if weight is None else loss * weight


def kl_div(a, x, y):
    loss = np.exp(y) * (y - x) if a["log_target"] else np.where(y == 0, 0, y * np.log(np.where(y == 0, 1, y))) - y * x
    return loss.sum() / x.shape[0] if a["reduction"] == "batchmean" else reduced(a, loss)


def nll(a, logs, target, weight, smoothing=0.0):
    """One class after the other, as the definition reads."""
    dim = 0 if logs.ndim == 1 else 1
    rows = np.moveaxis(logs, dim, -1).reshape(-1, logs.shape[dim])
    weight = np.ones(rows.shape[1]) if weight is None else weight
    losses, counts = [], []
    for row, t in zip(rows, np.asarray(target).reshape(-1)):
        if t == a["ignore_index"]:
            losses.append(0.0)
            counts.append(0.0)
            continue
        smooth = sum(-row[c] * weight[c] for c in range(len(row))) / len(row)
        losses.append((1 - smoothing) * -row[t] * weight[t] + smoothing * smooth)
        counts.append(weight[t])
    if a["reduction"] == "none":
        return np.array(losses).reshape(np.shape(target))
    return np.float64(sum(losses) / (sum(counts) if a["reduction"] == "mean" else 1))


def cross_entropy(a, x, target, weight):
    dim = 0 if x.ndim == 1 else 1
    logs = log_softmax(x, dim)
    if np.asarray(target).dtype.kind != "f":
        return nll(a, logs, target, weight, a["label_smoothing"])
    classes = x.shape[dim]
    target = target * (1 - a["label_smoothing"]) + a["label_smoothing"] / classes
    if weight is not None:
        logs = logs * weight.reshape([-1 if d == dim else 1 for d in range(x.ndim)])
    loss = -(logs * target).sum(axis=dim)
    return loss.sum() / loss.size if a["reduction"] == "mean" else reduced(a, loss)


def philox(rng, elements, stream):
    """Philox4x32-10 (Salmon et al., 2011): word element % 4 of counter (element / 4, step low, stream, step high)."""
    words = []
    for block in range(-(-elements // 4)):
        c, k = [block, int(rng[2]), stream, int(rng[3])], [int(rng[0]), int(rng[1])]
        for _ in range(10):
            p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(q >> 32) ^ c[1] ^ k[0], q & 0xFFFFFFFF, (p >> 32) ^ c[3] ^ k[1], p & 0xFFFFFFFF]
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        words += c
    return np.array(words[:elements], np.int64)


def random_words(a, rng, size):
    return philox(rng, math.prod(size), a["stream"]).reshape(size)


def uniform(a, rng, size):
    return (random_words(a, rng, size) >> 8) * 2.0**-24


def dropped(a, x, rng, p):
    """Elements are 0 with the probability p, and the others divided by 1 - p."""
    return x * (uniform(a, rng, x.shape) < 1 - p) / (1 - p) if p < 1 else x * 0


def attention(a, q, k, v, mask, rng=None):
    if a.get("enable_gqa"):
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    scale = a["scale"] if a["scale"] is not None else 1 / math.sqrt(q.shape[-1])
    scores = q @ np.swapaxes(k, -1, -2) * scale
    kept = np.ones(scores.shape, bool)
    if a["is_causal"]:
        kept &= np.tril(np.ones(scores.shape[-2:], bool))
    if a.get("window"):
        kept &= np.array([[abs(i - j) < a["window"] for j in range(k.shape[-2])] for i in range(q.shape[-2])])
    if mask is not None and mask.dtype == bool:
        kept &= mask
    elif mask is not None:
        kept = kept & (mask != -np.inf)
        scores = scores + mask
    scores = np.where(kept, scores, -np.inf)
    weights = np.exp(scores - np.where(kept, scores, -1e300).max(-1, keepdims=True))
    total = weights.sum(-1, keepdims=True)
    weights = np.where(total == 0, 0, weights / np.where(total == 0, 1, total))
    return (dropped(a, weights, rng, a["dropout_p"]) if a.get("dropout_p") else weights) @ v


def layer_norm(x, dims, weight, bias, eps):
    axis = tuple(range(x.ndim - dims, x.ndim))
    y = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


def rms_norm(a, x, weight):
    axis = tuple(range(x.ndim - len(a["normalized_shape"]), x.ndim))
    return x / np.sqrt((x * x).mean(axis, keepdims=True) + a["eps"]) * (1 if weight is None else weight)


def group_norm(x, groups, weight, bias, eps):
    y = x.reshape(x.shape[0], groups, -1)
    y = ((y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + eps)).reshape(x.shape)
    channel = [1, -1] + [1] * (x.ndim - 2)
    return y * (1 if weight is None else weight.reshape(channel)) + (0 if bias is None else bias.reshape(channel))


def rope(a, x, positions):
    """Complex numbers turned by position * frequency."""
    depth = x.shape[-1]
    positions = np.arange(x.shape[-2]) if positions is None else positions
    turn = np.exp(1j * positions[..., None] * a["base"] ** (-2.0 * np.arange(depth // 2) / depth))
    if a["interleaved"]:
        z = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.stack([z.real, z.imag], -1).reshape(x.shape)
    z = (x[..., : depth // 2] + 1j * x[..., depth // 2 :]) * turn
    return np.concatenate([z.real, z.imag], -1)


def sliced(a, x):
    index = [slice(None)] * x.ndim
    index[a["dim"]] = slice(a["start"], a["end"], a["step"])
    return x[tuple(index)]


def split(a, x):
    size, total = a["split_size"], x.shape[a["dim"]]
    sizes = size if isinstance(size, list) else [min(size, total - at) for at in range(0, total, size)] or [0]
    return np.split(x, np.cumsum(sizes)[:-1], a["dim"])


def chunk(a, x):
    total = x.shape[a["dim"]]
    size = -(-total // a["chunks"])
    return np.split(x, list(range(size, total, size)), a["dim"])


def flatten(a, x):
    first, last = (d % max(x.ndim, 1) for d in (a["start_dim"], a["end_dim"]))
    return x.reshape(x.shape[:first] + (-1,) + x.shape[last + 1 :])


def added_product(a, x, y, z):
    return (a["beta"] * x if a["beta"] else 0) + a["alpha"] * (y @ z)


def logical(function):
    return lambda x, y: function(x != 0, y != 0)


MATRICES = [Call((5, 7), (7, 3)), Call((1, 1), (1, 1)), Call((4, 0), (0, 2)), Call((65, 40), (40, 33))]
INDEX = Values([3, 0, 2, 1], "i64")
IGNORING = Values([3, -100, 2, -100], "i64")
RNG = Values([12345, 678, 9, 0], "u32")
ATTENTION = [Call((2, 5, 8), (2, 7, 8), (2, 7, 4), None), Call((2, 5, 8), (2, 5, 8), (2, 5, 8), None, is_causal=True),
             Call((2, 5, 8), (2, 7, 8), (2, 7, 4), (1, 7), scale=0.3)]  # fmt: skip
KEPT = Values(np.random.default_rng(4).uniform(0, 1, (4, 5, 7)) < 0.7, "bool")
SEEN = Values([[True, False, True], [False, False, False], [False, True, True]], "bool")  # the second query sees nothing
DROPPED = [Call((2, 5, 8), (2, 7, 8), (2, 7, 4), None, RNG, dropout_p=0.5), Call((3, 8), (3, 8), (3, 4), None, RNG, dropout_p=0.25, is_causal=True, stream=3),
           Call((2, 3, 8), (2, 3, 8), (2, 3, 4), SEEN, RNG, dropout_p=0.25), Call((2, 5, 8), (2, 7, 8), (2, 7, 4), (1, 7), RNG, dropout_p=0.5, scale=0.3),
           Call((2, 3, 8), (2, 3, 8), (2, 3, 4), Values(np.where(SEEN.values, 0.5, -np.inf)), RNG, dropout_p=0.5),
           Call((4, 5, 8), (2, 7, 8), (2, 7, 4), KEPT, RNG, enable_gqa=True, window=3, dropout_p=0.5, stream=1), Call((5, 8), (7, 8), (7, 4), None, RNG, dropout_p=1.0)]  # fmt: skip
PROBABILITIES = Values(np.random.default_rng(3).dirichlet(np.ones(5), 4))
ADDED = [{}, {"beta": 0.5, "alpha": -2.0}, {"beta": 0}]


def core():
    return {
        "cast": Row(lambda a, x: x, *[Call(c.inputs[0], dtype="f64") for c in SHAPES], dtypes=["f32", "i32", "bool"]),
        "contiguous": unary(lambda x: x),
        "neg": unary(np.negative, dtypes=[*FLOATS, "i32", "i64"]), "abs": unary(np.abs), "exp": unary(np.exp),
        "log": unary(np.log), "sqrt": unary(np.sqrt), "rsqrt": unary(lambda x: 1 / np.sqrt(x)),
        "tanh": unary(np.tanh), "erf": unary(erf),
        "isnan": unary(np.isnan), "logical_not": unary(lambda x: x == 0),
        "gelu": Row(lambda a, x: 0.5 * x * (1 + (erf(x / math.sqrt(2)) if a["approximate"] == "none" else np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
                    *SHAPES, Call((9,), approximate="tanh")),
        "add": Row(lambda a, x, y: x | y if x.dtype == bool else x + a["alpha"] * y, *PAIRS, Call((3,), (3,), alpha=3)),
        "sub": Row(lambda a, x, y: x - a["alpha"] * y, *PAIRS, Call((3,), (3,), alpha=2), dtypes=[*FLOATS, "i32"]),
        "mul": binary(lambda x, y: x * y), "div": binary(lambda x, y: x / y, dtypes=[*FLOATS, "i32"]),
        "maximum": binary(np.maximum), "minimum": binary(np.minimum),
        "eq": binary(np.equal), "ne": binary(np.not_equal), "lt": binary(np.less), "le": binary(np.less_equal),
        "gt": binary(np.greater), "ge": binary(np.greater_equal),
        "logical_and": binary(logical(np.logical_and)), "logical_or": binary(logical(np.logical_or)),
        "where": Row(lambda a, c, x, y: np.where(c, x, y), Call((3, 4), (3, 4), (4,)), Call((4,), (2, 1), ())),
        "sum": reduction(np.sum), "mean": reduction(np.mean, dtypes=FLOATS),
        "softmax": Row(lambda a, x: np.exp(log_softmax(x, a["dim"])), Call((3, 5), dim=1), Call((3, 5, 2), dim=-2), Call((300,), dim=0)),
        "log_softmax": Row(lambda a, x: log_softmax(x, a["dim"]), Call((3, 5), dim=1), Call((3, 5, 2), dim=-2), Call((300,), dim=0)),
        "layer_norm": Row(lambda a, x, w, b: layer_norm(x, len(a["normalized_shape"]), w, b, a["eps"]),
                          Call((3, 8), None, None, normalized_shape=[8]), Call((2, 3, 8), (3, 8), (3, 8), normalized_shape=[3, 8], eps=0.1)),
        "rms_norm": Row(rms_norm, Call((3, 8), None, normalized_shape=[8], eps=1e-3), Call((2, 3, 8), (3, 8), normalized_shape=[3, 8], eps=0.1)),
        "group_norm": Row(lambda a, x, w, b: group_norm(x, a["num_groups"], w, b, a["eps"]),
                          Call((2, 6, 5), None, None, num_groups=3), Call((2, 4, 3, 3), (4,), (4,), num_groups=2, eps=0.01), rounding=256),
        "instance_norm": Row(lambda a, x, w, b: group_norm(x, x.shape[1], w, b, a["eps"]),
                             Call((2, 3, 7), None, None), Call((2, 3, 3, 4), (3,), (3,)), rounding=256),
        "attention": Row(attention, *ATTENTION),
        "scaled_dot_product_attention": Row(attention, *ATTENTION, *DROPPED, Call((2, 6, 5, 8), (2, 2, 7, 8), (2, 2, 7, 4), None, enable_gqa=True),
                                            Call((4, 5, 8), (2, 7, 8), (2, 7, 4), KEPT, enable_gqa=True, window=3),
                                            Call((4, 3, 8), (2, 3, 8), (2, 3, 8), Values(np.random.default_rng(5).uniform(-1, 1, (4, 3, 3))), enable_gqa=True),
                                            Call((2, 9, 8), (2, 4, 8), (2, 4, 4), (9, 4), window=2), Call((2, 9, 8), (2, 9, 8), (2, 9, 8), None, is_causal=True, window=4),
                                            Call((2, 5, 8), (2, 7, 8), (2, 7, 4), None, window=2, scale=0.3)),
        "embedding": Row(lambda a, w, i: w[i], Call((6, 3), Values([[0, 5], [2, 2]], "i64")), Call((6, 3), Values([1, 4, 0], "i32"))),
        "rope": Row(rope, Call((2, 5, 8), None), Call((2, 3, 5, 6), None, interleaved=True), Call((2, 4, 8), INDEX, base=500.0), rounding=256),
        "one_hot": Row(lambda a, x: np.eye(a["num_classes"], dtype=np.int64)[x], Call(Values([0, 4, 2], "i64"), num_classes=5),
                       Call(Values([[1, 0], [3, 3]], "i32"), num_classes=4), dtypes=["i64"]),
        # Losses.
        "mse_loss": element_loss(lambda a, x, y: (x - y) ** 2), "l1_loss": element_loss(lambda a, x, y: np.abs(x - y)),
        "smooth_l1_loss": element_loss(smooth_l1, Call((9,), (9,), beta=0.3), Call((9,), (9,), beta=0)),
        "huber_loss": element_loss(huber, Call((9,), (9,), delta=0.3)),
        "binary_cross_entropy": Row(lambda a, *i: reduced(a, bce(a, *i)), *loss_calls(None), Call((4, 3), (4, 3), (3,)),
                                    Call(Values([0.0, 1.0, 0.0, 1.0]), Values([0.0, 1.0, 1.0, 0.5]), None, reduction="none"), dtypes=["f32", "f64"]),
        "binary_cross_entropy_with_logits": Row(lambda a, *i: reduced(a, bce_with_logits(a, *i)), *loss_calls(None, None),
                                                Call((4, 3), (4, 3), (3,), (3,)), Call((4, 3), (4, 3), None, (3,), reduction="none"), dtypes=FLOATS),
        "kl_div": Row(kl_div, *loss_calls(), Call((4, 3), (4, 3), log_target=True), Call((4, 3), (4, 3), reduction="batchmean"),
                      Call((3,), Values([0.0, 0.4, 0.6]), reduction="none"), dtypes=FLOATS),
        "nll_loss": Row(nll, *[Call((4, 5), target, weight, reduction=r) for r in ("none", "mean", "sum") for target in (INDEX, IGNORING) for weight in (None, (5,))],
                        Call((5,), Values(3, "i64"), None), Call((2, 5, 3), Values([[0, 4, 2], [1, 1, 3]], "i32"), (5,)), dtypes=FLOATS),
        "cross_entropy": Row(cross_entropy,
                             *[Call((4, 5), target, weight, reduction=r, label_smoothing=s) for r in ("none", "mean", "sum")
                               for target in (INDEX, IGNORING, PROBABILITIES) for weight in (None, (5,)) for s in (0.0, 0.2)],
                             Call((5,), Values(3, "i64"), None), Call((2, 5, 3), Values([[0, 4, 2], [1, 1, 3]], "i32"), (5,)),
                             Call((4, 5), Values([0, 1, 0, 2], "i64"), None, ignore_index=0), dtypes=FLOATS),
        # Linear algebra.
        "matmul": Row(lambda a, x, y: x @ y, *MATRICES, Call((3,), (3,)), Call((2, 3, 4), (4,)), Call((3,), (2, 3, 4)), Call((2, 1, 3, 4), (5, 4, 2)), dtypes=PRODUCTS),
        "int_mm": Row(lambda a, x, y: x @ y, *MATRICES, Call((300,), (300,)), Call((2, 1, 30, 40), (5, 40, 20)), dtypes=["i8"]),
        "mm": Row(lambda a, x, y: x @ y, *MATRICES), "bmm": Row(lambda a, x, y: x @ y, Call((2, 5, 7), (2, 7, 3)), Call((0, 2, 3), (0, 3, 4))),
        "mv": Row(lambda a, x, y: x @ y, Call((5, 7), (7,))), "dot": Row(lambda a, x, y: np.dot(x, y), Call((7,), (7,)), Call((0,), (0,))),
        "outer": Row(lambda a, x, y: np.outer(x, y), Call((3,), (4,)), Call((1,), (0,)), dtypes=[*FLOATS, "i32"]),
        "addmm": Row(added_product, *[Call(s, (2, 5), (5, 3), **x) for s in ((2, 3), (3,), ()) for x in ADDED]),
        "addmv": Row(added_product, *[Call((2,), (2, 5), (5,), **x) for x in ADDED]),
        "baddbmm": Row(added_product, *[Call(s, (4, 2, 5), (4, 5, 3), **x) for s in ((4, 2, 3), (2, 1)) for x in ADDED]),
        "einsum": Row(lambda a, operands: np.einsum(a["equation"], *operands),
                      *[Call(shapes, equation=e) for e, *shapes in (
                          ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
                          ("ii->i", (4, 4)), ("ii", (4, 4)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("i,j->ij", (2,), (3,)), ("ijk,jl->il", (2, 3, 4), (3, 5)),
                          ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)), ("...ij,...jk->...ik", (2, 3, 4), (4, 5)), ("b...,b...->...", (3, 2, 2), (3, 2, 2)),
                          ("ij,ij->", (3, 4), (3, 4)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("ijj->i", (2, 3, 3)), ("iji->ij", (3, 2, 3)),
                          ("ab , cb -> ac", (2, 3), (4, 3)), ("i,i->i", (5,), (5,)), ("ba", (2, 3)), ("ijk,ilm->jklm", (2, 3, 2), (2, 2, 3)), ("i,->i", (3,), ()))]),
        # Shapes.
        "reshape": Row(lambda a, x: x.reshape(a["shape"]), Call((2, 6), shape=[3, -1]), Call((), shape=[1, 1]), Call((0, 3), shape=[3, 0])),
        "permute": Row(lambda a, x: x.transpose(a["dims"]), Call((2, 3, 4), dims=[2, 0, 1]), Call((), dims=[])),
        "transpose": Row(lambda a, x: np.swapaxes(x, a["dim0"], a["dim1"]), Call((2, 3, 4), dim0=0, dim1=-1)),
        "unsqueeze": Row(lambda a, x: np.expand_dims(x, a["dim"]), Call((2, 3), dim=-2), Call((), dim=0)),
        "squeeze": Row(lambda a, x: np.squeeze(x, None if a["dim"] is None else tuple(d for d in a["dim"] if x.shape[d] == 1)),
                       Call((1, 2, 1)), Call((1, 2, 1), dim=[0, 1])),
        "expand": Row(lambda a, x: np.broadcast_to(x, [x.shape[i - len(a["size"])] if s == -1 else s for i, s in enumerate(a["size"])]),
                      Call((3, 1), size=[2, -1, 4]), Call((), size=[2])),
        "slice": Row(sliced, Call((7, 2), start=1, step=2), Call((2, 5), dim=-1, start=-3, end=-1), Call((3,), start=3)),
        "select": Row(lambda a, x: np.take(x, a["index"], a["dim"]), Call((2, 3), dim=1, index=-1), Call((4,), dim=0, index=2)),
        "narrow": Row(lambda a, x: np.take(x, range(a["start"] % x.shape[a["dim"]], a["start"] % x.shape[a["dim"]] + a["length"]), a["dim"]),
                      Call((5, 3), dim=0, start=-3, length=2), Call((5, 3), dim=-1, start=1, length=0)),
        "split": Row(split, Call((5, 2), split_size=2), Call((5, 2), split_size=[1, 4]), Call((2, 6), split_size=3, dim=-1), Call((0,), split_size=2)),
        "chunk": Row(chunk, Call((7, 2), chunks=3), Call((2, 5), chunks=9, dim=1)),
        "unbind": Row(lambda a, x: [np.take(x, i, a["dim"]) for i in range(x.shape[a["dim"]])], Call((2, 3)), Call((2, 3), dim=-1)),
        "flatten": Row(flatten, Call((2, 3, 4)), Call((2, 3, 4), start_dim=1), Call((2, 3, 4), start_dim=-3, end_dim=1), Call(())),
        "unflatten": Row(lambda a, x: x.reshape(x.shape[: a["dim"] % x.ndim] + tuple(a["sizes"]) + x.shape[a["dim"] % x.ndim + 1 :]),
                         Call((2, 12), dim=1, sizes=[3, 4]), Call((12, 2), dim=-2, sizes=[2, -1, 3])),
        "movedim": Row(lambda a, x: np.moveaxis(x, a["source"], a["destination"]), Call((2, 3, 4), source=0, destination=-1),
                       Call((2, 3, 4, 5), source=[3, 0], destination=[1, 2])),
        "tile": Row(lambda a, x: np.tile(x, a["dims"]), Call((2, 3), dims=[2]), Call((2, 3), dims=[2, 1, 3]), Call((2,), dims=[0])),
        "repeat": Row(lambda a, x: np.tile(x, a["repeats"]), Call((2, 3), repeats=[4, 2]), Call((3,), repeats=[2, 1, 2])),
        "roll": Row(lambda a, x: np.roll(x, a["shifts"], None if a["dims"] is None else tuple(np.atleast_1d(a["dims"]))), Call((2, 5), shifts=3),
                    Call((2, 5), shifts=-7, dims=1), Call((3, 4), shifts=[1, -1], dims=[0, 1])),
        "flip": Row(lambda a, x: np.flip(x, tuple(a["dims"])), Call((2, 5), dims=[1]), Call((2, 3, 4), dims=[0, -1]), Call((3,), dims=[])),
        "stack": Row(lambda a, tensors: np.stack(tensors, a["dim"]), Call([(2, 3), (2, 3)]), Call([(2,), (2,), (2,)], dim=-1), Call([()])),
    }  # fmt: skip


def rows():
    """All rows by operation, and what each operation without one is a step of."""
    import operation_rows_more
    import operation_rows_places
    import operation_rows_quantized

    return core() | operation_rows_more.rows() | operation_rows_places.rows() | operation_rows_quantized.rows()
