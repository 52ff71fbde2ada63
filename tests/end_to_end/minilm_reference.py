"""The MiniLM sentence encoder as `transformers` and `sentence-transformers` define it, recomputed with numpy.

An independent reference: it reads the weights with a few lines of its own and shares no code with alknet. In float64 it
is what embeddings are compared with; in float32 (`dtype`) it is the peer of benchmark C3.
"""

import json
import math
import pathlib
import struct

import numpy as np


def read_safetensors(path):
    """All F32 entries of a safetensors file as read-only arrays over the mapped file."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    (size,) = struct.unpack("<Q", data[:8].tobytes())
    header = json.loads(data[8 : 8 + size].tobytes())
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            arrays[name] = data[begin:end].view("<f4").reshape(entry["shape"])
    return arrays


def exact_erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x) if x.size else x


def fast_erf(x):
    """Abramowitz and Stegun 7.1.26, absolute error below 1.5e-7: what numpy users without scipy write."""
    a = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * a)
    p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - p * np.exp(-a * a))


class MiniLm:
    numbers = np  # the module that computes: numpy, or one with its functions

    def __init__(self, folder, dtype=np.float64, erf=exact_erf):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.dtype = dtype
        self.erf = erf
        self.weights = {k: v.astype(dtype) for k, v in read_safetensors(folder / "model.safetensors").items()}

    def linear(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def layer_norm(self, name, x):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        x = (x - mean) / self.numbers.sqrt(variance + self.dtype(self.config["layer_norm_eps"]))
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def attention(self, name, x, bias):
        batch, seq, hidden = x.shape
        heads = self.config["num_attention_heads"]

        def split(part):
            return self.linear(name + part, x).reshape(batch, seq, heads, hidden // heads).transpose(0, 2, 1, 3)

        query, key, value = split(".query"), split(".key"), split(".value")
        np = self.numbers
        scores = query @ key.transpose(0, 1, 3, 2) / self.dtype(math.sqrt(hidden // heads)) + bias
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        return (scores @ value).transpose(0, 2, 1, 3).reshape(batch, seq, hidden)

    def encode(self, token_lists, normalize=True):
        """Mean-pooled vectors of lists of token ids, padded to the longest: an array [sentences, hidden]."""
        longest = max(len(tokens) for tokens in token_lists)
        ids = np.zeros((len(token_lists), longest), dtype=np.int64)
        mask = np.zeros(ids.shape, dtype=self.dtype)
        for row, tokens in enumerate(token_lists):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return self.encode_padded(ids, mask, normalize)

    def hidden_padded(self, ids, mask):
        """The last hidden state [sentences, tokens, hidden] of token ids, of which `mask` (1 or 0) tells what is no padding."""
        np, w = self.numbers, self.weights
        x = w["embeddings.word_embeddings.weight"][ids]
        x = x + w["embeddings.position_embeddings.weight"][: ids.shape[1]] + w["embeddings.token_type_embeddings.weight"][0]
        x = self.layer_norm("embeddings.LayerNorm", x)
        bias = ((1 - mask) * self.dtype(np.finfo(np.float32).min))[:, None, None, :]
        for layer in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{layer}"
            context = self.attention(name + ".attention.self", x, bias)
            x = self.layer_norm(
                name + ".attention.output.LayerNorm", self.linear(name + ".attention.output.dense", context) + x
            )
            wide = self.linear(name + ".intermediate.dense", x)
            wide = wide * self.dtype(0.5) * (1 + self.erf(wide * self.dtype(math.sqrt(0.5))))
            x = self.layer_norm(name + ".output.LayerNorm", self.linear(name + ".output.dense", wide) + x)
        return x

    def encode_padded(self, ids, mask, normalize=True):
        """The vectors of token ids [sentences, tokens] with their mask."""
        np = self.numbers
        x = self.hidden_padded(ids, mask)
        weights = mask[:, :, None]
        vectors = (x * weights).sum(1) / np.maximum(weights.sum(1), self.dtype(1e-9))
        if normalize:
            vectors = vectors / np.maximum(np.sqrt((vectors**2).sum(-1, keepdims=True)), self.dtype(1e-12))
        return vectors
