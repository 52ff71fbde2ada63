"""The functions of C2 and C7, for numpy and jax.numpy alike."""

import numpy as np


def uniform(*shape):
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)


def add(np, x, y, weight, bias):
    return x + y


def chain(np, x, y, weight, bias):
    t = np.maximum(x * y + x, np.float32(0)) - y
    return np.minimum(np.sqrt(np.abs(t)) * np.float32(1.5), np.float32(1))


def softmax(np, x, y, weight, bias):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def layer_norm(np, x, y, weight, bias):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred * centred).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + np.float32(1e-5)) * weight + bias


def total(np, x, y, weight, bias):
    return x.sum()


def replay(np, kind, x, y):
    """A hundred operations; `np` is numpy or jax.numpy."""
    t = x
    for i in range(20):
        t = np.tanh(t * y + x)
        if kind == "chain":
            t = np.minimum(np.abs(t), y)
        elif i % 2 == 0:
            t = np.abs(t) @ y
        else:
            t = t - t.sum(1, keepdims=True)
    return t


FUNCTIONS = {"add": add, "chain": chain, "softmax": softmax, "layer_norm": layer_norm, "sum": total}
