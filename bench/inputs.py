"""Makes the files that the benchmarks read. Run by bench/run with the Python of bin/setup.

    inputs.py FOLDER

Metatensor files are written here by hand, with numpy alone; Arrow files, where pyarrow is there, hold the same values.
"""

import json
import pathlib
import struct
import sys

import numpy as np

COUNT = 1_000_000  # records, strings
LAYERS, PARTS = 2_500, ("q", "k", "v", "out")  # 10,000 entries


def write(path, entries, schema=None):
    """A file of (name, dtype, shape, bytes), each 64-byte aligned by its size or by the reader's indifference."""
    metadata = {"format": "pt", "metatensor": "1"}
    if schema:
        metadata["metatensor.schema"] = json.dumps(schema, separators=(",", ":"))
    header, offset = {"__metadata__": metadata}, 0
    for name, dtype, shape, data in entries:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, _, _, data in entries:
            out.write(data)


def tensor(dtype, shape):
    return {"TypeDef:Tensor": {"dtype": dtype, "shape": shape}}


def struct_of(properties):
    return {"TypeDef:Struct": {"order": list(properties)}, "properties": properties, "required": list(properties)}


def many_entries(folder):
    """10,000 F32 matrices: without a schema, with one that has a node a layer kind, and with one that has a node each,
    plain or with a keyword that makes the reader parse all of it."""
    content = np.arange(16, dtype=np.float32).tobytes()
    names = [f"layers.{layer}.{part}" for layer in range(LAYERS) for part in PARTS]
    entries = [(name, "F32", [4, 4], content) for name in names]
    layer = struct_of({part: tensor("F32", [4, 4]) for part in PARTS})
    array = {"TypeDef:Array": True, "minItems": LAYERS, "maxItems": LAYERS, "items": layer}
    write(folder / "entries.mt", entries)
    write(folder / "entries_layers.mt", entries, struct_of({"layers": array}))
    each = struct_of({name: tensor("F32", [-1, 4]) for name in names})
    write(folder / "entries_each.mt", entries, each)
    write(folder / "entries_titled.mt", entries, {**each, "title": "x"})


def records(folder):
    random = np.random.default_rng(1)
    fields = {"id": ("<i8", "Int64"), "time": ("<i8", "Int64"), "x": ("<f8", "Float64"), "y": ("<f8", "Float64"),
              "z": ("<f8", "Float64"), "score": ("<f4", "Float32"), "label": ("<u2", "Uint16"), "ok": ("?", "Boolean")}  # fmt: skip
    rows = np.zeros(COUNT, np.dtype([(name, dtype) for name, (dtype, _) in fields.items()], align=True))
    rows["id"] = random.permutation(COUNT)
    rows["time"] = np.cumsum(random.integers(0, 1000, COUNT))
    rows["x"], rows["y"], rows["z"] = random.random((3, COUNT))
    rows["score"] = random.random(COUNT, np.float32)
    rows["label"] = random.integers(0, 1000, COUNT)
    rows["ok"] = random.integers(0, 2, COUNT)
    node = struct_of({name: {f"TypeDef:{kind}": True} for name, (_, kind) in fields.items()})
    schema = struct_of({"records": tensor(node, [-1])})
    write(folder / "records.mt", [("records", "U8", [COUNT, rows.itemsize], rows.tobytes())], schema)
    return {name: np.ascontiguousarray(rows[name]) for name in fields}


def strings(folder):
    random = np.random.default_rng(2)
    lengths = random.integers(1, 40, COUNT)
    letters = random.integers(ord("a"), ord("z") + 1, lengths.sum()).astype(np.uint8).tobytes()
    ends = np.cumsum(lengths)
    references = np.stack([ends - lengths, lengths], axis=1).astype("<u8").tobytes()
    schema = struct_of({"strings": tensor({"TypeDef:Blob": {"item": {"TypeDef:String": True}}}, [-1])})
    entries = [("strings", "U8", [COUNT, 16], references), ("__blob__.strings", "U8", [len(letters)], letters)]
    write(folder / "strings.mt", entries, schema)
    text = letters.decode()
    return [text[end - length : end] for end, length in zip(ends, lengths)]


def write_arrow(path, columns):
    import pyarrow

    table = pyarrow.table(columns)
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=COUNT)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    many_entries(folder)
    columns, texts = records(folder), strings(folder)
    try:
        write_arrow(folder / "records.arrow", columns)
        write_arrow(folder / "strings.arrow", {"strings": texts})
    except ImportError:
        print("bench: no pyarrow: no Arrow files", file=sys.stderr)


main()
