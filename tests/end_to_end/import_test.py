"""Foreign formats against the packages that own them: numpy, gguf, pyarrow, safetensors."""

import json
import math
import pathlib
import random
import struct
import sys
import unittest
import zipfile

import program

try:
    import gguf
    import numpy as np
    import pyarrow as pa
    import safetensors.numpy

    sys.path.insert(0, str(program.ROOT / "tests"))
    import import_seeds
    from metatensor_reader import MetatensorFile
except ImportError as error:
    print(f"skipped: {error}; bin/setup installs the packages")
    sys.exit(0)

SEEDS = program.ROOT / "fuzz" / "seeds"


def plain(value):
    """Python values that compare by their repr: NaN equals NaN, records are dicts of their fields."""
    if isinstance(value, (np.ndarray, list, tuple)) and not isinstance(value, np.void):
        return [plain(item) for item in value]
    if isinstance(value, np.void):
        if value.dtype.names is None:
            return {"bytes": list(bytes(value))}
        return {name: plain(value[name]) for name in value.dtype.names}
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return int(value.view("i8"))
    if isinstance(value, (complex, np.complexfloating)):
        return {"real": float(value.real), "imag": float(value.imag)}
    return value.item() if isinstance(value, np.generic) else value


def plain_fields(value):
    """As `plain`, for the fields of a record: raw bytes are numbers there, not a record of their own."""
    return {name: list(bytes(field)) if isinstance(field, np.void) and field.dtype.names is None else plain(field)
            for name, field in ((name, value[name]) for name in value.dtype.names)}  # fmt: skip


