"""Rows of operations_reference.py: element-wise operations, reductions, scans, indexing, creation, random numbers, windows."""

import math

import numpy as np
from operation_rows import FLOATS, PAIRS, RNG, SHAPES, Call, Row, Values, axes, binary, dropped, random_words, reduction, unary, uniform

LOW = ["f32", "f64"]


def special(function):
    return lambda x: np.vectorize(function, otypes=[float])(x)


def digamma(x):
    """By the series of its asymptote, far out."""
    result = 0.0
    while x < 30:
        result -= 1 / x
        x += 1
    y = 1 / (x * x)
    return result + math.log(x) - 0.5 / x - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240)))


def erfinv(y):
    """By bisection."""
    if abs(y) == 1:
        return math.copysign(math.inf, y)
    low, high = -7.0, 7.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < y else (low, middle)
    return low


def zeta(x, q):
    """Sum and Euler-Maclaurin rest."""
    n = 40
    rest = (q + n) ** (1 - x) / (x - 1) + 0.5 * (q + n) ** -x + x * (q + n) ** (-x - 1) / 12 - x * (x + 1) * (x + 2) * (q + n) ** (-x - 3) / 720
    return sum((q + k) ** -x for k in range(n)) + rest


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elementwise():
    selu_scale, selu_alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    shift = [Call((7,), Values([0, 1, 2, 3, 4, 5, 6])), Call((2,), Values([1, 3]))]
    conditions = {"sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh,
                  "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "exp2": np.exp2, "expm1": np.expm1,
                  "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "erfc": special(math.erfc), "erfinv": special(erfinv),
                  "lgamma": special(math.lgamma), "digamma": special(digamma), "frac": lambda x: x - np.trunc(x), "reciprocal": lambda x: 1 / x,
                  "deg2rad": np.deg2rad, "rad2deg": np.rad2deg, "sigmoid": sigmoid, "silu": lambda x: x * sigmoid(x), "logsigmoid": lambda x: -softplus(-x),
                  "mish": lambda x: x * np.tanh(softplus(x)), "selu": lambda x: selu_scale * elu(x, selu_alpha), "softsign": lambda x: x / (1 + np.abs(x)),
                  "tanhshrink": lambda x: x - np.tanh(x), "hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1), "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
                  "sinc": np.sinc, "isinf": np.isinf, "isposinf": np.isposinf, "isneginf": np.isneginf, "isfinite": np.isfinite}  # fmt: skip
    rows = {name: unary(function) for name, function in conditions.items()}
    numbers = {"floor": np.floor, "ceil": np.ceil, "round": np.round, "trunc": np.trunc, "sign": np.sign, "square": np.square, "positive": np.positive,
               "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6)}  # fmt: skip
    rows |= {name: unary(function, dtypes=[*FLOATS, "i32", "i64"]) for name, function in numbers.items()}
    rows |= {
        "softplus": Row(lambda a, x: np.where(x * a["beta"] > a["threshold"], x, softplus(x * a["beta"]) / a["beta"]), *SHAPES, Call((50,), beta=2, threshold=3)),
        "elu": Row(lambda a, x: elu(x, a["alpha"]), *SHAPES, Call((9,), alpha=0.5)),
        "celu": Row(lambda a, x: np.maximum(x, 0) + np.minimum(0, a["alpha"] * np.expm1(x / a["alpha"])), *SHAPES, Call((9,), alpha=0.5)),
        "leaky_relu": Row(lambda a, x: np.where(x > 0, x, a["negative_slope"] * x), *SHAPES, Call((9,), negative_slope=0.2)),
        "hardtanh": Row(lambda a, x: np.clip(x, a["min_val"], a["max_val"]), *SHAPES, Call((9,), min_val=-0.5)),
        "softshrink": Row(lambda a, x: np.where(x > a["lambd"], x - a["lambd"], np.where(x < -a["lambd"], x + a["lambd"], 0)), *SHAPES),
        "hardshrink": Row(lambda a, x: np.where(np.abs(x) > a["lambd"], x, 0), *SHAPES),
        "threshold": Row(lambda a, x: np.where(x > a["threshold"], x, a["value"]), Call((40,), threshold=1, value=-3), dtypes=[*FLOATS, "i32"]),
        "logit": Row(lambda a, x: np.log(x / (1 - x)), *SHAPES),
        "bitwise_not": unary(np.invert, dtypes=["i32", "i64", "bool"]),
        "clamp": Row(lambda a, x: np.clip(x, a["min"], a["max"]), Call((40,), min=-1), Call((40,), min=-2, max=3), Call((40,), max=0), dtypes=[*FLOATS, "i32", "i64"]),
        "nan_to_num": Row(lambda a, x: np.nan_to_num(x, nan=a["nan_value"], posinf=a["posinf"], neginf=a["neginf"]), Call((7,), nan_value=2.0, posinf=3.0, neginf=-4.0),
                          Call(Values([1.0, np.nan, np.inf, -np.inf]), nan_value=2.0, posinf=3.0, neginf=-4.0)),
        "div_mode": Row(lambda a, x, y: np.trunc(x / y) if a["rounding_mode"] == "trunc" else np.floor(x / y), *[Call(*c.inputs, rounding_mode=m) for c in PAIRS for m in ("trunc", "floor")],
                        dtypes=["f64", "i32", "i64"]),
        "floor_divide": binary(lambda x, y: np.floor(x / y), dtypes=["f64", "i32"]), "remainder": binary(np.mod, dtypes=["f64", "i32"]), "fmod": binary(np.fmod, dtypes=["f64", "i32"]),
        "pow": Row(lambda a, x, y: np.power(x, y), Call((7,), (7,)), Call((2, 1), (3,)), dtypes=LOW, rounding=4096),
        "atan2": binary(np.arctan2), "copysign": binary(np.copysign), "hypot": binary(np.hypot), "ldexp": binary(lambda x, y: x * 2.0**y, dtypes=LOW),
        "logaddexp": binary(np.logaddexp), "logaddexp2": binary(np.logaddexp2), "xlogy": binary(lambda x, y: np.where(x == 0, 0, x * np.log(y))),
        "fmax": binary(np.fmax, dtypes=[*FLOATS, "i32"]), "fmin": binary(np.fmin, dtypes=[*FLOATS, "i32"]),
        "zeta": binary(lambda x, y: np.vectorize(zeta, otypes=[float])(x, y) if np.broadcast(x, y).size else x + y, dtypes=LOW, rounding=512),
        "logical_xor": binary(lambda x, y: (x != 0) ^ (y != 0)),
        "bitwise_and": binary(np.bitwise_and, dtypes=["i32", "i64", "bool"]), "bitwise_or": binary(np.bitwise_or, dtypes=["i32", "i64", "bool"]),
        "bitwise_xor": binary(np.bitwise_xor, dtypes=["i32", "i64", "bool"]),
        "bitwise_left_shift": Row(lambda a, x, y: x << y, *shift, dtypes=["i32", "i64"]), "bitwise_right_shift": Row(lambda a, x, y: x >> y, *shift, dtypes=["i32", "i64"]),
        "rsub": Row(lambda a, x, y: y - a["alpha"] * x, *PAIRS, Call((3,), (3,), alpha=2), dtypes=[*FLOATS, "i32"]),
        "prelu_kernel": binary(lambda x, w: np.where(x > 0, x, w * x)),
        "lerp": Row(lambda a, x, y, w: x + w * (y - x), Call((7,), (7,), (7,)), Call((2, 3), (3,), ())),
        "addcmul": Row(lambda a, x, y, z: x + a["value"] * y * z, Call((7,), (7,), (7,)), Call((2, 3), (3,), (), value=-2), dtypes=[*FLOATS, "i32"]),
        "addcdiv": Row(lambda a, x, y, z: x + a["value"] * y / z, Call((7,), (7,), (7,)), Call((2, 3), (3,), (), value=-2), rounding=1024),
        "clamp_tensor": Row(lambda a, x, y, z: np.minimum(np.maximum(x, y), z), Call((7,), (7,), (7,)), Call((2, 3), (3,), ()), dtypes=[*FLOATS, "i32"]),
        "masked_fill": Row(lambda a, x, m, v: np.where(m, v, x), Call((2, 3), (3,), ()), Call((5,), (5,), (1,))),
    }  # fmt: skip
    return rows


def reductions():
    def by_dim(pick):
        def reference(a, x):
            values = pick(x, axis=a["dim"], keepdims=True)
            indices = (x == values).argmax(axis=a["dim"])[...]
            indices = np.expand_dims(indices, a["dim"])
            return [v if a["keepdim"] else np.squeeze(v, a["dim"]) for v in (values, indices)]

        return Row(reference, Call((3, 5), dim=1), Call((3, 5, 2), dim=0, keepdim=True), Call((2, 300), dim=-1), dtypes=LOW)

    def place(pick):
        def reference(a, x):
            result = pick(x, axis=a["dim"])
            return np.asarray(result if not a["keepdim"] else np.expand_dims(result, a["dim"]))

        return Row(reference, Call((7,)), Call((3, 5), dim=1), Call((3, 5, 2), dim=-2, keepdim=True), dtypes=LOW)

    def spread(take):
        calls = [Call((7,)), Call((3, 5), dim=[1], correction=0), Call((3, 5, 4), dim=[0, 2], keepdim=True), Call((2, 300), dim=[1])]
        return Row(lambda a, x: take(x, axes(a, x), a), *calls, dtypes=LOW)

    def options(a):
        return {"ddof": a["correction"], "keepdims": a["keepdim"]}

    def norm(a, x):
        p = {"fro": 2, "inf": math.inf, "-inf": -math.inf}.get(a["p"], a["p"])
        x = np.abs(x)
        if p == 0:
            return (x != 0).sum(axis=axes(a, x), keepdims=a["keepdim"]).astype(float)
        if math.isinf(p):
            return (x.max if p > 0 else x.min)(axis=axes(a, x), keepdims=a["keepdim"])
        return (x**p).sum(axis=axes(a, x), keepdims=a["keepdim"]) ** (1 / p)

    def median(x):
        return np.sort(x.reshape(-1))[(x.size - 1) // 2]

    def median_dim(a, x):
        order = np.argsort(x, axis=a["dim"], kind="stable")
        index = np.take(order, [(x.shape[a["dim"]] - 1) // 2], a["dim"])
        values = np.take_along_axis(x, index, a["dim"])
        return [v if a["keepdim"] else np.squeeze(v, a["dim"]) for v in (values, index)]

    filled = [Call((7,)), Call((3, 4, 5), dim=[1]), Call((3, 4, 5), dim=[0, -1], keepdim=True), Call((2, 300), dim=[1])]
    return {
        "prod": reduction(np.prod, dtypes=["f64"], rounding=1 << 20), "any": reduction(np.any, dtypes=["bool"]), "all": reduction(np.all, dtypes=["bool"]),
        "amax": Row(lambda a, x: x.max(axis=axes(a, x), keepdims=a["keepdim"]), *filled), "amin": Row(lambda a, x: x.min(axis=axes(a, x), keepdims=a["keepdim"]), *filled),
        "argmax": place(np.argmax), "argmin": place(np.argmin), "max_dim": by_dim(np.max), "min_dim": by_dim(np.min),
        "max": Row(lambda a, x: x.max(), Call((7,)), Call((3, 300))), "min": Row(lambda a, x: x.min(), Call((7,)), Call((3, 300))),
        "count_nonzero": Row(lambda a, x: np.asarray(np.count_nonzero(x, axis=axes(a, x))), Call((7,)), Call((3, 5), dim=[1])),
        "logsumexp": Row(lambda a, x: np.log(np.exp(x).sum(axis=axes(a, x), keepdims=a["keepdim"])), *filled),
        "norm": Row(norm, *[Call(c.inputs[0], p=p, **c.attrs) for c in filled for p in (2, 1, 3, 0, "inf", "-inf", "fro")], dtypes=LOW, rounding=1024),
        "var": spread(lambda x, dims, a: x.var(axis=dims, **options(a))), "std": spread(lambda x, dims, a: x.std(axis=dims, **options(a))),
        "var_mean": spread(lambda x, dims, a: [x.var(axis=dims, **options(a)), x.mean(axis=dims, keepdims=a["keepdim"])]),
        "std_mean": spread(lambda x, dims, a: [x.std(axis=dims, **options(a)), x.mean(axis=dims, keepdims=a["keepdim"])]),
        "median": Row(lambda a, x: median(x), Call((7,)), Call((2, 4)), dtypes=LOW), "median_dim": Row(median_dim, Call((3, 4)), Call((5, 3), dim=0, keepdim=True), dtypes=LOW),
    }  # fmt: skip


def scans():
    def scanned(function):
        def reference(a, x):
            x = np.flip(x, a["dim"]) if a["reverse"] else x
            result = function(x, axis=a["dim"])
            return np.flip(result, a["dim"]) if a["reverse"] else result

        return Row(reference, Call((7,), dim=0), Call((3, 5), dim=1), Call((3, 5, 2), dim=-2, reverse=True), dtypes=LOW, rounding=4096)

    def linear_scan(a, decay, x):
        decay, x = np.moveaxis(decay, a["dim"], 0), np.moveaxis(x, a["dim"], 0)
        result, last = np.zeros_like(x), 0
        for k in reversed(range(len(x))) if a["reverse"] else range(len(x)):
            factor = (decay[k + 1] if k + 1 < len(x) else 0) if a["reverse"] else decay[k]
            result[k] = last = factor * last + x[k]
        return np.moveaxis(result, 0, a["dim"])

    def order(a, x):
        return np.argsort(-x if a.get("descending") or a.get("largest") else x, axis=a["dim"], kind="stable")

    def sort(a, x):
        return [np.take_along_axis(x, order(a, x), a["dim"]), order(a, x)]

    def topk(a, x):
        index = np.take(order(a, x), range(a["k"]), a["dim"])
        return [np.take_along_axis(x, index, a["dim"]), index]

    def kthvalue(a, x):
        index = np.take(order(a, x), [a["k"] - 1], a["dim"])
        result = [np.take_along_axis(x, index, a["dim"]), index]
        return result if a["keepdim"] else [np.squeeze(v, a["dim"]) for v in result]

    calls = [Call((7,)), Call((3, 5)), Call((5, 3), dim=0, descending=True), Call((2, 300), descending=True)]
    return {
        "cumsum": scanned(np.cumsum), "cumprod": scanned(np.cumprod), "logcumsumexp": scanned(lambda x, axis: np.log(np.cumsum(np.exp(x), axis=axis))),
        "linear_scan": Row(linear_scan, Call((7,), (7,), dim=0), Call((3, 5), (3, 5), dim=1), Call((5, 2), (5, 2), dim=0, reverse=True), dtypes=LOW),
        "sort": Row(sort, *calls, dtypes=LOW), "argsort": Row(order, *calls, dtypes=LOW),
        "topk": Row(topk, Call((7,), k=3), Call((3, 5), k=2, largest=False), Call((5, 3), k=4, dim=0), dtypes=LOW),
        "kthvalue": Row(kthvalue, Call((7,), k=3), Call((3, 5), k=2, dim=0, keepdim=True), dtypes=LOW),
    }  # fmt: skip


def places(index, dim):
    """The positions that `index` names along `dim`, as numpy indexes them."""
    grid = list(np.indices(index.shape))
    grid[dim] = index
    return tuple(grid)


def indexing():
    index = Values([[0, 2, 1, 0], [2, 2, 0, 1]], "i64")
    unique = Values([[2, 0, 1, 0], [0, 2, 0, 1]], "i64")

    def scatter(a, x, index, source):
        result = x.copy()
        for at in np.ndindex(index.shape):
            to = list(at)
            to[a["dim"]] = index[at]
            result[tuple(to)] = source if np.ndim(source) == 0 else source[at]
        return result

    def scatter_add(a, x, index, source):
        result = x.copy()
        np.add.at(result, places(index, a["dim"]), source[tuple(slice(n) for n in index.shape)])
        return result

    def index_add(a, x, index, source):
        result = np.moveaxis(x.copy(), a["dim"], 0)
        np.add.at(result, index, a["alpha"] * np.moveaxis(source, a["dim"], 0))
        return np.moveaxis(result, 0, a["dim"])

    def pad(a, x):
        amounts = list(zip(a["pad"][0::2], a["pad"][1::2]))[::-1]
        amounts = [(0, 0)] * (x.ndim - len(amounts)) + amounts
        modes = {"constant": {"mode": "constant", "constant_values": a["value"]}, "reflect": {"mode": "reflect"}, "replicate": {"mode": "edge"}, "circular": {"mode": "wrap"}}
        cut = x[tuple(slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, amounts))]
        return np.pad(cut, [(max(before, 0), max(after, 0)) for before, after in amounts], **modes[a.get("mode", "constant")])

    def unfold(a, x):
        windows = np.lib.stride_tricks.sliding_window_view(x, a["size"], a["dimension"])
        return np.take(windows, range(0, windows.shape[a["dimension"]], a["step"]), a["dimension"])

    def index_put(a, x, indices, values):
        result = x.copy()
        if a["accumulate"]:
            np.add.at(result, tuple(indices), values)
        else:
            result[tuple(indices)] = values
        return result

    rows_and_columns = [Values([0, 2, -1], "i64"), Values([1, 3, 0], "i64")]
    pads = [Call((4, 5), pad=[1, 2]), Call((4, 5), pad=[1, 2, 3, 0], value=1), Call((4, 5), pad=[-1, 2])]
    return {
        "gather": Row(lambda a, x, i: x[places(i, a["dim"])], Call((3, 4), index, dim=0), Call((2, 5), index, dim=1)),
        "scatter": Row(scatter, Call((3, 4), unique, (2, 4), dim=0), Call((2, 5), Values([[0, 2], [4, 1]], "i64"), (2, 2), dim=1)),
        "scatter_value": Row(lambda a, x, i: scatter(a, x, i, a["value"]), Call((3, 4), unique, dim=0, value=2)),
        "scatter_add": Row(scatter_add, Call((3, 4), index, (2, 4), dim=0), Call((2, 5), index, (2, 4), dim=1)),
        "index_add": Row(index_add, Call((3, 4), Values([2, 0, 2], "i64"), (3, 4), dim=0), Call((3, 4), Values([1, 1], "i64"), (3, 2), dim=1, alpha=2)),
        "index_select": Row(lambda a, x, i: np.take(x, i, a["dim"]), Call((3, 4), Values([2, 0, 2], "i64"), dim=0), Call((3, 4), Values([1], "i64"), dim=-1)),
        "take": Row(lambda a, x, i: x.reshape(-1)[i], Call((3, 4), Values([[2, 11], [0, -1]], "i64"))),
        "index": Row(lambda a, x, i: x[tuple(i)], Call((3, 4), rows_and_columns), Call((3, 4), rows_and_columns[:1])),
        "index_put": Row(index_put, Call((3, 4), rows_and_columns, (3,)), Call((3, 4), [Values([0, 0, 2], "i64"), Values([1, 1, 0], "i64")], (), accumulate=True)),
        "constant_pad_nd": Row(pad, *pads), "pad": Row(pad, *pads, *[Call((4, 5), pad=[1, 2, 3, 0], mode=m) for m in ("reflect", "replicate", "circular")]),
        "cat": Row(lambda a, t: np.concatenate(t, a["dim"]), Call([(2, 3), (4, 3)]), Call([(2, 3), (2, 1), (2, 0), (2, 2), (2, 4), (2, 1)], dim=-1), Call([(3,)])),
        "cat_parts": Row(lambda a, *t: np.concatenate([x for x in t if x is not None], a["dim"]), Call((2, 3), (4, 3), None, None), Call((2, 1), (2, 3), (2, 2), None, dim=1)),
        "unfold": Row(unfold, Call((7,), dimension=0, size=3, step=2), Call((5, 4), dimension=-2, size=2, step=1)),
    }  # fmt: skip


def creation():
    kinds = {"f32": np.float32, "f64": float, "i32": np.int32, "i64": np.int64, "bool": bool, "f16": np.float16}

    def typed(a, x):
        return np.asarray(x).astype(kinds.get(a["dtype"], x.dtype)).astype(float)

    sizes = [Call(size=[2, 3]), Call(size=[], dtype="i64"), Call(size=[0, 2], dtype="f16")]
    return {
        "zeros": Row(lambda a: np.zeros(a["size"]), *sizes), "ones": Row(lambda a: np.ones(a["size"]), *sizes),
        "full": Row(lambda a: typed(a, np.full(a["size"], a["fill_value"])), *[Call(**c.attrs, fill_value=2) for c in sizes]),
        "arange": Row(lambda a: np.arange(a["start"], a["end"], a["step"]), Call(end=5), Call(start=2, end=9, step=3, dtype="i64"), Call(start=1, end=1), Call(start=3, end=0, step=-1, dtype="i32")),
        "linspace": Row(lambda a: np.linspace(a["start"], a["end"], a["steps"]), Call(start=-1, end=2, steps=7), Call(start=3, end=3, steps=1), Call(start=0, end=1, steps=0)),
        "eye": Row(lambda a: np.eye(a["n"], a["m"]), Call(n=3), Call(n=2, m=4, dtype="i32"), Call(n=0)),
        "tril": Row(lambda a, x: np.tril(x, a["diagonal"]), Call((3, 4)), Call((2, 4, 3), diagonal=-1), Call((3, 3), diagonal=1)),
        "triu": Row(lambda a, x: np.triu(x, a["diagonal"]), Call((3, 4)), Call((2, 4, 3), diagonal=-1), Call((3, 3), diagonal=1)),
        "zeros_like": unary(np.zeros_like), "ones_like": unary(np.ones_like),
        "full_like": Row(lambda a, x: np.full(x.shape, a["fill_value"]).astype(x.dtype), Call((2, 3), fill_value=3), Call((), fill_value=1)),
    }  # fmt: skip


def random():
    return {
        "random_words": Row(lambda a, rng: random_words(a, rng, a["size"]), Call(RNG, size=[3, 5], stream=7, words="element"), dtypes=["u32"]),
        "rand": Row(lambda a, rng: uniform(a, rng, a["size"]), Call(RNG, size=[3, 5]), Call(RNG, size=[9], stream=3), dtypes=["u32"]),
        "randint": Row(lambda a, rng: a["low"] + (random_words(a, rng, a["size"]) * (a["high"] - a["low"]) >> 32), Call(RNG, high=1000, size=[3, 5]),
                       Call(RNG, low=-3, high=2, size=[9], stream=3), dtypes=["u32"]),
        "randperm": Row(lambda a, rng: np.argsort(random_words(a, rng, [a["n"]]), kind="stable"), Call(RNG, n=50), Call(RNG, n=1), Call(RNG, n=0),
                        Call(RNG, n=9, stream=3), dtypes=["u32"]),
        "bernoulli": Row(lambda a, p, rng: (uniform(a, rng, p.shape) < p).astype(float), Call((3, 5), RNG), Call((9,), RNG, stream=3), dtypes=["f32"]),
        "dropout": Row(lambda a, x, rng: dropped(a, x, rng, a["p"]) if a["training"] else x,
                       Call((3, 5), RNG, p=0.25), Call((9,), RNG, stream=3), Call((4,), None, training=False), Call((4,), RNG, p=1.0), dtypes=["f32"]),
    }  # fmt: skip


def windows():
    def many(a, name, rank):
        return a[name] if isinstance(a[name], list) else [a[name]] * rank

    def convolution(a, x, w, b):
        rank = x.ndim - 2
        stride, dilation, groups = many(a, "stride", rank), many(a, "dilation", rank), a["groups"]
        kernel = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilation)]
        if isinstance(a["padding"], str):
            amounts = [((k - 1) // 2, k - 1 - (k - 1) // 2) if a["padding"] == "same" else (0, 0) for k in kernel]
        else:
            amounts = [(p, p) for p in many(a, "padding", rank)]
        x = np.pad(x, [(0, 0), (0, 0), *amounts])
        size = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride)]
        out, per_out, per_in = np.zeros([x.shape[0], w.shape[0], *size]), w.shape[0] // groups, x.shape[1] // groups
        for at in np.ndindex(*size):
            window = x[(slice(None), slice(None), *[slice(i * s, i * s + k, d) for i, s, k, d in zip(at, stride, kernel, dilation)])]
            for g in range(groups):
                o = slice(g * per_out, (g + 1) * per_out)
                part = window[:, g * per_in : (g + 1) * per_in].reshape(x.shape[0], -1)
                out[(slice(None), o, *at)] = part @ w[o].reshape(per_out, -1).T
        return out if b is None else out + b.reshape([-1] + [1] * rank)

    def transposed(a, x, w, b):
        rank = x.ndim - 2
        stride, padding, dilation, more, groups = (*(many(a, n, rank) for n in ("stride", "padding", "dilation", "output_padding")), a["groups"])
        full = [(n - 1) * s + (k - 1) * d + 1 + o for n, s, k, d, o in zip(x.shape[2:], stride, w.shape[2:], dilation, more)]
        per_in, per_out = x.shape[1] // groups, w.shape[1]
        out = np.zeros([x.shape[0], per_out * groups, *full])
        for at in np.ndindex(*x.shape[2:]):
            for tap in np.ndindex(*w.shape[2:]):
                to = tuple(i * s + t * d for i, s, t, d in zip(at, stride, tap, dilation))
                for g in range(groups):
                    source = x[(slice(None), slice(g * per_in, (g + 1) * per_in), *at)]
                    out[(slice(None), slice(g * per_out, (g + 1) * per_out), *to)] += source @ w[(slice(g * per_in, (g + 1) * per_in), slice(None), *tap)]
        cut = [slice(p, n - p) for p, n in zip(padding, full)]
        out = out[(slice(None), slice(None), *cut)]
        return out if b is None else out + b.reshape([-1] + [1] * rank)

    def pooled(a, x, reduce, fill):
        rank = len(x.shape) - 2
        kernel = many(a, "kernel_size", rank)
        stride = kernel if a["stride"] is None else many(a, "stride", rank)
        padding, dilation = many(a, "padding", rank), many({"dilation": 1, **a}, "dilation", rank)
        x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]], constant_values=fill)
        size = [(n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation)]
        out = np.zeros([*x.shape[:2], *size])
        for at in np.ndindex(*size):
            window = x[(Ellipsis, *[slice(i * s, i * s + (k - 1) * d + 1, d) for i, s, k, d in zip(at, stride, kernel, dilation)])]
            out[(Ellipsis, *at)] = reduce(window, axis=tuple(range(2, 2 + rank)))
        return out

    def adaptive(a, x, reduce):
        rank = x.ndim - 2
        size = [n if s is None else s for n, s in zip(x.shape[2:], many(a, "output_size", rank))]
        out = np.zeros([*x.shape[:2], *size])
        for at in np.ndindex(*size):
            window = x[(Ellipsis, *[slice(i * n // s, -(-(i + 1) * n // s)) for i, n, s in zip(at, x.shape[2:], size)])]
            out[(Ellipsis, *at)] = reduce(window, axis=tuple(range(2, 2 + rank)))
        return out

    rows = {}
    for rank in (1, 2, 3):
        shape, kernel = (2, 4, 7, 6, 5)[: 2 + rank], (3, 2, 3)[:rank]
        rows[f"conv{rank}d"] = Row(convolution, Call(shape, (6, 4, *kernel), (6,)), Call(shape, (6, 2, *kernel), None, stride=2, padding=1, dilation=[2, 1, 1][:rank], groups=2),
                                   Call(shape, (2, 4, *kernel), None, padding="same"), dtypes=LOW, rounding=256)  # fmt: skip
        rows[f"conv_transpose{rank}d"] = Row(transposed, Call(shape, (4, 3, *kernel), (3,)), Call(shape, (4, 3, *kernel), None, stride=2, padding=1, output_padding=1, groups=2), dtypes=LOW, rounding=256)
        pool = [Call(shape, kernel_size=2), Call(shape, kernel_size=list(kernel), stride=1, padding=1)]
        rows[f"max_pool{rank}d"] = Row(lambda a, x: pooled(a, x, np.max, -np.inf), *pool, Call(shape, kernel_size=2, stride=1, dilation=2), dtypes=LOW)
        rows[f"avg_pool{rank}d"] = Row(lambda a, x: pooled(a, x, np.mean, 0), *pool, dtypes=LOW)
        sizes = [Call(shape, output_size=[3, 2, 4][:rank]), Call(shape, output_size=1)]
        rows[f"adaptive_avg_pool{rank}d"] = Row(lambda a, x: adaptive(a, x, np.mean), *sizes, dtypes=LOW)
        rows[f"adaptive_max_pool{rank}d"] = Row(lambda a, x: adaptive(a, x, np.max), *sizes, dtypes=LOW)
    return rows


def linear():
    def spd(n, seed):
        """A batch of well-conditioned symmetric positive matrices."""
        x = np.random.default_rng(seed).uniform(-1, 1, (2, n, n))
        return Values(x @ np.swapaxes(x, -1, -2) + 2 * np.eye(n))

    def batch_norm(a, x, mean, variance, weight, bias):
        dims = tuple(d for d in range(x.ndim) if d != 1)
        own, spread, count = x.mean(dims), x.var(dims), x.size / x.shape[1]
        batch = a["training"] or mean is None
        used = (own, spread) if batch else (mean, variance)
        m = a["momentum"]
        blended = [(now if old is None else (1 - m) * old + m * now) if a["training"] else (now if old is None else old)
                   for old, now in ((mean, own), (variance, spread * count / (count - 1)))]  # fmt: skip
        column = [1, -1] + [1] * (x.ndim - 2)
        y = (x - used[0].reshape(column)) / np.sqrt(used[1].reshape(column) + a["eps"])
        y = y * (1 if weight is None else weight.reshape(column)) + (0 if bias is None else bias.reshape(column))
        return [y, *blended]

    return {
        "inverse": Row(lambda a, x: np.linalg.inv(x), Call(spd(4, 1)), Call(spd(1, 2)), dtypes=LOW, rounding=1024),
        "det": Row(lambda a, x: np.linalg.det(x), Call(spd(4, 1)), Call(spd(1, 2)), dtypes=LOW, rounding=1024),
        "cholesky": Row(lambda a, x: np.swapaxes(np.linalg.cholesky(x), -1, -2) if a.get("upper") else np.linalg.cholesky(x), Call(spd(4, 1)), Call(spd(3, 2), upper=True), dtypes=LOW, rounding=1024),
        "solve": Row(lambda a, x, b: np.linalg.solve(x, b), Call(spd(4, 1), (2, 4, 3)), dtypes=LOW, rounding=1024),
        "batch_norm": Row(batch_norm, Call((4, 3, 5), (3,), (3,), (3,), (3,)), Call((4, 3, 5), (3,), (3,), None, None, training=True), dtypes=LOW, rounding=256),
    }


def rows():
    return {name: row for part in (elementwise, reductions, scans, indexing, creation, random, windows, linear) for name, row in part().items()}
