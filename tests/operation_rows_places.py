"""Rows of running extremes and of what depends on elements (operation_rows.py)."""

import numpy as np
from operation_rows import Call, Row, Values

LOW = ["f32", "f64", "f16", "i64", "i32", "bool"]


def running(function, dtypes):
    def reference(a, x):
        x = np.flip(x, a["dim"]) if a["reverse"] else x
        result = function.accumulate(x, axis=a["dim"])
        return np.flip(result, a["dim"]) if a["reverse"] else result

    return Row(reference, Call((7,), dim=0), Call((3, 5), dim=1), Call((3, 5, 2), dim=-2, reverse=True), dtypes=dtypes)


def with_places(function):
    """Values, and of equal ones the last place."""

    def reference(a, x):
        if x.ndim == 0:
            return [x, np.int64(0)]
        values = function.accumulate(x, axis=a["dim"])
        line = [1] * x.ndim
        line[a["dim"]] = x.shape[a["dim"]]
        places = np.arange(x.shape[a["dim"]]).reshape(line)
        return [values, np.maximum.accumulate(np.where(values == x, places, 0), axis=a["dim"])]

    ties = Values(np.array([[1, 1, 0], [2, 1, 1], [2, 0, 1]]))
    return Row(reference, Call((7,), dim=0), Call((3, 5, 2), dim=1), Call((4, 300), dim=-1), Call((), dim=0), Call((0, 3), dim=0), Call(ties, dim=0), dtypes=LOW)


def places_static(a, x):
    places = np.argwhere(x)[: a["size"]]
    return np.concatenate([places, np.full((a["size"] - len(places), x.ndim), a["fill_value"], np.int64)])


def unique(a, x):
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=a["dim"])
    none = np.zeros(0, np.int64)
    inverse = inverse.reshape(x.shape if a["dim"] is None else -1)
    return [values, inverse if a["return_inverse"] else none, counts if a["return_counts"] else none]


def rows():
    some = [Values(np.array([[0, 1, 1], [1, 0, 0]])), Values(np.zeros((2, 2))), Values(np.array([3, 0, 2, 2]))]
    repeated = [Values(np.array([3, 1, 2, 3, 1, 3])), Values(np.array([[1, 2, 1], [0, 5, 0]])), Values(np.array([[[1], [2]], [[1], [2]], [[0], [9]]]))]
    everything = {"return_inverse": True, "return_counts": True}
    masks = [Values(np.array([[True, False, True], [False, True, True]]), "bool"), Values(np.array([True, False, True]), "bool"), Values(np.zeros((2, 3)), "bool")]
    numbers = ["f32", "f64", "f16", "i64", "i32"]
    return {
        "running_max": running(np.maximum, ["f32", "f64", "f16", "i64"]), "running_min": running(np.minimum, ["f32", "f64", "f16", "i64"]),
        "cummax": with_places(np.maximum), "cummin": with_places(np.minimum),
        "nonzero": Row(lambda a, x: np.argwhere(x), *[Call(x) for x in some], Call((0, 3)), Call((2, 3, 4)), Call((700,)), dtypes=LOW),
        "nonzero_static": Row(places_static, *[Call(x, size=n) for x in some for n in (0, 1, 6)], Call((2, 3, 4), size=30, fill_value=-7), Call((0, 3), size=2), dtypes=LOW),
        "masked_select": Row(lambda a, x, mask: np.broadcast_arrays(x, mask)[0][np.broadcast_to(mask, np.broadcast_shapes(x.shape, mask.shape))],
                             *[Call((2, 3), mask) for mask in masks], Call((3,), masks[0]), Call((2, 1), masks[1]), dtypes=LOW),
        "unique": Row(unique, *[Call(x) for x in repeated], *[Call(x, **everything) for x in repeated], Call(repeated[1], dim=1, **everything),
                      Call(repeated[1], dim=0, return_counts=True), Call(repeated[2], dim=-3, return_inverse=True), Call((0,), **everything), Call((40, 5), **everything),
                      dtypes=numbers),
    }  # fmt: skip