def numpy_items(array):
    """What a struct or blob tensor made of `array` must hold, in row-major order."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype.names is not None:
        return [plain_fields(record) for record in flat]
    return [plain(item) for item in flat]


def arrow_rows(table):
    """The rows of a table with dates and times as the integers that are stored."""
    columns = {}
    for field, column in zip(table.schema, table.columns):
        if pa.types.is_temporal(field.type):
            column = column.cast(pa.int32() if field.type.bit_width == 32 else pa.int64())
        values = column.to_pylist()
        if pa.types.is_fixed_size_binary(field.type):
            values = [None if value is None else list(value) for value in values]
        if pa.types.is_float16(field.type):
            values = [None if value is None else float(value) for value in values]
        columns[field.name] = values
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def read_arrow(path):
    with open(path, "rb") as file:
        is_file = file.read(6) == b"ARROW1"
    with pa.OSFile(str(path)) as source:
        return (pa.ipc.open_file if is_file else pa.ipc.open_stream)(source).read_all()


# Dequantisation by the formulas of ggml-quants.c, from the named fields that we make of the blocks.
def halves(packed):
    """Low, then high four bits of each byte, along a new axis before the last."""
    return np.stack([packed & 15, packed >> 4], axis=-2)


def fifth_bits(qh):
    """32 bits of 4 bytes."""
    return (np.ascontiguousarray(qh).view("<u4") >> np.arange(32, dtype="u4") & 1).astype("i4")


def scales_and_minimums(packed):
    """The eight 6-bit scales and minimums that Q4_K and Q5_K pack into 12 bytes."""
    q = packed.astype("i4")
    scales = [q[..., j] & 63 if j < 4 else q[..., j + 4] & 15 | q[..., j - 4] >> 6 << 4 for j in range(8)]
    minimums = [q[..., j + 4] & 63 if j < 4 else q[..., j + 4] >> 4 | q[..., j] >> 6 << 4 for j in range(8)]
    return np.stack(scales, -1).astype("f4"), np.stack(minimums, -1).astype("f4")


def q4_nibbles(fields):
    return halves(fields["qs"]).reshape(*fields["qs"].shape[:-1], 32).astype("i4")


def f32(field):
    return field.astype("f4")[..., None]


def q4_0(b):
    return f32(b["d"]) * (q4_nibbles(b) - 8)


def q4_1(b):
    return f32(b["d"]) * q4_nibbles(b) + f32(b["m"])


def q5_0(b):
    return f32(b["d"]) * ((q4_nibbles(b) | fifth_bits(b["qh"]) << 4) - 16)


def q5_1(b):
    return f32(b["d"]) * (q4_nibbles(b) | fifth_bits(b["qh"]) << 4) + f32(b["m"])


def q8_0(b):
    return f32(b["d"]) * b["qs"].astype("f4")


def two_bits(qs):
    """64 bytes -> 256 values: 2 halves of 4 shifts of 32 bytes."""
    part = qs.reshape(*qs.shape[:-1], 2, 1, 32) >> np.array([0, 2, 4, 6], "u1")[:, None] & 3
    return part.reshape(*qs.shape[:-1], 16, 16).astype("f4")


def q2_k(b):
    scale = f32(b["d"]) * (b["scales"] & 15)
    minimum = f32(b["dmin"]) * (b["scales"] >> 4)
    return (scale[..., None] * two_bits(b["qs"]) - minimum[..., None]).reshape(*b["d"].shape, 256)


def q3_k(b):
    low = b["scales"].astype("i4")
    scale = [
        (low[..., j % 8] >> (0 if j < 8 else 4) & 15) | (low[..., 8 + j % 4] >> 2 * (j // 4) & 3) << 4 for j in range(16)
    ]
    scale = f32(b["d"]) * (np.stack(scale, -1) - 32)
    mask = b["hmask"].reshape(*b["hmask"].shape[:-1], 1, 32) >> np.arange(8, dtype="u1")[:, None] & 1
    high = 4 * (1 - mask.astype("f4")).reshape(*b["d"].shape, 16, 16)
    return (scale[..., None] * (two_bits(b["qs"]) - high)).reshape(*b["d"].shape, 256)


def q4_values(qs):
    """128 bytes -> 8 groups of 32: low, then high bits of each 32 bytes."""
    return halves(qs.reshape(*qs.shape[:-1], 4, 32)).reshape(*qs.shape[:-1], 8, 32).astype("i4")


def k_blocks(b, values):
    scales, minimums = scales_and_minimums(b["scales"])
    result = (f32(b["d"]) * scales)[..., None] * values - (f32(b["dmin"]) * minimums)[..., None]
    return result.reshape(*b["d"].shape, 256)


def q4_k(b):
    return k_blocks(b, q4_values(b["qs"]))


def q5_k(b):
    high = b["qh"].reshape(*b["qh"].shape[:-1], 1, 32) >> np.arange(8, dtype="u1")[:, None] & 1
    return k_blocks(b, q4_values(b["qs"]) | high.astype("i4") << 4)


def q6_k(b):
    shape = b["d"].shape
    ql = halves(b["ql"].reshape(*shape, 2, 1, 64)).reshape(*shape, 2, 4, 32).astype("i4")
    qh = b["qh"].reshape(*shape, 2, 1, 32) >> np.array([0, 2, 4, 6], "u1")[:, None] & 3
    values = (ql | qh.astype("i4") << 4) - 32
    scale = f32(b["d"]) * b["scales"].astype("f4")
    return (scale[..., None] * values.reshape(*shape, 16, 16)).reshape(*shape, 256)


DEQUANTISE = {"Q4_0": q4_0, "Q4_1": q4_1, "Q5_0": q5_0, "Q5_1": q5_1, "Q8_0": q8_0,
              "Q2_K": q2_k, "Q3_K": q3_k, "Q4_K": q4_k, "Q5_K": q5_k, "Q6_K": q6_k}  # fmt: skip


class ImportTest(program.ProgramTest):
    def convert(self, source, name="out.mt", *flags):
        """The finished process and the path of what it wrote."""
        target = self.folder / name
        target.unlink(missing_ok=True)
        return program.run("-q", "tensor", "convert", str(source), str(target), *flags), target

    def converted(self, source, name="out.mt", *flags):
        process, target = self.convert(source, name, *flags)
        self.assertEqual(process.returncode, 0, process.stderr.decode())
        return target

    def imported(self, source):
        """The file as our reader of the specification sees it; `verify` finds no fault."""
        target = self.converted(source, "out.mt", "--checksums")
        verified = program.run("tensor", "verify", str(target))
        self.assertEqual(verified.returncode, 0, verified.stdout.decode())
        return MetatensorFile(target)

    def refused(self, source, code, *words):
        process, target = self.convert(source, "out.mt", "--json")
        self.assert_fails(process, 1, *words)
        self.assertEqual(json.loads(process.stdout)["error"]["code"], code)
        self.assertFalse(target.exists())
        self.assertEqual([path.name for path in self.folder.iterdir() if "alknet" in path.name], [])

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def assert_array(self, ours, theirs):
        theirs = np.asarray(theirs)
        self.assertEqual(ours.shape, theirs.shape)
        self.assertEqual(np.ascontiguousarray(ours).tobytes(), np.ascontiguousarray(theirs).tobytes())

    # What an import must hold, by the package that owns the format.
    def check_gguf(self, file, path):
        reader = gguf.GGUFReader(path)
        tensors = {str(tensor.name): tensor for tensor in reader.tensors}
        texts = {}
        for key, field in reader.fields.items():
            if key.startswith("GGUF."):
                continue
            if f"gguf.{key}" in file.names() and file.item_node(f"gguf.{key}") == {"TypeDef:Blob": {"item": {"TypeDef:Bytes": True}}}:
                texts[f"gguf.{key}"] = [bytes(field.parts[i]) for i in field.data]  # some are not UTF-8
                continue
            value = field.contents()
            if field.types == [gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.STRING] or (
                field.types[0] == gguf.GGUFValueType.ARRAY and f"gguf.{key}" in file.names()
            ):
                texts[f"gguf.{key}"] = value
                continue
            found = json.loads(file.user_metadata()[f"gguf.{key}"])
            if gguf.GGUFValueType.FLOAT32 in field.types:
                found = np.array(self.floats(found), "f4").tolist()
                value = np.array(value, "f4").tolist()
            elif gguf.GGUFValueType.FLOAT64 in field.types:
                found = np.array(self.floats(found), "f8").tolist()
            self.assertEqual(repr(found), repr(value), key)
        self.assertEqual(set(file.names()), set(tensors) | set(texts))
        for name, value in texts.items():
            self.assertEqual(file.items(name), value)
        for name, tensor in tensors.items():
            self.assertEqual(file.raw(name), tensor.data.tobytes(), name)
            logical = list(reversed(tensor.shape.tolist()))
            if tensor.tensor_type.name in DEQUANTISE:
                node = file.tensor_node(name)
                values, size = gguf.GGML_QUANT_SIZES[tensor.tensor_type]
                self.assertEqual(node["block"], {"values": values, "axis": -1})
                self.assertEqual(node["shape"], logical[:-1] + [logical[-1] // values])
                self.assertEqual(file.item_node(name)["title"], tensor.tensor_type.name)
            else:
                self.assertEqual(file.entries[name]["dtype"], tensor.tensor_type.name)
                self.assertEqual(file.entries[name]["shape"], logical)
        return len(file.user_metadata())

    @staticmethod
    def floats(value):
        return [float(item) for item in value] if isinstance(value, list) else float(value)

    def check_npy(self, file, name, array):
        self.assertEqual(file.entries[name]["shape"][: array.ndim], list(array.shape))
        if file.is_items(name):
            self.assertEqual(repr(file.items(name)), repr(numpy_items(array)), name)
        else:
            if array.dtype.kind == "b":
                array = array.view("u1") != 0  # every byte but 0 is true
            if array.dtype.kind in "mM":
                array = array.view(array.dtype.str.replace(array.dtype.str[1:], "i8"))
            self.assert_array(file.flat(name), array.astype(array.dtype.newbyteorder("<")))

    def check_numpy(self, file, path):
        loaded = np.load(path)
        if isinstance(loaded, np.ndarray):
            self.assertEqual(file.names(), [pathlib.Path(path).stem])
            return self.check_npy(file, file.names()[0], loaded)
        self.assertEqual(set(file.names()), set(loaded.files))
        for name in loaded.files:
            self.check_npy(file, name, loaded[name])

    def check_arrow(self, file, path):
        table = read_arrow(path)
        self.assertEqual(file.names(), ["table"])
        self.assertEqual(repr(file.items("table")), repr(arrow_rows(table)))
        metadata = {f"arrow.{k.decode()}": v.decode() for k, v in (table.schema.metadata or {}).items()}
        for field in table.schema:
            for key, value in (field.metadata or {}).items():
                metadata[f"arrow.field.{field.name}.{key.decode()}"] = value.decode()
        self.assertEqual(file.user_metadata(), metadata)

    def check(self, file, path):
        checks = {"gguf": self.check_gguf, "npy": self.check_numpy, "arrow": self.check_arrow}
        checks[path.parent.name if path.parent.name in checks else path.suffix[1:].removesuffix("s")](file, path)

    def test_every_seed_holds_what_its_package_reads(self):
        for path in sorted(SEEDS.glob("*/*.*")):
            if path.parent.name in ("gguf", "npy", "arrow") and path.suffix:
                with self.subTest(seed=path.name):
                    self.check(self.imported(path), path)

    def test_mutated_files_are_refused_or_read_as_their_package_does(self):
        chance = random.Random(20)
        accepted = 0
        for path in sorted(SEEDS.glob("*/*.*")):
            if path.parent.name not in ("gguf", "npy", "arrow") or not path.suffix:
                continue
            folder = self.folder / path.parent.name
            folder.mkdir(exist_ok=True)
            content = path.read_bytes()
            for _ in range(12):
                mutated = bytearray(content)
                for _ in range(chance.choice((1, 1, 2, 8))):
                    place = chance.randrange(len(mutated))
                    mutated[place] = chance.choice((mutated[place] ^ 1 << chance.randrange(8), 0, 255, chance.randrange(256)))
                victim = folder / path.name
                victim.write_bytes(mutated)
                process, target = self.convert(victim)
                self.assertIn(process.returncode, (0, 1), process.stderr.decode())
                if process.returncode == 1:
                    continue
                accepted += 1
                with self.subTest(seed=path.name, bytes=bytes(mutated)):
                    self.check(MetatensorFile(target), victim)
        self.assertGreater(accepted, 50)

    # GGUF
    def test_decoded_blocks_have_the_values_that_gguf_dequantises(self):
        path = self.folder / "model.gguf"
        kinds = import_seeds.QUANTISED + import_seeds.RANDOM_BLOCKS
        import_seeds.write_gguf(path, kinds, rows=5, rng=np.random.default_rng(7))
        file = self.imported(path)
        self.check_gguf(file, path)
        tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
        for kind in kinds:
            name = f"w.{kind.name}"
            expected = gguf.quants.dequantize(tensors[name].data, kind)
            found = DEQUANTISE[kind.name](file.columns(name)).reshape(5, -1)
            self.assertGreater(np.abs(expected).max(), 0)
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-6, err_msg=kind.name)

    def test_gguf_info_shows_logical_shapes(self):
        path = self.folder / "model.gguf"
        import_seeds.write_gguf(path, [gguf.GGMLQuantizationType.Q4_1], rows=3)
        facts = program.document("tensor", "info", str(self.converted(path)))
        shapes = {tensor["name"]: tensor["shape"] for tensor in facts["tensors"]}
        self.assertEqual(shapes["w.Q4_1"], [3, 64])
        self.assertEqual(facts["metadata"]["gguf.general.architecture"], '"llama"')

    def gguf_file(self, pairs=b"", pair_count=0, tensors=b"", tensor_count=0, version=3, data=b""):
        head = b"GGUF" + struct.pack("<IQQ", version, tensor_count, pair_count) + pairs + tensors
        return self.write("hostile.gguf", head + bytes(-len(head) % 32) + data)

    def test_hostile_gguf_files_are_refused(self):
        text = lambda value: struct.pack("<Q", len(value)) + value  # noqa: E731
        tensor = lambda name, dims, kind=0, offset=0: (  # noqa: E731
            text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        )
        alignment = lambda value: text(b"general.alignment") + struct.pack("<II", 4, value)  # noqa: E731
        nested = text(b"k") + struct.pack("<IIQIQ", 9, 9, 1, 4, 0)
        huge_array = text(b"k") + struct.pack("<IIQ", 9, 4, 2**61)
        huge_strings = text(b"k") + struct.pack("<IIQ", 9, 8, 2**60)
        four = bytes(4)
        cases = [
            ("unsupported_version", dict(version=1)),
            ("import_unsupported", dict(version=3 << 24)),
            ("too_many_entries", dict(tensor_count=2**40)),
            ("import_truncated", dict(tensor_count=999_999)),
            ("import_truncated", dict(pair_count=1000)),
            ("import_invalid", dict(pairs=alignment(0), pair_count=1)),
            ("import_invalid", dict(pairs=alignment(24), pair_count=1)),
            ("duplicate_key", dict(pairs=alignment(32) * 2, pair_count=2)),
            ("import_unsupported", dict(pairs=nested, pair_count=1)),
            ("import_truncated", dict(pairs=huge_array, pair_count=1)),
            ("import_truncated", dict(pairs=huge_strings, pair_count=1)),
            ("import_invalid", dict(pairs=struct.pack("<Q", 2**63), pair_count=1, data=bytes(64))),
            ("import_invalid", dict(pairs=text(b"k") + struct.pack("<IB", 7, 2), pair_count=1, data=bytes(64))),
            ("duplicate_key", dict(tensors=tensor(b"a", [1]) * 2, tensor_count=2, data=four)),
            ("size_overflow", dict(tensors=tensor(b"a", [2**32, 2**32]), tensor_count=1)),
            ("size_overflow", dict(tensors=tensor(b"a", [2**63, 2]), tensor_count=1)),
            ("rank_too_large", dict(tensors=tensor(b"a", [1] * 33), tensor_count=1)),
            ("unknown_dtype", dict(tensors=tensor(b"a", [1], 99), tensor_count=1, data=four)),
            ("import_unsupported", dict(tensors=tensor(b"a", [256], 16), tensor_count=1, data=bytes(66))),
            ("import_invalid", dict(tensors=tensor(b"a", [33], 2), tensor_count=1, data=bytes(36))),
            ("import_invalid", dict(tensors=tensor(b"a", [1], 0, 4), tensor_count=1, data=bytes(64))),
            ("offset_out_of_range", dict(tensors=tensor(b"a", [1], 0, 32), tensor_count=1, data=four)),
            ("offset_out_of_range", dict(tensors=tensor(b"a", [1], 0, 2**64 - 32), tensor_count=1, data=four)),
            ("offset_overlap", dict(tensors=tensor(b"a", [1]) + tensor(b"b", [1]), tensor_count=2, data=four)),
            ("bad_name", dict(tensors=tensor(b"", [1]), tensor_count=1, data=four)),
            ("bad_name", dict(tensors=tensor(b"__pad__.0", [1]), tensor_count=1, data=four)),
        ]
        for code, parts in cases:
            with self.subTest(code=code, parts=parts):
                self.refused(self.gguf_file(**parts), code)

    def test_gguf_strings_that_are_not_utf8_become_bytes(self):
        value = struct.pack("<Q", 1) + b"k" + struct.pack("<IIQQ", 9, 8, 1, 1) + b"\xff"
        file = self.imported(self.gguf_file(pairs=value, pair_count=1))
        self.assertEqual(file.items("gguf.k"), [b"\xff"])

    # NumPy
    def test_every_supported_numpy_array_survives(self):
        for name, array in import_seeds.npy_arrays().items():
            with self.subTest(array=name):
                path = self.folder / f"{name}.npy"
                np.save(path, array)
                self.check_numpy(self.imported(path), path)

    def test_archives_stored_and_deflated(self):
        for save in (np.savez, np.savez_compressed):
            path = self.folder / "all.npz"
            save(path, **import_seeds.npy_arrays())
            self.check_numpy(self.imported(path), path)

    def test_large_fortran_arrays_are_transposed_in_tiles(self):
        for shape in ((3000, 2111), (3, 300_000, 2), (5, 7, 11, 13, 17, 19), (4_500_000, 2)):
            array = np.asfortranarray(np.arange(math.prod(shape), dtype=">f8").reshape(shape))
            np.savez(self.folder / "a.npz", a=array)
            np.save(self.folder / "a.npy", array)
            for name in ("a.npz", "a.npy"):
                with self.subTest(shape=shape, name=name):
                    self.check_npy(MetatensorFile(self.converted(self.folder / name)), "a", array)

    def npy(self, header, data=b"", version=1, name="hostile.npy"):
        text = header.encode() if isinstance(header, str) else header
        length = struct.pack("<H" if version == 1 else "<I", len(text))
        return self.write(name, b"\x93NUMPY" + bytes([version, 0]) + length + text + data)

    def test_hostile_npy_files_are_refused(self):
        head = "{'descr': %s, 'fortran_order': False, 'shape': %s}"
        cases = [
            ("import_unsupported", self.npy, (head % ("'|O'", "(1,)"), bytes(8))),
            ("import_unsupported", self.npy, (head % ("[('a', '|O')]", "(1,)"), bytes(8))),
            ("import_unsupported", self.npy, (head % ("'<f16'", "(1,)"), bytes(16))),
            ("import_unsupported", self.npy, (head % ("'<f4'", "(1,)"), bytes(4), 4)),
            ("import_invalid", self.npy, (head % ("'<f4x'", "(1,)"), bytes(4))),
            ("import_invalid", self.npy, (head % ("'<f4'", "(-1,)"), bytes(4))),
            ("import_invalid", self.npy, (head % ("'<f4'", "(True,)"), bytes(4))),
            ("import_invalid", self.npy, (head % ("'<f4'", "[1]"), bytes(4))),
            ("import_invalid", self.npy, ("__import__('os').system('true')",)),
            ("import_invalid", self.npy, ("(" * 10_000,)),
            ("import_invalid", self.npy, (b"\xff" * 40, b"", 3)),
            ("import_invalid", self.npy, (head % ("[('a', '<f4'), ('a', '<f4')]", "(1,)"), bytes(8))),
            ("import_unsupported", self.npy, (head % ("'|V99999999'", "(0,)"),)),
            ("import_unsupported", self.npy, (head % ("[('a', '<f4', (99999, 99999))]", "(0,)"),)),
            ("import_truncated", self.npy, (head % ("'<f4'", "(2,)"), bytes(4))),
            ("import_truncated", self.npy, (head % ("'<f4'", "(1000000000000,)"), bytes(4))),
            ("trailing_bytes", self.npy, (head % ("'<f4'", "(1,)"), bytes(5))),
            ("size_overflow", self.npy, (head % ("'<f8'", "(4294967296, 4294967296)"),)),
            ("size_overflow", self.npy, (head % ("'<f8'", "(9223372036854775807,)"),)),
            ("import_invalid", self.npy, (head % ("'<f8'", "(9223372036854775808,)"),)),
            ("rank_too_large", self.npy, (head % ("'<f8'", str((1,) * 33)), bytes(8))),
            ("import_invalid", self.npy, (head % ("'<U1'", "(1,)"), struct.pack("<I", 0xD800))),
        ]
        for code, make, arguments in cases:
            with self.subTest(code=code, arguments=arguments):
                self.refused(make(*arguments), code)
        self.refused(self.write("long.npy", b"\x93NUMPY\2\0" + struct.pack("<I", 2**31)), "import_invalid")

    def test_hostile_archives_are_refused(self):
        np.save(self.folder / "a.npy", np.zeros(1000))
        path = self.folder / "a.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(self.folder / "a.npy", "a.npy")
        good = path.read_bytes()
        directory = good.rindex(b"PK\1\2")
        (size,) = struct.unpack_from("<I", good, directory + 24)

        def patched(name, place, value):
            """The archive with a number replaced in the directory and in the member's own header."""
            content = bytearray(good)
            struct.pack_into("<I", content, directory + place, value)
            struct.pack_into("<I", content, place - 2, value)
            return self.write(name, content)

        self.refused(patched("bomb.npz", 24, 2**31), "import_invalid", "deflate cannot")
        self.refused(patched("longer.npz", 24, size + 8), "trailing_bytes")
        self.refused(patched("crc.npz", 16, 0), "import_invalid", "CRC")
        differing = good[: directory + 24] + struct.pack("<I", size + 8) + good[directory + 28 :]
        self.refused(self.write("differing.npz", differing), "import_invalid", "inconsistent")
        self.refused(self.write("short.npz", good[:-30]), "import_invalid")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "hello")
        self.refused(path, "import_unsupported", "readme.txt")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", "no array")
        self.refused(path, "import_invalid", "x.npy")

    def test_numpy_export_is_read_by_numpy(self):
        arrays = import_seeds.npy_arrays()
        kept = {name: array for name, array in arrays.items() if array.dtype.kind not in "USmM"}
        np.savez(self.folder / "in.npz", **kept)
        self.converted(self.folder / "in.npz", "out.mt")
        loaded = np.load(self.converted(self.folder / "out.mt", "out.npz"))
        self.assertEqual(set(loaded.files), set(kept))
        for name, array in kept.items():
            with self.subTest(array=name):
                self.assertEqual(loaded[name].shape, array.shape)
                if array.dtype.names is None and array.dtype.kind != "V" and array.dtype != np.complex128:
                    self.assert_array(loaded[name], array.astype(array.dtype.newbyteorder("<")))
                    continue
                expected = repr(numpy_items(array)).replace("\u00e9", "\\xc3\\xa9")
                for record, theirs in zip(loaded[name].reshape(-1), numpy_items(array)):
                    found = plain_fields(record)
                    theirs = {k: v.encode() if isinstance(v, str) else v for k, v in theirs.items()}
                    self.assertEqual(repr(found), repr(theirs), expected)
        direct = np.load(self.converted(self.folder / "in.npz", "direct.npz"))
        self.assert_array(direct["fortran"], kept["fortran"])
        single = np.load(self.converted(self.folder / "out.mt", "one.npy", "--tensor", "fortran"))
        self.assert_array(single, kept["fortran"])

    def test_numpy_export_refuses_what_numpy_lacks(self):
        safetensors.numpy.save_file({"a": np.zeros(2, "f4"), "../x": np.zeros(2, "f4")}, self.folder / "two.safetensors")
        process, _ = self.convert(self.folder / "two.safetensors", "out.npz")
        self.assert_fails(process, 1, "leads out of the folder")
        process, _ = self.convert(self.folder / "two.safetensors", "out.npy")
        self.assert_fails(process, 1, "--tensor")
        header = b'{"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
        path = self.write("bf16.safetensors", struct.pack("<Q", len(header)) + header + b"\x80\x3f\0\x40")
        process, target = self.convert(path, "out.npz")
        self.assert_fails(process, 1, "BF16", "--bits")
        self.assertFalse(target.exists())
        self.assertEqual(np.load(self.converted(path, "out.npz", "--bits"))["b"].tolist(), [0x3F80, 0x4000])
        texts = self.converted(SEEDS / "npy" / "text.npy")
        process, _ = self.convert(texts, "out.npz")
        self.assert_fails(process, 1, "blobs", ".safetensors")
        process, _ = self.convert(self.converted(SEEDS / "arrow" / "numbers.arrow"), "out.npz")
        self.assert_fails(process, 1, "absent")

    # Arrow
    def test_arrow_tables_of_many_batches_and_slices(self):
        table = import_seeds.arrow_table()
        long = pa.concat_tables([table.slice(i % 3) for i in range(40)])
        for stream in (False, True):
            for rows in (1, 7, None):
                path = self.folder / "t.arrow"
                import_seeds.write_arrow(path, long.slice(3, 90), stream, rows)
                with self.subTest(stream=stream, rows=rows):
                    self.check_arrow(self.imported(path), path)

    def test_arrow_tables_larger_than_a_window(self):
        count = 300_000
        rng = np.random.default_rng(5)
        values = pa.array(rng.standard_normal(count), mask=rng.random(count) < 0.3)
        texts = pa.array([None if i % 5 == 0 else "x" * (i % 23) for i in range(count)])
        flags = pa.array(rng.random(count) < 0.5, mask=rng.random(count) < 0.3)
        path = self.folder / "t.arrow"
        import_seeds.write_arrow(path, pa.table({"v": values, "t": texts, "f": flags}))
        self.check_arrow(MetatensorFile(self.converted(path)), path)

    def test_arrow_features_without_counterpart_are_refused(self):
        cases = {
            "list": pa.array([[1], [2]]),
            "struct": pa.array([{"a": 1}]),
            "dictionary": pa.array(["a", "b"]).dictionary_encode(),
            "null": pa.nulls(2),
            "decimal": pa.array([1, 2], pa.decimal128(5)),
            "view": pa.array(["a"], pa.string_view()),
            "interval": pa.array([pa.MonthDayNano([1, 2, 3])]),
        }
        for name, column in cases.items():
            with self.subTest(name=name):
                import_seeds.write_arrow(self.folder / "t.arrow", pa.table({"column": column}))
                self.refused(self.folder / "t.arrow", "import_unsupported", "column", name if name != "null" else "null")
        table = pa.table({"a": np.zeros(1000)})
        for codec in ("lz4", "zstd"):
            options = pa.ipc.IpcWriteOptions(compression=codec)
            with pa.ipc.new_file(str(self.folder / "c.arrow"), table.schema, options=options) as writer:
                writer.write_table(table)
            self.refused(self.folder / "c.arrow", "import_unsupported", "without compression")
        twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
        import_seeds.write_arrow(self.folder / "t.arrow", twice)
        self.refused(self.folder / "t.arrow", "import_unsupported", "twice")

    # Sharded models
    def sharded(self, index=None, **shards):
        folder = self.folder / "model"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        weight_map = {}
        for shard, tensors in shards.items():
            safetensors.numpy.save_file(tensors, folder / f"{shard}.safetensors", metadata={"format": "pt"})
            weight_map |= {name: f"{shard}.safetensors" for name in tensors}
        weight_map |= index or {}
        document = {"metadata": {"total_size": 1}, "weight_map": weight_map}
        (folder / "model.safetensors.index.json").write_text(json.dumps(document))
        return folder

    def test_sharded_models_equal_what_safetensors_reads(self):
        rng = np.random.default_rng(2)
        tensors = {f"layers.{i}.weight": rng.standard_normal((4, 3)).astype("f4") for i in range(6)}
        names = sorted(tensors)
        parts = {f"model-0000{i}-of-00003": {name: tensors[name] for name in names[i::3]} for i in range(3)}
        folder = self.sharded(**parts)
        for source in (folder, folder / "model.safetensors.index.json"):
            file = self.imported(source)
            self.assertEqual(sorted(file.names()), names)
            self.assertEqual(file.user_metadata(), {})
            for name in names:
                self.assert_array(file.flat(name), tensors[name])
        whole = safetensors.numpy.load_file(self.converted(folder, "whole.safetensors"))
        for name in names:
            self.assert_array(whole[name], tensors[name])

    def test_bad_sharded_models_are_refused(self):
        one = {"a": np.zeros(2, "f4")}
        two = {"b": np.zeros(2, "f4")}
        self.refused(self.sharded({"c": "x.safetensors"}, x=one), "entry_missing", '"c"')
        self.refused(self.sharded({"c": "y.safetensors"}, x=one), "io_error", "y.safetensors")
        self.refused(self.sharded({"c": "../y.safetensors"}, x=one), "bad_path")
        self.refused(self.sharded({"c": "/etc/passwd"}, x=one), "bad_path")
        self.refused(self.sharded({"c": ".."}, x=one), "bad_path")
        self.refused(self.sharded({"a": 5}, x=one), "import_invalid")
        self.refused(self.sharded(x={**one, "c": np.zeros(1)}, y={**one, **two}), "duplicate_key", '"a"')
        folder = self.sharded(x=one, y=two)
        safetensors.numpy.save_file({**two, "extra": np.zeros(1)}, folder / "y.safetensors")
        self.refused(folder, "entry_extra", "extra")
        folder = self.sharded(x=one, y=two)
        safetensors.numpy.save_file(two, folder / "y.safetensors", metadata={"format": "np"})
        self.refused(folder, "duplicate_key", "format")
        (folder / "model.safetensors.index.json").write_text("[]")
        self.refused(folder, "import_invalid", "weight_map")

    # The command
    def test_convert_prints_a_summary(self):
        target = self.folder / "out.mt"
        document = program.document("tensor", "convert", str(SEEDS / "npy" / "bool.npy"), str(target))
        self.assertEqual(document, {"input": str(SEEDS / "npy" / "bool.npy"), "output": str(target), "from": "npy",
                                    "to": "metatensor", "tensors": 1, "bytes": target.stat().st_size})  # fmt: skip
        back = self.converted(target, "plain.bin", "--to", "safetensors")
        self.assertEqual(safetensors.numpy.load_file(back)["bool"].tolist(), [True, False])

    def test_wrong_requests_are_wrong_usage(self):
        seed = str(SEEDS / "npy" / "bool.npy")
        for arguments in (("out.xyz",), ("out.mt", "--to", "gguf"), ("out.npz", "--checksums"), ("out.mt", "--bits"),
                          ("out.npz", "--tensor", "a")):  # fmt: skip
            process = program.run("tensor", "convert", seed, str(self.folder / arguments[0]), *arguments[1:])
            self.assert_fails(process, 2)
        process, _ = self.convert(self.write("x.bin", b"what is this"))
        self.assert_fails(process, 1, "no known format")
        process, _ = self.convert(self.folder)
        self.assert_fails(process, 1, "no known format")

    def test_info_of_a_foreign_file_names_the_remedy(self):
        folder = self.sharded(x={"a": np.zeros(2, "f4")})
        for source in (folder, SEEDS / "gguf" / "flat.gguf", SEEDS / "arrow" / "file.arrow", SEEDS / "npy" / "stored.npz"):
            self.assert_fails(program.run("tensor", "info", str(source)), 1, "alknet tensor convert")

    def test_memory_does_not_grow_with_the_file(self):
        path = self.folder / "big.npy"
        with open(path, "wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (2**26,)})
            file.truncate(file.tell() + 2**28)
        limit = 200 << 20  # bytes of address space for data, less than the 256 MiB of the array

        def limited():
            import resource

            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        process = program.run("-q", "tensor", "convert", str(path), str(self.folder / "o.mt"), preexec_fn=limited)
        self.assertEqual(process.returncode, 0, process.stderr.decode())
        self.assertGreater((self.folder / "o.mt").stat().st_size, 2**28)


if __name__ == "__main__":
    unittest.main()
