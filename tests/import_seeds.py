#!/usr/bin/env python3
"""Makes small foreign files with the packages that own the formats: the seeds of the import fuzzers and of the tests.

    import_seeds.py SEEDS

Writes SEEDS/gguf/*, SEEDS/npy/* (with .npz archives) and SEEDS/arrow/*. Imports nothing of alknet.
"""

import pathlib
import struct
import sys
import zipfile

import gguf
import numpy as np
import pyarrow as pa
from gguf import GGMLQuantizationType as Type

QUANTISED = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0]
RANDOM_BLOCKS = [Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K]


def random_blocks(rng, kind, rows, blocks):
    """Bytes of k-quants, which the package cannot make; the half floats in them are finite and small."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows, blocks, size), dtype="u1")
    halves = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}[kind]
    for offset in halves:
        values = rng.uniform(-0.1, 0.1, (rows, blocks, 1)).astype("<f2")
        data[..., offset : offset + 2] = values.view("u1").reshape(rows, blocks, 2)
    return data.reshape(rows, blocks * size)


def write_gguf(path, kinds=(), rows=2, rng=None, flat=True, strings=True, alignment=None):
    rng = rng or np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    if strings:
        writer.add_array("tokenizer.ggml.tokens", ["<s>", "", "grö\u00dfe", "\u2581the"])
        writer.add_string("general.name", 'a "name"\n\u00e9')
    writer.add_uint8("x.u8", 255)
    writer.add_int8("x.i8", -128)
    writer.add_uint16("x.u16", 65535)
    writer.add_int16("x.i16", -32768)
    writer.add_uint32("x.u32", 2**32 - 1)
    writer.add_int32("x.i32", -(2**31))
    writer.add_uint64("x.u64", 2**64 - 1)
    writer.add_int64("x.i64", -(2**63))
    writer.add_float32("x.f32", 1e-5)
    writer.add_float64("x.f64", 0.1)
    writer.add_bool("x.yes", True)
    writer.add_bool("x.no", False)
    writer.add_array("x.ints", [1, -2, 3])
    writer.add_array("x.floats", [0.5, 1e20])
    writer.add_array("x.bools", [True, False])
    if flat:
        for name, dtype in (("f32", "f4"), ("f16", "f2"), ("f64", "f8"), ("i8", "i1"), ("i16", "i2"), ("i32", "i4"), ("i64", "i8")):
            writer.add_tensor(f"blk.0.{name}", (rng.standard_normal((2, 3)) * 50).astype(dtype))
        bf16 = gguf.quants.quantize(rng.standard_normal((2, 4)).astype("f4"), Type.BF16)
        writer.add_tensor("blk.0.bf16", bf16, raw_dtype=Type.BF16)
    for kind in kinds:
        values, _ = gguf.GGML_QUANT_SIZES[kind]
        if kind in QUANTISED:
            data = gguf.quants.quantize(rng.standard_normal((rows, 2 * values)).astype("f4"), kind)
        else:
            data = random_blocks(rng, kind, rows, 2)
        writer.add_tensor(f"w.{kind.name}", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_seeds(folder):
    write_gguf(folder / "flat.gguf")
    write_gguf(folder / "metadata.gguf", flat=False)
    write_gguf(folder / "quantised.gguf", QUANTISED, rows=1, flat=False, strings=False)
    write_gguf(folder / "alignment.gguf", [Type.Q8_0], rows=1, flat=False, strings=False, alignment=64)
    content = (folder / "metadata.gguf").read_bytes()
    (folder / "version2.gguf").write_bytes(content[:4] + struct.pack("<I", 2) + content[8:])


def record_array():
    kind = [("id", "<i4"), ("x", ">f8"), ("name", "<U5"), ("tag", "S3"), ("ok", "?"), ("grid", "<i2", (2, 2)),
            ("in", [("a", "u1"), ("z", "<c8")]), ("t", "<M8[ms]")]  # fmt: skip
    records = np.zeros(3, dtype=kind)
    records["id"] = [1, -2, 3]
    records["x"] = [0.5, -1, 1e300]
    records["name"] = ["h\u00e9", "", "world"]
    records["tag"] = [b"ab", b"", b"x\0z"]
    records["ok"] = [True, False, True]
    records["grid"] = np.arange(12).reshape(3, 2, 2)
    records["in"]["a"] = [7, 8, 9]
    records["in"]["z"] = [1 + 2j, 0, -1j]
    records["t"] = [0, 1, 2]
    return records


def npy_arrays():
    """Name -> array of everything that is supported."""
    grid = np.arange(24).reshape(2, 3, 4)
    arrays = {
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 3), "f4"),
        "bool": np.array([True, False]),
        "fortran": np.asfortranarray(grid.astype("<f4")),
        "fortran_big": np.asfortranarray(grid.astype(">i8")),
        "fortran_text": np.asfortranarray(np.array([["a", "b\u00df"], ["", "dd"]])),
        "complex": np.array([1 + 2j, -3j], "c8"),
        "complex_big": np.array([1 + 2j, -3j], ">c8"),
        "complex128": np.array([1 + 2j, -3j]),
        "text": np.array([["a", "gr\u00f6\u00dfe"], ["", "xyz"]]),
        "text_big": np.array(["ab", "\U0001f600"], ">U2"),
        "text_scalar": np.array("one"),
        "bytes": np.array([b"ab", b"", b"x\0y"]),
        "date": np.array(["2020-01-01", "NaT"], "M8[D]"),
        "delta": np.array([1, -5], "m8[25us]"),
        "void": np.array([b"\1\2\3\4", b"abcd"], "V4"),
        "records": record_array(),
        "records_padded": np.zeros(2, np.dtype([("a", "u1"), ("b", "<f8"), ("c", "<u2")], align=True)),
        "records_fortran": np.asfortranarray(np.resize(record_array(), (2, 3))),
        "records_unicode": np.array([(1, 2)], [("gr\u00f6\u00dfe", "<i4"), ("\u65e5\u672c", "<i4")]),
        "records_empty": record_array()[:0],
        "rank_32": np.ones((1,) * 32, "i2"),
    }
    for order in "<>":
        for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8"):
            arrays[f"{kind}_{'big' if order == '>' else 'little'}"] = (np.arange(6).reshape(2, 3) * 37 - 50).astype(order + kind)
    for kind in ("i1", "u1"):
        arrays[kind] = np.arange(5).astype(kind)
    return arrays


def npy_seeds(folder):
    small = ("scalar", "empty", "fortran_big", "text", "bytes", "date", "void", "records", "records_padded",
             "records_unicode", "fortran_text", "complex128", "bool")  # fmt: skip
    arrays = npy_arrays()
    for name in small:
        np.save(folder / f"{name}.npy", arrays[name])
    for version in ((2, 0), (3, 0)):
        with open(folder / f"version{version[0]}.npy", "wb") as file:
            np.lib.format.write_array(file, arrays["i4_little"], version)
    np.savez(folder / "stored.npz", a=arrays["i4_little"], text=arrays["text"])
    np.savez_compressed(folder / "deflated.npz", zeros=np.zeros((40, 3), "f4", "F"), records=arrays["records"])
    with zipfile.ZipFile(folder / "plain_zip.npz", "w") as archive:  # without zip64
        archive.write(folder / "bool.npy", "bool.npy")


def arrow_table():
    """Every supported type, with and without nulls."""
    table = pa.table(
        {
            "i8": pa.array([1, None, -3, 4], pa.int8()),
            "u64": pa.array([1, None, 2**64 - 1, 0], pa.uint64()),
            "f16": pa.array([1.5, None, -2, 0], pa.float16()),
            "f32": pa.array([0.5, 1, 2, 3], pa.float32()),
            "f64": pa.array([None, None, 1e300, 0.1]),
            "ok": pa.array([True, None, False, True]),
            "text": pa.array(["a", None, "gr\u00f6\u00dfe", ""]),
            "large": pa.array([None, "x", "", "yz"], pa.large_utf8()),
            "bytes": pa.array([b"\xff", None, b"", b"ab"]),
            "large bytes": pa.array([b"1", b"2", None, b"3"], pa.large_binary()),
            "fixed": pa.array([b"abc", None, b"xyz", b"\0\0\0"], pa.binary(3)),
            "day": pa.array([1, None, 3, 4], pa.date32()),
            "time": pa.array([1, None, 3, 4], pa.time64("ns")),
            "stamp": pa.array([1, None, 3, 4], pa.timestamp("us", "UTC")),
            "span": pa.array([1, None, 3, 4], pa.duration("ms")),
        },
        metadata={"k": "v\u00e9"},
    )
    required = pa.field("n", pa.int32(), nullable=False, metadata={"unit": "mm"})
    return table.append_column(required, pa.array([1, 2, 3, 4], pa.int32()))


def write_arrow(path, table, stream=False, rows=None):
    maker = pa.ipc.new_stream if stream else pa.ipc.new_file
    with maker(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)


def arrow_seeds(folder):
    table = arrow_table()
    write_arrow(folder / "file.arrow", table)
    write_arrow(folder / "stream.arrows", table, stream=True)
    write_arrow(folder / "batches.arrow", table.select(["f64", "ok", "text"]), rows=1)
    write_arrow(folder / "sliced.arrows", table.select(["ok", "text", "fixed"]).slice(1, 2), stream=True)
    write_arrow(folder / "empty.arrow", table.select(["n"]).slice(0, 0))
    write_arrow(folder / "numbers.arrow", table.select(["n", "f32"]))


def main():
    for name, make in (("gguf", gguf_seeds), ("npy", npy_seeds), ("arrow", arrow_seeds)):
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)


if __name__ == "__main__":
    main()
