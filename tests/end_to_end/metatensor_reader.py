"""Reads metatensor files for tests, from the specification and without alknet's code."""

import json
import struct

import numpy as np

FLAT = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "BF16": "<u2", "U32": "<u4",
    "I32": "<i4", "F32": "<f4", "C64": "<c8", "U64": "<u8", "I64": "<i8", "F64": "<f8",
}  # fmt: skip
SCALARS = {
    "Int8": "i1", "Uint8": "u1", "Int16": "<i2", "Uint16": "<u2", "Int32": "<i4", "Uint32": "<u4", "Int64": "<i8",
    "Uint64": "<u8", "Float16": "<f2", "Float32": "<f4", "Float64": "<f8", "Boolean": "?",
}  # fmt: skip


def kind_of(node):
    return next(key for key in node if key.startswith("TypeDef:")).removeprefix("TypeDef:")


class MetatensorFile:
    def __init__(self, path):
        with open(path, "rb") as file:
            content = file.read()
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        self.metadata = header.pop("__metadata__", {})
        self.schema = json.loads(self.metadata.get("metatensor.schema", "null"))
        self.entries = header
        self.data = content[8 + length :]

    def names(self):
        return [name for name in self.entries if not name.startswith(("__pad__.", "__blob__."))]

    def user_metadata(self):
        own = ("format", "metatensor", "metatensor.schema", "metatensor.checksum")
        return {key: value for key, value in self.metadata.items() if key not in own}

    def raw(self, name):
        begin, end = self.entries[name]["data_offsets"]
        return self.data[begin:end]

    def flat(self, name):
        entry = self.entries[name]
        return np.frombuffer(self.raw(name), FLAT[entry["dtype"]]).reshape(entry["shape"])

    def tensor_node(self, name):
        return self.schema["properties"][name]["TypeDef:Tensor"]

    def item_node(self, name):
        node = self.tensor_node(name)["dtype"]
        while "$ref" in node:
            node = self.schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return node

    def layout(self, node):
        """(size, align) of a node in aligned mode."""
        kind = kind_of(node)
        if kind in SCALARS:
            size = np.dtype(SCALARS[kind]).itemsize
            return size, size
        if kind == "Blob":
            return 16, 8
        if kind == "Array":
            size, align = self.layout(node["items"])
            return size * node["minItems"], align
        if kind in ("String", "Bytes"):
            return -(-(4 + node[f"TypeDef:{kind}"]["maxBytes"]) // 4) * 4, 4
        fields, size, align = self.fields(node)
        return size, align

    def fields(self, node):
        """[(name, node, offset, bit or None)], size and alignment of a Struct."""
        order = node["TypeDef:Struct"]["order"]
        nullable = [name for name in order if name not in node.get("required", [])]
        position, widest, fields = -(-len(nullable) // 8), 1, []
        for name in order:
            size, align = self.layout(node["properties"][name])
            position = -(-position // align) * align
            bit = nullable.index(name) if name in nullable else None
            fields.append((name, node["properties"][name], position, bit))
            position += size
            widest = max(widest, align)
        return fields, -(-position // widest) * widest, widest

    def value(self, node, data, store):
        kind = kind_of(node)
        if kind in SCALARS:
            return np.frombuffer(data, SCALARS[kind], 1)[0].item()
        if kind == "Array":
            size, _ = self.layout(node["items"])
            return [self.value(node["items"], data[i * size :], store) for i in range(node["minItems"])]
        if kind == "Blob":
            offset, size = struct.unpack_from("<QQ", data)
            item = kind_of(node["TypeDef:Blob"]["item"])
            return self.text(item, store[offset : offset + size])
        if kind in ("String", "Bytes"):
            (size,) = struct.unpack_from("<I", data)
            return self.text(kind, data[4 : 4 + size])
        record = {}
        for name, child, offset, bit in self.fields(node)[0]:
            absent = bit is not None and not data[bit // 8] >> bit % 8 & 1
            record[name] = None if absent else self.value(child, data[offset:], store)
        return record

    @staticmethod
    def text(kind, data):
        return data.decode() if kind == "String" else bytes(data)

    def items(self, name):
        """The records or blobs of an entry as a flat list."""
        node = self.item_node(name)
        size, _ = self.layout(node)
        data = self.raw(name)
        assert self.entries[name]["shape"][-1] == size
        store = self.raw(f"__blob__.{name}") if f"__blob__.{name}" in self.entries else b""
        return [self.value(node, data[i : i + size], store) for i in range(0, len(data), size)]

    def columns(self, name):
        """Struct entries without text: numpy arrays of shape `entry shape` + `field shape`, by field."""
        node, shape = self.item_node(name), self.entries[name]["shape"]
        fields, size, _ = self.fields(node)
        assert shape[-1] == size
        data = np.frombuffer(self.raw(name), "u1").reshape(shape)
        arrays = {}
        for field, child, offset, _ in fields:
            bytes_of_field, _ = self.layout(child)
            inner = child["items"] if kind_of(child) == "Array" else child
            dtype = SCALARS[kind_of(inner)]
            part = np.ascontiguousarray(data[..., offset : offset + bytes_of_field]).view(dtype)
            arrays[field] = part if kind_of(child) == "Array" else part[..., 0]
        return arrays

    def tensors(self):
        """Every entry as Python values that compare equal: arrays for flat ones, lists for the others."""
        return {name: self.items(name) if self.is_items(name) else self.flat(name) for name in self.names()}

    def is_items(self, name):
        return self.schema is not None and not isinstance(self.tensor_node(name)["dtype"], str)
