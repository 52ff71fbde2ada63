#!/usr/bin/env python3
"""Makes the table of codec cases that the C++ engine and the TypeScript package are compared with.

    codec_cases.py TABLE [--check]

Writes a JSON list of
  {name, schema, mode, cases: [...]}
where mode is "packed" or "aligned" and a case is one of
  {value, bytes}           value encodes to the bytes (hexadecimal), which decode to the same value
  {value, bytes, decoded}  the bytes decode to another value: defaults filled in, floats rounded, integers as numbers
  {value, error}           encode refuses the value with this code
  {bytes, error}           decode refuses the bytes with this code
With --check nothing is written: the status is 1 when what would be written differs from what is there.

The bytes come from reference_codec.py, which imports none of our code; a few are worked out by hand and asserted.
"""

import base64
import json
import pathlib
import random
import sys

from reference_codec import FLOATS, INTEGERS, Refused, decode, encode

TABLE = []


def same(a, b):
    """Equal as JSON: 1 is 1.0, but true is not 1."""
    return json.dumps(normal(a), sort_keys=True) == json.dumps(normal(b), sort_keys=True)


def normal(value):
    if isinstance(value, dict):
        return {name: normal(member) for name, member in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    return int(value) if isinstance(value, float) and value == value // 1 else value


def of_value(schema, mode, value):
    try:
        data = encode(schema, mode, value)
    except Refused as refusal:
        return {"value": value, "error": refusal.code}
    decoded = decode(schema, mode, data)
    case = {"value": value, "bytes": data.hex()}
    return case if same(decoded, value) else {**case, "decoded": decoded}


def of_bytes(schema, mode, data):
    try:
        decode(schema, mode, data)
    except Refused as refusal:
        return {"bytes": data.hex(), "error": refusal.code}
    raise AssertionError(f"{data.hex()} decodes")


def add(name, schema, values, modes=("packed", "aligned"), bad_bytes=(), by_hand=None):
    for mode in modes:
        cases = [of_value(schema, mode, value) for value in values]
        cases += [of_bytes(schema, mode, bytes.fromhex(data)) for data in bad_bytes]
        if by_hand is not None:
            assert cases[0]["bytes"] == by_hand.replace(" ", ""), (name, cases[0])
        TABLE.append({"name": name, "schema": schema, "mode": mode, "cases": cases})


def struct(properties, required=None, **options):
    """A Struct; all members required unless `required` lists them."""
    return {"TypeDef:Struct": options or True, "properties": properties,
            "required": list(properties) if required is None else required}


def array(items, count=None, **options):
    node = {"TypeDef:Array": options or True, "items": items}
    return node if count is None else {**node, "minItems": count, "maxItems": count}


def kind(name, **options):
    return {f"TypeDef:{name}": options or True}


def enum(*names):
    return {"TypeDef:Enum": True, "enum": list(names)}


def numbers():
    for name, (size, signed) in INTEGERS.items():
        low = -(2 ** (8 * size - 1)) if signed else 0
        high = 2 ** (8 * size - (1 if signed else 0)) - 1
        values = [0, 1, 100, 7.0, 1.5, "1", True, None, [], -1, "x"]
        if size < 8:
            values += [low, high, low - 1, high + 1, float(high), 1e300]
        else:
            values += [str(low), str(high), str(low - 1), str(high + 1), "0", "12", "-12", "007", "-0", "+1", "", " 1", "1e3",
                       2**53 - 1, -(2**53 - 1), 2**53, -(2**53), 9007199254740991.0, 9007199254740992.0, 1e300, 2**63,
                       "9007199254740992", "-9007199254740992", "9007199254740991"]  # fmt: skip
        add(name, kind(name), values)
    largest = {"Float16": 65504.0, "BFloat16": 3.3895313892515355e38, "Float32": 3.4028234663852886e38,
               "Float64": 1.7976931348623157e308}  # fmt: skip
    for name, (_, _, mantissa_bits) in FLOATS.items():
        unit, most = 2.0**-mantissa_bits, largest[name]
        values = [0, 1, -2.5, 0.1, 1 + unit, 1 + unit / 2, 1 + 1.5 * unit, 1 + unit / 2 + 2.0**-50, -0.0, most, -most,
                  most * 1.001 if most < 1e308 else "too large", "NaN", "Infinity", "-Infinity", "nan", 1e-8, 1e-40, 5e-324,
                  2.0**-24, 2.0**-25, 1.000001 * 2.0**-25, 2.0**-133, 2.0**-149, 2.0**-150, 1.5 * 2.0**-149, 123456789,
                  9007199254740993, 2**63, True, None, {}]  # fmt: skip
        add(name, kind(name), values)


def small_kinds():
    add("Boolean", kind("Boolean"), [True, False, 0, 1, "true", None], bad_bytes=["02", "ff", "", "0000"])
    add("Enum", enum("red", "green", "\u00fc"), ["red", "green", "\u00fc", "blue", "", 1, None],
        bad_bytes=["03000000", "ffffffff", "000000", "0000000000"])
    texts = ["", "a", "hello", "hello!", "\u00e9\u00e9", "\u00e9\u00e9\u00e9", "\U0001f600", "a\u0000b", 5, None, ["a"]]
    add("String", kind("String"), texts, ["packed"], ["05000000616263", "01000000ff", "02000000c3a900", "040000", "ffffffff"])
    add("String with maxBytes", kind("String", maxBytes=5), texts, bad_bytes=["060000006162636465660000", "01"])
    add("String with maxBytes", kind("String", maxBytes=5), [], ["aligned"],
        ["01000000ff00000000000000", "0000000000000000", "000000000000000000000000 00"])
    encoded = ["", "AA==", "/wE=", "AQIDBA==", "aGVsbG8=", "AAAAAAAA", "A", "AA", "AA=", "AB==", "AAE", "AAF=", "A A=", "-_8=",
               "=", "====", "AA==AA==", 1]  # fmt: skip
    add("Bytes", kind("Bytes"), encoded, ["packed"])
    add("Bytes with maxBytes", kind("Bytes", maxBytes=4), encoded)
    add("Timestamp", kind("Timestamp"),
        ["2024-02-29T12:34:56Z", "2023-02-29t00:00:00z", "1999-12-31T23:59:60.123456789+23:59", "2024-01-01T00:00:00-00:00",
         "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-04-31T00:00:00Z",
         "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T00:00:00",
         "2024-01-01T00:00:00.Z", "2024-01-01 00:00:00Z", "2024-1-1T00:00:00Z", "2024-01-01T00:00:00+24:00",
         "2024-01-01T00:00:00+1:00", "2024-01-01T00:00:00Z ", "", "now", 0], ["packed"])  # fmt: skip
    add("Timestamp with maxBytes", kind("Timestamp", maxBytes=20),
        ["2024-02-29T12:34:56Z", "2024-02-29T12:34:56+00:00"])


POINT = struct({"x": kind("Float32"), "y": kind("Float32")})
LABELS = {"TypeDef:Record": {"values": kind("Int16")}}
SHAPE = {"TypeDef:Union": {"discriminator": "kind", "mapping": {
    "circle": struct({"r": kind("Float32")}), "square": struct({"a": kind("Float32")})}}}  # fmt: skip


def structs():
    nullable = struct({"id": kind("Int32"), "score": kind("Float32")}, ["id"])
    add("the example of nullable fields", nullable, [{"id": -2, "score": 1.5}], ["aligned"],
        by_hand="01 000000 feffffff 0000c03f")
    add("nullable fields", nullable,
        [{"id": 1}, {"score": 2, "id": 1}, {"score": 2}, {"id": 1, "score": None}, {"id": 1, "extra": 1}, {}, [], 1])
    add("nullable fields", nullable, [], ["aligned"],
        ["0000000001000000", "02000000010000000000000000", "020000000100000000000000", "ff0000000100000000000000"])
    add("nullable fields", nullable, [], ["packed"], ["0100000002", "0100000001000000", "01000000", "010000000000"])
    add("padding as in C", struct({"a": kind("Uint8"), "b": kind("Float32"), "c": kind("Uint8")}), [{"a": 1, "b": 1, "c": 2}],
        ["aligned"], by_hand="01 000000 0000803f 02 000000")
    nine = {f"f{i}": kind("Uint8") for i in range(9)}
    add("nine nullable fields", struct(nine, []), [{}, {"f8": 9}, {name: i for i, name in enumerate(nine)}, {"f0": 1, "f7": 8}],
        bad_bytes=["0002" + "00" * 9])
    seventeen = {f"n{i}": kind("Int16") for i in range(17)}
    add("seventeen nullable fields", struct(seventeen, []), [{}, {"n16": -1, "n3": 4}])
    add("no nullable field, though one is not required", struct({"a": {**kind("Int8"), "default": 3}, "b": kind("Int8")}, ["b"]),
        [{"b": 1}, {"a": 5, "b": 1}, {"a": None, "b": 1}])
    add("order", struct({"a": kind("Int8"), "b": kind("Int16")}, order=["b", "a"]), [{"a": 1, "b": 2}, {"b": 2, "a": 1}])
    add("integer-like names with order", struct({"1": kind("Int8"), "0": kind("Int16")}, order=["1", "0"]), [{"0": 2, "1": 1}])
    add("nested structs", struct({"p": POINT, "n": kind("Uint8"), "q": POINT}, ["p", "n"]),
        [{"p": {"x": 1, "y": 2}, "n": 3}, {"p": {"x": 1, "y": 2}, "n": 3, "q": {"x": 0.5, "y": -1}},
         {"p": {"x": 1}, "n": 3}, {"p": {"x": 1, "y": 2, "z": 3}, "n": 3}])  # fmt: skip
    add("align", struct({"a": kind("Uint8", align=8), "b": kind("Uint16", align=1), "c": kind("Uint8")}, align=16),
        [{"a": 1, "b": 2, "c": 3}])
    add("align of array items", array(kind("Uint8", align=4), 3), [[1, 2, 3]])
    add("defaults of every form",
        struct({"i": {**kind("Int64"), "default": "-9223372036854775808"}, "s": {**kind("String", maxBytes=6), "default": "none"},
                "e": {**enum("a", "b"), "default": "b"}, "f": {**kind("Float16"), "default": "NaN"},
                "p": {**POINT, "default": {"x": 1, "y": 2}}, "v": {**array(kind("Uint8"), 2), "default": [7, 8]}}, []),
        [{}, {"i": 1, "s": "", "e": "a", "f": 0.1, "p": {"x": 0, "y": 0}, "v": [0, 0]}])  # fmt: skip
    add("a default by reference",
        {**struct({"a": {"$ref": "#/$defs/seven"}, "b": {"$ref": "#/$defs/seven", "default": 8}}, []),
         "$defs": {"seven": {**kind("Int8"), "default": 7}}}, [{}, {"a": 1}])  # fmt: skip
    add("a default inside of a default", struct({"p": {**struct({"x": {**kind("Int8"), "default": 5}}, []), "default": {}}}, []),
        [{}, {"p": {}}, {"p": {"x": 1}}])


def arrays():
    add("counted", array(kind("Int16"), 3), [[1, -2, 3], [1, 2], [1, 2, 3, 4], [], {}, [1, 2, "x"]],
        bad_bytes=["0000", "00000000000000"])
    add("of strings with maxBytes", array(kind("String", maxBytes=3), 2), [["a", "abc"], ["", "abcd"]])
    add("matrix", array(array(kind("Uint8"), 2), 3), [[[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4], [5]]])
    add("of structs", array(struct({"a": kind("Uint8"), "b": kind("Uint32")}, ["a"]), 2), [[{"a": 1}, {"a": 2, "b": 3}]])
    add("uncounted", array(kind("Int16")), [[], [1], [1, 2, 3]], ["packed"],
        ["02000000010002", "0100000001", "010000", "ffffffff"])
    add("uncounted with bounds", {**array(kind("Int8")), "minItems": 0, "maxItems": 3}, [[1, 2]], ["packed"])
    add("uncounted of uncounted strings", array(array(kind("String"))), [[], [[]], [["a", ""], [], ["bc"]]], ["packed"])


def indirect():
    text = kind("String", encoding="offset-indirect")
    add("a string", text, ["", "hi", "h\u00e9", 1], bad_bytes=["0100000000000000"])
    add("a string", text, [], ["aligned"],
        ["0000000001000000", "0800000002000000 61", "0800000001000000 6162", "0800000001000000 ff", "0400000001000000"])
    fields = struct({"s": text, "b": kind("Bytes", encoding="offset-indirect"), "v": array(kind("Uint32"), encoding="offset-indirect"),
                     "t": kind("Timestamp", encoding="offset-indirect")})  # fmt: skip
    full = {"s": "hey", "b": "/w==", "v": [1, 2], "t": "2024-01-01T00:00:00Z"}
    add("every form", fields, [full, {"s": "", "b": "", "v": [], "t": "2024-01-01T00:00:00Z"}])
    add("limited by maxBytes", kind("String", encoding="offset-indirect", maxBytes=2), ["ab", "abc"])
    add("of structs and aligned items",
        struct({"s": text, "v": array(struct({"a": kind("Uint8"), "b": kind("Float64")}, ["a"]), encoding="offset-indirect")}),
        [{"s": "x", "v": [{"a": 1}, {"a": 2, "b": 3}]}, {"s": "x", "v": []}])
    add("in counted arrays", array(struct({"n": kind("Uint8"), "s": text}), 2), [[{"n": 1, "s": "one"}, {"n": 2, "s": "two"}]])
    add("nullable", struct({"s": text, "t": text}, []), [{}, {"t": "x"}, {"s": ""}, {"s": "a", "t": "b"}])
    add("hostile heaps", struct({"s": text, "t": text}), [], ["aligned"],
        ["1000000002000000 1000000002000000 6162", "1200000001000000 1000000001000000 616263",
         "1000000001000000 1100000001000000 61", "10000000ffffffff 0000000000000000 61"])  # fmt: skip
    add("hostile items", array(kind("Uint32"), encoding="offset-indirect"), [], ["aligned"], ["0800000008000000 00000000"])


def packed():
    add("the example of unions", SHAPE, [{"kind": "square", "a": 2}], ["packed"], by_hand="01 00000040")
    add("unions", SHAPE,
        [{"kind": "circle", "r": 1}, {"kind": "square"}, {"kind": "square", "r": 1}, {"kind": "triangle"}, {"a": 1},
         {"kind": 1, "a": 1}, {"kind": "square", "a": 1, "b": 1}, "square", None], ["packed"],
        ["02", "", "01000000", "0100000040 00"])  # fmt: skip
    add("a union with order", {"TypeDef:Union": {**SHAPE["TypeDef:Union"], "order": ["square", "circle"]}},
        [{"kind": "square", "a": 2}, {"r": 1, "kind": "circle"}], ["packed"])
    add("records", LABELS, [{}, {"a": 1}, {"b": 2, "a": 1, "": -1, "\u00e9": 3}, {"a": "1"}, []], ["packed"],
        ["0200000001000000610100 01000000610200", "0100000001000000ff0100", "010000000100000061", "01000000ffffffff"])
    add("structs in records", {"TypeDef:Record": {"values": struct({"a": kind("Int8"), "b": kind("String")}, ["a"])}},
        [{"k": {"a": 1}}, {"k": {"a": 1, "b": "x"}, "l": {"a": 2}}], ["packed"])
    add("everything in one", struct({"n": kind("Int16"), "s": kind("String"), "m": LABELS, "v": array(kind("Bytes")),
                                     "u": SHAPE, "e": enum("x", "y"), "l": array(SHAPE, 2)}, ["s", "m", "v"]),
        [{"s": "hi", "m": {"a": 7}, "v": ["", "/w=="]},
         {"n": -1, "s": "", "m": {}, "v": [], "u": {"kind": "circle", "r": 0.5}, "e": "y",
          "l": [{"kind": "circle", "r": 1}, {"kind": "square", "a": 2}]}], ["packed"])  # fmt: skip
    big = struct({"endian": kind("Uint32"), "i": kind("Int16"), "l": kind("Int64"), "h": kind("Float16"), "b": kind("BFloat16"),
                  "f": kind("Float32"), "d": kind("Float64"), "e": enum("x", "y"), "s": kind("String"), "m": LABELS,
                  "v": array(kind("Uint16")), "c": array(kind("Uint16"), 2), "u": SHAPE, "o": kind("Int32")},
                 ["endian", "i", "l", "h", "b", "f", "d", "e", "s", "m", "v", "c", "u"], endian="big")  # fmt: skip
    add("big-endian", big, [{"endian": 1, "i": -2, "l": "-9223372036854775807", "h": 1, "b": 1, "f": 1, "d": 1, "e": "y", "s": "hi",
                             "m": {"k": 1}, "v": [1, 2], "c": [3, 4], "u": {"kind": "square", "a": 1}, "o": 5}],
        ["packed"])  # fmt: skip
    add("big-endian", kind("Int32", endian="big"), [1])


def references():
    chain = struct({"next": {"$ref": "#"}, "v": kind("Uint8")}, ["v"])
    deep = {"v": 0}
    for i in range(1, 62):
        deep = {"next": deep, "v": i}
    add("a list through a nullable field", chain,
        [{"v": 1}, {"v": 1, "next": {"v": 2, "next": {"v": 3}}}, deep, {"v": 62, "next": deep},
         {"v": 63, "next": {"v": 62, "next": deep}}, {"v": 64, "next": {"v": 63, "next": {"v": 62, "next": deep}}}],
        bad_bytes=["010100"], modes=["packed"])  # fmt: skip
    tree = {"$ref": "#/$defs/tree", "$defs": {"tree": struct({"name": kind("String"), "children": array({"$ref": "#/$defs/tree"})})}}
    add("a tree through an array", tree,
        [{"name": "a", "children": []}, {"name": "a", "children": [{"name": "b", "children": []}, {"name": "c", "children": []}]}],
        ["packed"])
    expression = {"TypeDef:Union": {"discriminator": "op", "mapping": {
        "constant": struct({"value": kind("Float64")}), "sum": struct({"terms": array({"$ref": "#"})}),
        "named": struct({"names": {"TypeDef:Record": {"values": {"$ref": "#"}}}})}}}  # fmt: skip
    add("expressions through a union", expression,
        [{"op": "sum", "terms": [{"op": "constant", "value": 1}, {"op": "named", "names": {"x": {"op": "sum", "terms": []}}}]}],
        ["packed"])
    add("$defs used often", {**struct({"a": {"$ref": "#/$defs/p"}, "b": {"$ref": "#/$defs/p"}, "c": array({"$ref": "#/$defs/p"}, 2)}),
                             "$defs": {"p": {"$ref": "#/$defs/q"}, "q": POINT}},
        [{"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}, "c": [{"x": 5, "y": 6}, {"x": 7, "y": 8}]}])  # fmt: skip


class Generator:
    """Random schemas and instances, the same ones in every run."""

    def __init__(self, seed, mode):
        self.random, self.mode = random.Random(seed), mode

    def schema(self, depth=0):
        aligned = self.mode == "aligned"
        kinds = list(INTEGERS) + list(FLOATS) + ["Boolean", "Enum", "String", "Bytes"]
        kinds += ["Struct", "Array"] * (6 if depth < 3 else 0)
        kinds += [] if aligned or depth > 2 else ["Record", "Union", "Union"]
        chosen = "Struct" if depth == 0 else self.random.choice(kinds)
        options = {"align": 2 ** self.random.randrange(6)} if self.random.random() < 0.1 else {}
        if chosen == "Enum":
            return enum(*[f"e{i}" for i in range(self.random.randrange(1, 5))])
        if chosen in ("String", "Bytes"):
            if aligned or self.random.random() < 0.3:
                options["maxBytes"] = self.random.randrange(1, 12)
            return kind(chosen, **options)
        if chosen == "Array":
            count = self.random.randrange(1, 4) if aligned or self.random.random() < 0.5 else None
            return array(self.schema(depth + 1), count, **options)
        if chosen == "Record":
            return {"TypeDef:Record": {"values": self.schema(depth + 1)}}
        if chosen == "Union":
            variants = {f"v{i}": self.members(depth + 1) for i in range(self.random.randrange(1, 4))}
            return {"TypeDef:Union": {"discriminator": "tag", "mapping": variants}}
        return self.members(depth, **options) if chosen == "Struct" else kind(chosen, **options)

    def members(self, depth, **options):
        properties = {f"m{i}": self.schema(depth + 1) for i in range(self.random.randrange(1, 7))}
        required = [name for name in properties if self.random.random() < 0.6]
        for name, schema in properties.items():
            if name not in required and self.random.random() < 0.3:
                properties[name] = {**schema, "default": self.value(schema)}
        if self.random.random() < 0.3:
            options["order"] = self.random.sample(list(properties), len(properties))
        return struct(properties, required, **options)

    def value(self, schema):
        keyword = next(key for key in schema if key.startswith("TypeDef:"))
        name, options = keyword.split(":")[1], schema[keyword]
        if name in INTEGERS:
            size, signed = INTEGERS[name]
            number = self.random.getrandbits(8 * size) - (2 ** (8 * size - 1) if signed else 0)
            return number if abs(number) < 2**53 else str(number)
        if name in FLOATS:
            return self.random.choice([0.5, -1, 2.0**-20, self.random.gauss(0, 100), "NaN", "-Infinity", 65504])
        if name == "Boolean":
            return self.random.random() < 0.5
        if name == "Enum":
            return self.random.choice(schema["enum"])
        if name in ("String", "Bytes"):
            most = options["maxBytes"] if options is not True and "maxBytes" in options else 8
            size = self.random.randrange(most + 1)
            if name == "Bytes":
                return base64.b64encode(self.random.randbytes(size)).decode()
            return "".join(self.random.choice("ab\u0000\"\\~") for _ in range(size))
        if name == "Array":
            return [self.value(schema["items"]) for _ in range(schema.get("minItems", self.random.randrange(4)))]
        if name == "Record":
            return {f"k{i}": self.value(options["values"]) for i in range(self.random.randrange(4))}
        if name == "Union":
            tag = self.random.choice(list(options["mapping"]))
            return {"tag": tag, **self.value(options["mapping"][tag])}
        names = [each for each in schema["properties"] if each in schema["required"] or self.random.random() < 0.5]
        self.random.shuffle(names)
        return {each: self.value(schema["properties"][each]) for each in names}


def generated(count):
    for mode in ("packed", "aligned"):
        for seed in range(count):
            generator = Generator(f"{mode} {seed}", mode)
            schema = generator.schema()
            if mode == "packed" and generator.random.random() < 0.3:
                options = schema["TypeDef:Struct"]
                schema["TypeDef:Struct"] = {**(options if isinstance(options, dict) else {}), "endian": "big"}
            add(f"generated {seed}", schema, [generator.value(schema) for _ in range(3)], [mode])


def main():
    for group in (numbers, small_kinds, structs, arrays, indirect, packed, references):
        group()
    generated(100)
    text = "[\n" + ",\n".join(json.dumps(row, allow_nan=False) for row in TABLE) + "\n]\n"
    path = pathlib.Path(sys.argv[1])
    if "--check" in sys.argv[2:]:
        return int(not path.exists() or path.read_text() != text)
    path.write_text(text)
    print(f"{len(TABLE)} schemas, {sum(len(row['cases']) for row in TABLE)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
