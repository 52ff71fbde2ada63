"""Encodes and decodes JSON instances by `TypeDef:*` schemas, written from the format's specification alone: it imports
none of our code and shares none of its structure. Slow and plain; tests/codec_cases.py makes the table of cases with it.

encode(schema, mode, value) -> bytes and decode(schema, mode, bytes) -> value raise Refused(code); mode is "packed" or
"aligned".
"""

import base64
import fractions
import math
import re
import struct

MAX_DEPTH = 64
SAFE = 2**53 - 1
INTEGERS = {f"{sign}{bits}": (bits // 8, sign == "Int") for sign in ("Int", "Uint") for bits in (8, 16, 32, 64)}
# name: bytes, exponent bits, mantissa bits
FLOATS = {"Float16": (2, 5, 10), "BFloat16": (2, 8, 7), "Float32": (4, 8, 23), "Float64": (8, 11, 52)}
TEXTS = ("String", "Bytes", "Timestamp")
RFC_3339 = re.compile(
    r"[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))"
    r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII)


class Refused(Exception):
    """What the specification says is wrong, by its code."""

    def __init__(self, code, why=""):
        super().__init__(code, why)
        self.code = code


def refuse_unless(condition, code, why=""):
    if not condition:
        raise Refused(code, why)


class Node:
    """One schema object with its references followed."""

    def __init__(self, document, schema):
        while "$ref" in schema and not any(key.startswith("TypeDef:") for key in schema):
            target = document
            for token in schema["$ref"].lstrip("#").split("/")[1:]:
                target = target[token]
            schema = target
        self.document, self.schema = document, schema
        keyword = next((key for key in schema if key.startswith("TypeDef:")), None)
        refuse_unless(keyword, "schema_invalid", "no kind")
        self.kind = keyword.split(":")[1]
        self.options = schema[keyword] if isinstance(schema[keyword], dict) else {}

    def at(self, schema):
        return Node(self.document, {f"TypeDef:{schema}": True} if isinstance(schema, str) else schema)

    @property
    def fields(self):
        """(name, node, is required, (default,) or ()) in layout order."""
        properties = self.schema["properties"]
        rows = []
        for name in self.options.get("order", properties):
            default, seen = (), properties[name]
            while default == () and isinstance(seen, dict):
                if "default" in seen:
                    default = (seen["default"],)
                elif "$ref" in seen:
                    target = self.document
                    for token in seen["$ref"].lstrip("#").split("/")[1:]:
                        target = target[token]
                    seen = target
                else:
                    break
            rows.append((name, self.at(properties[name]), name in self.schema.get("required", []), default))
        return rows

    @property
    def nullable(self):
        return [name for name, _, required, default in self.fields if not required and default == ()]

    @property
    def variants(self):
        mapping = self.options["mapping"]
        return [(tag, self.at(mapping[tag])) for tag in self.options.get("order", mapping)]

    @property
    def items(self):
        return self.at(self.schema["items"])

    @property
    def count(self):
        least, most = self.schema.get("minItems"), self.schema.get("maxItems")
        return int(least) if least is not None and least == most else None

    @property
    def indirect(self):
        return self.options.get("encoding") == "offset-indirect"


def round_up(number, multiple):
    return -(-number // multiple) * multiple


# Aligned layout.


def measure(node):
    """(size, alignment) of a value in aligned mode."""
    kind = node.kind
    if kind in INTEGERS or kind in FLOATS:
        size = (INTEGERS.get(kind) or FLOATS.get(kind))[0]
        align = size
    elif kind == "Boolean":
        size = align = 1
    elif kind == "Enum":
        size = align = 4
    elif kind in TEXTS:
        refuse_unless(node.indirect or "maxBytes" in node.options, "schema_invalid", "no reservation")
        size, align = 8 if node.indirect else 4 + node.options["maxBytes"], 4
    elif kind == "Array":
        refuse_unless(node.count is not None or node.indirect, "schema_invalid", "no count")
        refuse_unless(node.count != 0, "schema_invalid", "no items")
        size, align = measure(node.items)
        if node.count is None:
            refuse_unless(not has_indirect(node.items), "schema_invalid", "indirect in indirect")
            size, align = 8, 4
        else:
            size *= node.count
    elif kind == "Struct":
        refuse_unless(node.fields, "schema_invalid", "empty")
        places, size, align = place(node)
    else:
        raise Refused("schema_invalid", f"{kind} is not of fixed size")
    align = max(align, node.options.get("align", 1))
    return round_up(size, align), align


def has_indirect(node):
    if node.kind == "Struct":
        return any(has_indirect(field) for _, field, _, _ in node.fields)
    if node.kind == "Array":
        return node.count is None or has_indirect(node.items)
    return node.kind in TEXTS and node.indirect


def place(node):
    """Offsets of an aligned Struct's fields, its size before rounding, its alignment."""
    end, widest, places = (len(node.nullable) + 7) // 8, 1, []
    for _, field, _, _ in node.fields:
        size, align = measure(field)
        places.append(round_up(end, align))
        end, widest = places[-1] + size, max(widest, align)
    return places, end, widest


# Values.


def integer_bytes(node, value, order):
    size, signed = INTEGERS[node.kind]
    if type(value) is str and size == 8:
        refuse_unless(re.fullmatch(r"0|-?[1-9][0-9]*", value, re.ASCII), "instance_invalid", value)
        number = int(value)
    else:
        refuse_unless(type(value) in (int, float) and value == value // 1, "instance_invalid", value)
        number = int(value)
        refuse_unless(size < 8 or abs(number) <= SAFE, "instance_invalid", value)
    try:
        return number.to_bytes(size, order, signed=signed)
    except OverflowError:
        raise Refused("instance_invalid", value)


def float_bytes(node, value, order):
    size, exponent_bits, mantissa_bits = FLOATS[node.kind]
    special = (2**exponent_bits - 1) << mantissa_bits
    sign = 0
    if type(value) is str:
        refuse_unless(value in ("NaN", "Infinity", "-Infinity"), "instance_invalid", value)
        bits = special | (1 << (mantissa_bits - 1) if value == "NaN" else 0)
        sign = value == "-Infinity"
    else:
        refuse_unless(type(value) in (int, float), "instance_invalid", value)
        number = float(value)
        sign = math.copysign(1, number) < 0
        bias = 2 ** (exponent_bits - 1) - 1
        exact = abs(fractions.Fraction(number))
        largest = fractions.Fraction(2 ** (mantissa_bits + 1) - 1) * fractions.Fraction(2) ** (bias - mantissa_bits)
        refuse_unless(exact <= largest, "instance_invalid", value)
        exponent = 1 - bias
        while exact >= fractions.Fraction(2) ** (exponent + 1):
            exponent += 1
        units = round(exact / fractions.Fraction(2) ** (exponent - mantissa_bits))  # to even on a tie
        bits = units + ((exponent + bias - 1) << mantissa_bits)
    return (bits | (sign << (8 * size - 1))).to_bytes(size, order)


def text_content(node, value):
    refuse_unless(type(value) is str, "instance_invalid", value)
    if node.kind == "Bytes":
        try:
            content = base64.b64decode(value, validate=True)
        except ValueError:
            raise Refused("instance_invalid", value)
        refuse_unless(base64.b64encode(content).decode() == value, "instance_invalid", value)
    else:
        content = value.encode()
        refuse_unless(node.kind != "Timestamp" or RFC_3339.fullmatch(value), "instance_invalid", value)
    refuse_unless(len(content) <= node.options.get("maxBytes", 2**32), "reservation_overflow", value)
    return content


class Encoder:
    def __init__(self, mode, order):
        self.mode, self.order = mode, order
        self.heap = bytearray()

    def number(self, size, value):
        return value.to_bytes(size, self.order)

    def reference(self, content, align):
        if not content:
            return bytes(8)
        self.heap += bytes(round_up(self.fixed + len(self.heap), align) - self.fixed - len(self.heap))
        self.heap += content
        return self.number(4, self.fixed + len(self.heap) - len(content)) + self.number(4, len(content))

    def encode(self, node, value, depth=1):
        refuse_unless(depth <= MAX_DEPTH, "schema_too_deep")
        content = self.content(node, value, depth)
        if self.mode == "aligned":
            content += bytes(measure(node)[0] - len(content))
        return content

    def content(self, node, value, depth):
        kind = node.kind
        if kind in INTEGERS:
            return integer_bytes(node, value, self.order)
        if kind in FLOATS:
            return float_bytes(node, value, self.order)
        if kind == "Boolean":
            refuse_unless(type(value) is bool, "instance_invalid", value)
            return bytes([value])
        if kind == "Enum":
            refuse_unless(type(value) is str, "instance_invalid", value)
            refuse_unless(value in node.schema["enum"], "bad_enum", value)
            return self.number(4, node.schema["enum"].index(value))
        if kind in TEXTS:
            content = text_content(node, value)
            if self.mode == "aligned" and node.indirect:
                return self.reference(content, 1)
            return self.number(4, len(content)) + content
        if kind == "Array":
            return self.array(node, value, depth)
        refuse_unless(type(value) is dict, "instance_invalid", value)
        if kind == "Record":
            content = self.number(4, len(value))
            for key, member in value.items():
                content += self.number(4, len(key.encode())) + key.encode()
                content += self.encode(node.at(node.options["values"]), member, depth + 1)
            return content
        if kind == "Union":
            tag = value.get(node.options["discriminator"])
            refuse_unless(type(tag) is str, "instance_invalid", value)
            tags = [name for name, _ in node.variants]
            refuse_unless(tag in tags, "bad_enum", tag)
            rest = {name: member for name, member in value.items() if name != node.options["discriminator"]}
            return bytes([tags.index(tag)]) + self.struct(node.variants[tags.index(tag)][1], rest, depth)
        refuse_unless(kind == "Struct", "schema_invalid", kind)
        return self.struct(node, value, depth)

    def array(self, node, value, depth):
        refuse_unless(type(value) is list, "instance_invalid", value)
        refuse_unless(node.count in (None, len(value)), "bad_length", value)
        items = b"".join(self.encode(node.items, item, depth + 1) for item in value)
        if node.count is not None:
            return items
        if self.mode == "packed":
            return self.number(4, len(value)) + items
        return self.reference(items, measure(node.items)[1])

    def struct(self, node, value, depth):
        names = [name for name, _, _, _ in node.fields]
        for name, _, required, _ in node.fields:
            refuse_unless(name in value or not required, "instance_invalid", f"{name} is missing")
        refuse_unless(set(value) <= set(names), "instance_invalid", "not declared")
        content = bytearray((len(node.nullable) + 7) // 8 if self.mode == "aligned" else 0)
        places = place(node)[0] if self.mode == "aligned" else None
        for index, (name, field, _, default) in enumerate(node.fields):
            given = (value[name],) if name in value else default
            if name in node.nullable:
                bit = node.nullable.index(name)
                if self.mode == "packed":
                    content += bytes([bool(given)])
                elif given:
                    content[bit // 8] |= 1 << bit % 8
            if places:
                content += bytes(places[index] - len(content))
            if given:
                content += self.encode(field, given[0], depth + 1)
            elif places:
                content += bytes(measure(field)[0])
        return bytes(content)


def order_of(node):
    return node.options.get("endian", "little")


def encode(schema, mode, value):
    node = Node(schema, schema)
    encoder = Encoder(mode, order_of(node))
    if mode == "aligned":
        refuse_unless(encoder.order == "little", "schema_invalid", "big-endian is for packed")
        encoder.fixed = measure(node)[0]
    return encoder.encode(node, value) + bytes(encoder.heap)


# Back again.


class Decoder:
    def __init__(self, mode, order, data):
        self.mode, self.order, self.data, self.at = mode, order, data, 0

    def take(self, size):
        refuse_unless(self.at + size <= len(self.data), "message_truncated")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), self.order)

    def content(self, node, size):
        refuse_unless(size <= node.options.get("maxBytes", 2**32), "bad_length")
        content = self.take(size)
        if node.kind == "Bytes":
            return base64.b64encode(content).decode()
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Refused("bad_utf8")

    def in_heap(self, read):
        """Calls read(bytes) at the place that a reference points to."""
        offset, size = self.number(4), self.number(4)
        if size == 0:
            refuse_unless(offset == 0, "bad_length")
            return read(0)
        back = self.at
        refuse_unless(offset >= self.heap_end, "bad_length")
        refuse_unless(offset + size <= len(self.data), "message_truncated")
        self.at, self.heap_end = offset, offset + size
        value = read(size)
        self.at = back
        return value

    def decode(self, node):
        begin = self.at
        value = self.value(node)
        if self.mode == "aligned":
            self.at = begin + measure(node)[0]
        return value

    def value(self, node):
        kind = node.kind
        if kind in INTEGERS:
            size, signed = INTEGERS[kind]
            number = int.from_bytes(self.take(size), self.order, signed=signed)
            return number if abs(number) <= SAFE else str(number)
        if kind in FLOATS:
            return self.float(*FLOATS[kind])
        if kind == "Boolean":
            byte = self.number(1)
            refuse_unless(byte < 2, "bad_boolean")
            return bool(byte)
        if kind == "Enum":
            index = self.number(4)
            refuse_unless(index < len(node.schema["enum"]), "bad_enum")
            return node.schema["enum"][index]
        if kind in TEXTS:
            if self.mode == "aligned" and node.indirect:
                return self.in_heap(lambda size: self.content(node, size))
            return self.content(node, self.number(4))
        if kind == "Array":
            if node.count is None and self.mode == "aligned":
                return self.in_heap(lambda size: [self.decode(node.items) for _ in range(size // measure(node.items)[0])])
            return [self.decode(node.items) for _ in range(self.number(4) if node.count is None else node.count)]
        if kind == "Record":
            value = {}
            for _ in range(self.number(4)):
                try:
                    key = self.take(self.number(4)).decode()
                except UnicodeDecodeError:
                    raise Refused("bad_utf8")
                refuse_unless(key not in value, "bad_length")
                value[key] = self.decode(node.at(node.options["values"]))
            return value
        if kind == "Union":
            index = self.number(1)
            refuse_unless(index < len(node.variants), "bad_enum")
            tag, variant = node.variants[index]
            return {node.options["discriminator"]: tag, **self.struct(variant)}
        return self.struct(node)

    def float(self, size, exponent_bits, mantissa_bits):
        bits = self.number(size)
        mantissa, exponent = bits % 2**mantissa_bits, (bits >> mantissa_bits) % 2**exponent_bits
        sign = -1.0 if bits >> (8 * size - 1) else 1.0
        if exponent == 2**exponent_bits - 1:
            return "NaN" if mantissa else "Infinity" if sign > 0 else "-Infinity"
        bias = 2 ** (exponent_bits - 1) - 1
        if exponent:
            mantissa += 2**mantissa_bits
        return math.copysign(math.ldexp(mantissa, max(exponent, 1) - bias - mantissa_bits), sign)

    def struct(self, node):
        begin, value = self.at, {}
        bitmap = self.take((len(node.nullable) + 7) // 8) if self.mode == "aligned" else b""
        refuse_unless(int.from_bytes(bitmap, "little") < 2 ** len(node.nullable), "bad_presence")
        places = place(node)[0] if self.mode == "aligned" else None
        for index, (name, field, _, _) in enumerate(node.fields):
            present = True
            if name in node.nullable:
                bit = node.nullable.index(name)
                if places:
                    present = bitmap[bit // 8] >> bit % 8 & 1
                else:
                    present = self.number(1)
                    refuse_unless(present < 2, "bad_presence")
            if places:
                self.at = begin + places[index]
            if present:
                value[name] = self.decode(field)
        return value


def decode(schema, mode, data):
    node = Node(schema, schema)
    decoder = Decoder(mode, order_of(node), data)
    if mode == "aligned":
        decoder.heap_end = measure(node)[0]
        refuse_unless(decoder.heap_end <= len(data), "message_truncated")
    value = decoder.decode(node)
    refuse_unless((decoder.heap_end if mode == "aligned" else decoder.at) == len(data), "bad_length")
    return value
