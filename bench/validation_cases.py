"""Schemas and instances of F5: every peer parses them when it prepares a case; only validation is measured."""

import random

import peer_programs as peers
from harness import Case

OPERATION = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["texts", "model"],
    "properties": {
        "texts": {"type": "array", "minItems": 1, "maxItems": 256,
                  "items": {"type": "string", "minLength": 1, "maxLength": 8192}},
        "model": {"type": "string", "minLength": 1, "maxLength": 64},
        "device": {"enum": ["cpu", "gpu:0", "gpu:1"]},
        "batch": {"type": "integer", "minimum": 1, "maximum": 1024},
        "threshold": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        "normalize": {"type": "boolean"},
        "options": {
            "type": "object",
            "properties": {"pooling": {"enum": ["mean", "cls", "max"]}, "truncate": {"type": "boolean"}},
            "required": ["pooling"],
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}  # fmt: skip

OPERATION_INPUT = {
    "texts": ["A dog runs in the park.", "Stock prices fell sharply today."],
    "model": "all-MiniLM-L6-v2",
    "device": "gpu:0",
    "batch": 32,
    "threshold": 0.25,
    "normalize": True,
    "options": {"pooling": "mean", "truncate": False},
}


def geometry(name, depth):
    coordinates = {"$ref": "#/$defs/position"}
    for _ in range(depth):
        coordinates = {"type": "array", "minItems": 1, "items": coordinates}
    return {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {"type": {"const": name}, "coordinates": coordinates},
    }


GEOJSON = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {"type": "array", "items": {"$ref": "#/$defs/feature"}},
    },
    "$defs": {
        "position": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "number"}},
        "feature": {
            "type": "object",
            "required": ["type", "geometry", "properties"],
            "properties": {
                "type": {"const": "Feature"},
                "id": {"type": ["string", "integer"]},
                "properties": {"type": ["object", "null"]},
                "geometry": {
                    "oneOf": [geometry("Point", 0), geometry("LineString", 1), geometry("Polygon", 2)],
                },
            },
        },
    },
}


def feature_collection(count):
    """`count` features: a third each of points, lines of 16 and polygons of 12 positions."""
    uniform = random.Random(1).uniform

    def positions(number):
        return [[round(uniform(-180, 180), 6), round(uniform(-90, 90), 6)] for _ in range(number)]

    features = []
    for i in range(count):
        kind = ("Point", "LineString", "Polygon")[i % 3]
        coordinates = {"Point": positions(1)[0], "LineString": positions(16), "Polygon": [positions(12)]}[kind]
        features.append({
            "type": "Feature", "id": i, "geometry": {"type": kind, "coordinates": coordinates},
            "properties": {"name": f"feature {i}", "population": int(uniform(0, 1e6))},
        })  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


TEXT = {"type": "string", "pattern": "^[a-z0-9 ,.;'-]*$"}


def text(size):
    words = ["tensor", "schema", "of", "the", "records,", "format;", "a", "40", "well-known", "it's"]
    pick = random.Random(1).choice
    out = []
    length = 0
    while length < size:
        out.append(pick(words))
        length += len(out[-1]) + 1
    return " ".join(out)[:size]


def cases(model_folder):
    for name, schema, instance, beside in (
        ("operation input", OPERATION, OPERATION_INPUT, (peers.jsoncons, peers.ajv)),
        ("GeoJSON, 300 features", GEOJSON, feature_collection(300), (peers.jsoncons, peers.ajv)),
        ("pattern on 1 MiB", TEXT, text(1 << 20), (peers.ajv,)),  # jsoncons crashes on it
    ):
        parameters = {"case": "validate", "schema": schema, "instance": instance}
        for peer in beside:
            bar = (">=", 3.0 if peer is peers.jsoncons else 0.7)
            yield Case("F5", f"validate {name}", peer, parameters, "documents/s", bar, work=1, threads=1)
