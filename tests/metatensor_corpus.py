#!/usr/bin/env python3
"""Makes the corpus of sound and hostile metatensor files.

    metatensor_corpus.py FILES MANIFEST [--check]

Writes one file per case into the folder FILES and a JSON list into MANIFEST:
  name       the file
  open       "ok", or the error that opening it must give
  verify     codes that verifying it must give, sorted; only for files that open
  reference  what the safetensors package says of the same bytes: "ok" or the kind of its error (the rest of its
             message may name either of two entries)

With --check nothing is written: the status is 1 when what would be written differs from what is there. With --large
only the files marked "large" are written into FILES: they are too big to be kept.
Imports nothing of alknet: what the files mean is stated here a second time, on purpose.
"""

import json
import pathlib
import re
import struct
import sys
import tempfile

from safetensors import SafetensorError, safe_open

CASES = []
LARGE = set()  # names of cases whose files are not kept

DTYPE_BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32,
    "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}


def raw(text, data=b"", length=None):
    """The bytes of a file whose header is `text`, unpadded; `length` replaces the true one."""
    header = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def file(members, data=b"", align=64):
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()
    return raw(text + b" " * (-(8 + len(text)) % align), data)


def case(name, content, opens="ok", verify=(), large=False):
    CASES.append((name, content, opens, sorted(verify)))
    if large:
        LARGE.add(name)


F32 = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
U8 = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
FOUR = b"\0\0\x80\x3f"


def sound_files():
    case("no_entries", raw("{}"))
    case("no_entries_padded", raw("{}" + " " * 54))
    case("one_f32", file({"a": entry("F32", [1], 0, 4)}, FOUR))
    case("rank_0", file({"a": entry("F32", [], 0, 4)}, FOUR))
    case("rank_32", file({"a": entry("F32", [1] * 32, 0, 4)}, FOUR))
    case("zero_size", file({"a": entry("F32", [0], 0, 0), "b": entry("F32", [3, 0, 2], 0, 0)}))
    case("zero_size_between", file({"a": entry("U8", [2], 0, 2), "z": entry("I64", [0], 2, 2), "b": entry("U8", [1], 2, 3)}, b"abc"))
    members, offset, data = {}, 0, b""
    for dtype, bits in DTYPE_BITS.items():
        members[dtype] = entry(dtype, [2, 4], offset, offset + bits)  # 8 elements of `bits` bits
        offset += bits
        data += bytes(bits) if dtype == "BOOL" else bytes((7 * i + 3) % 251 for i in range(bits))
    case("every_dtype", file(members, data))
    case("file_order_differs", file({"b": entry("U8", [2], 2, 4), "a": entry("U8", [2], 0, 2)}, b"abcd"))
    case("white_space_inside", raw('{ "a" :\n{"dtype"\t: "F32", "shape":[ 1 ],\r "data_offsets" : [0 , 4] } }  ', FOUR))
    case("members_in_other_order", raw('{"a":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}', FOUR))
    case("escaped_name", raw(r'{"a\u002e\"\\\/\b\u00e9\ud83d\ude00":' + F32 + "}", FOUR))
    case("escaped_members", raw(r'{"a":{"d\u0074ype":"F\u00332","shape":[1],"data_offsets":[0,4]}}', FOUR))
    case("unicode_name", raw('{"größe.日本.😀":' + F32 + "}", FOUR))
    case("control_in_name", raw(r'{"a\n\u0001":' + F32 + "}", FOUR))
    case("longest_name", raw('{"' + "n" * 1024 + '":' + F32 + "}", FOUR))
    case("metadata", file({"__metadata__": {"format": "pt", "k": "v\n\"\u00e9"}, "a": entry("F32", [1], 0, 4)}, FOUR))
    case("metadata_only", file({"__metadata__": {"k": "v"}}))
    case("metadata_empty", file({"__metadata__": {}}))
    case("metadata_nul", raw(r'{"__metadata__":{"k":"a\u0000b"}}'))
    case("metadata_last", raw('{"a":' + F32 + ',"__metadata__":{"k":"v"}}', FOUR))
    case("unaligned_data", raw('{"a":' + F32 + "}", FOUR))
    case("plain_reserved_names", file({"__pad__.0": entry("U8", [1], 0, 1), "__blob__.x": entry("U8", [1], 1, 2)}, b"ab"))
    case("plain_metatensor_schema_ignored", file({"__metadata__": {"metatensor.schema": "nonsense"}}))


def header_faults():
    for size in (0, 1, 7):
        case(f"file_of_{size}_bytes", b"\x02\0\0\0\0\0\0"[:size], "header_too_small")
    case("header_of_0_bytes", struct.pack("<Q", 0) + b"{}", "header_too_small")
    case("header_of_1_byte", struct.pack("<Q", 1) + b"{}", "header_too_small")
    case("header_100000001", struct.pack("<Q", 100_000_001) + b"{}", "header_too_large")
    case("header_all_ones", b"\xff" * 8 + b"{}", "header_too_large")
    case("header_cut", raw('{"a":' + F32, length=60), "header_truncated")
    case("header_length_one_more", raw("{}", length=3), "header_truncated")
    case("header_only_prefix", struct.pack("<Q", 2), "header_truncated")
    case("not_json", raw("{not json}"), "header_invalid")
    case("starts_with_space", raw(" {}"), "header_invalid")
    case("starts_with_bracket", raw("[]"), "header_invalid")
    case("starts_with_bom", raw("\ufeff{}"), "header_invalid")
    case("only_spaces", raw("    "), "header_invalid")
    case("only_brace", raw("{ "), "header_invalid")
    case("trailing_newline", raw("{}\n"), "header_invalid")
    case("trailing_nul", raw("{}\0"), "header_invalid")
    case("trailing_text", raw("{} {}"), "header_invalid")
    case("trailing_comma", raw('{"a":' + U8 + ",}"), "header_invalid")
    case("missing_comma", raw('{"a":' + U8 + '"b":' + U8 + "}"), "header_invalid")
    case("missing_colon", raw('{"a"' + U8 + "}"), "header_invalid")
    case("unclosed", raw('{"a":' + U8), "header_invalid")
    case("unclosed_string", raw('{"a'), "header_invalid")
    case("bare_key", raw("{a:" + U8 + "}"), "header_invalid")
    case("bad_escape", raw(r'{"a\x":' + U8 + "}"), "header_invalid")
    case("bad_hex_escape", raw(r'{"a\u12g4":' + U8 + "}"), "header_invalid")
    case("lone_high_surrogate", raw(r'{"a\ud83d":' + U8 + "}"), "header_invalid")
    case("lone_low_surrogate", raw(r'{"a\ude00":' + U8 + "}"), "header_invalid")
    case("two_high_surrogates", raw(r'{"a\ud83d\ud83d":' + U8 + "}"), "header_invalid")
    case("raw_control_in_name", raw('{"a\n":' + U8 + "}"), "header_invalid")
    for name, sequence in {
        "utf8_cut": b"\xc3", "utf8_overlong": b"\xc0\xaf", "utf8_surrogate": b"\xed\xa0\x80",
        "utf8_too_large": b"\xf4\x90\x80\x80", "utf8_stray": b"\x80", "utf8_ff": b"\xff",
    }.items():
        case(name, raw(b'{"a' + sequence + b'":' + U8.encode() + b"}"), "header_invalid")
    case("utf8_bad_in_metadata", raw(b'{"__metadata__":{"k":"\xff"}}'), "header_invalid")
    case("metadata_number", raw('{"__metadata__":{"k":1}}'), "header_invalid")
    case("metadata_null_value", raw('{"__metadata__":{"k":null}}'), "header_invalid")
    case("metadata_array", raw('{"__metadata__":[]}'), "header_invalid")
    case("metadata_nested", raw('{"__metadata__":{"k":{"l":"m"}}}'), "header_invalid")
    case("entry_null", raw('{"a":null}'), "header_invalid")
    case("entry_array", raw('{"a":[]}'), "header_invalid")
    case("entry_empty", raw('{"a":{}}'), "header_invalid")
    case("no_dtype", raw('{"a":{"shape":[1],"data_offsets":[0,4]}}', FOUR), "header_invalid")
    case("no_shape", raw('{"a":{"dtype":"F32","data_offsets":[0,4]}}', FOUR), "header_invalid")
    case("no_offsets", raw('{"a":{"dtype":"F32","shape":[1]}}', FOUR), "header_invalid")
    for name, shape in {
        "shape_negative": "[-1]", "shape_float": "[1.0]", "shape_exponent": "[1e0]", "shape_string": '["1"]',
        "shape_null": "null", "shape_nested": "[[1]]", "shape_leading_zero": "[01]", "shape_object": "{}",
        "shape_trailing_comma": "[1,]", "shape_plus": "[+1]", "shape_true": "[true]",
    }.items():
        case(name, raw('{"a":{"dtype":"F32","shape":%s,"data_offsets":[0,4]}}' % shape, FOUR), "header_invalid")
    for name, offsets in {
        "offsets_one": "[0]", "offsets_three": "[0,4,8]", "offsets_negative": "[-4,0]", "offsets_float": "[0,4.0]",
        "offsets_string": '["0","4"]', "offsets_object": '{"begin":0}', "offsets_empty": "[]",
    }.items():
        case(name, raw('{"a":{"dtype":"F32","shape":[1],"data_offsets":%s}}' % offsets, FOUR), "header_invalid")
    case("dtype_number", raw('{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}', FOUR), "header_invalid")


def json_faults():
    case("deep_entry", raw('{"a":' + "[" * 100 + "]" * 100 + "}"), "json_too_deep")
    case("deep_metadata", raw('{"__metadata__":{"k":' + '{"x":' * 100 + "1" + "}" * 100 + "}}"), "json_too_deep")
    case("deep_unclosed", raw('{"a":' + "[" * 5000 + "}"), "json_too_deep")
    case("deep_member", raw('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":' + "[" * 70 + "]" * 70 + "}}", FOUR),
         "json_too_deep")
    case("depth_64_is_a_form_fault", raw('{"a":' + "[" * 63 + "]" * 63 + "}"), "header_invalid")
    case("depth_65", raw('{"a":' + "[" * 64 + "]" * 64 + "}"), "json_too_deep")
    case("duplicate_entry", raw('{"a":' + U8 + ',"a":' + U8 + "}"), "duplicate_key")
    case("duplicate_entry_escaped", raw('{"a":' + U8 + ',"\\u0061":' + U8 + "}"), "duplicate_key")
    case("duplicate_metadata", raw('{"__metadata__":{},"__metadata__":{}}'), "duplicate_key")
    case("duplicate_metadata_key", raw('{"__metadata__":{"k":"1","k":"2"}}'), "duplicate_key")
    case("duplicate_member", raw('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', FOUR), "duplicate_key")
    case("unknown_member", raw('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":{"b":[1,-2.5e3,true,null]}}}', FOUR),
         "unknown_member")
    case("unknown_dtype", raw('{"a":{"dtype":"F128","shape":[1],"data_offsets":[0,4]}}', FOUR), "unknown_dtype")
    case("dtype_lower_case", raw('{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}', FOUR), "unknown_dtype")
    case("dtype_empty", raw('{"a":{"dtype":"","shape":[1],"data_offsets":[0,4]}}', FOUR), "unknown_dtype")


def many_entries(count):
    return raw("{" + ",".join(f'"{i}":' + U8 for i in range(count)) + "}")


def entry_faults():
    case("too_many_entries", many_entries(1_000_001), "too_many_entries", large=True)
    case("dimension_2_63", raw('{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}}'), "size_overflow")
    case("dimension_2_63_beside_0", raw('{"a":{"dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[0,0]}}'), "size_overflow")
    case("offsets_as_if_they_wrapped", file({"a": entry("F64", [(1 << 61) + 1], 0, 8)}, bytes(8)), "size_overflow")
    case("empty_name", raw('{"":' + U8 + "}"), "bad_name")
    case("long_name", raw('{"' + "n" * 1025 + '":' + U8 + "}"), "bad_name")
    case("nul_name", raw(r'{"a\u0000b":' + U8 + "}"), "bad_name")
    case("rank_33", file({"a": entry("F32", [1] * 33, 0, 4)}, FOUR), "rank_too_large")
    case("shape_product_overflow", file({"a": entry("F32", [1 << 40, 1 << 40], 0, 4)}, FOUR), "size_overflow")
    case("shape_bits_overflow", file({"a": entry("F64", [1 << 62], 0, 8)}, bytes(8)), "size_overflow")
    case("shape_overflow_then_zero", file({"a": entry("F32", [1 << 40, 1 << 40, 0], 0, 0)}), "size_overflow")
    case("shape_zero_then_huge", file({"a": entry("F32", [0, 1 << 40, 1 << 40], 0, 0)}))
    case("dimension_2_64", raw('{"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]}}'), "size_overflow")
    case("size_too_small", file({"a": entry("F32", [2], 0, 4)}, FOUR), "size_mismatch")
    case("size_too_large", file({"a": entry("F32", [1], 0, 8)}, bytes(8)), "size_mismatch")
    case("offsets_reversed", file({"a": entry("F32", [1], 4, 0)}, FOUR), "size_mismatch")
    case("half_byte", file({"a": entry("F4", [3], 0, 2)}, bytes(2)), "partial_byte")
    case("f6_not_whole", file({"a": entry("F6_E2M3", [3], 0, 3)}, bytes(3)), "partial_byte")
    case("gap_between", file({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, b"abc"), "offset_gap")
    case("gap_at_start", file({"a": entry("U8", [1], 1, 2)}, b"ab"), "offset_gap")
    case("overlap", file({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"abc"), "offset_overlap")
    case("same_bytes_twice", file({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 0, 2)}, b"ab"), "offset_overlap")
    case("empty_inside_another", file({"a": entry("U8", [4], 0, 4), "b": entry("U8", [0], 2, 2)}, b"abcd"), "offset_overlap")
    case("behind_the_end", file({"a": entry("U8", [8], 0, 8)}, b"abcd"), "offset_out_of_range")
    case("offset_2_64", raw('{"a":{"dtype":"U8","shape":[0],"data_offsets":[18446744073709551616,18446744073709551616]}}'),
         "offset_out_of_range")
    case("offset_near_2_64", raw('{"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615]}}'),
         "offset_out_of_range")
    case("trailing_data", file({"a": entry("U8", [1], 0, 1)}, b"abc"), "trailing_bytes")
    case("data_without_entries", raw("{}", b"abc"), "trailing_bytes")


def tensor_node(dtype, shape, **extra):
    return {"TypeDef:Tensor": {"dtype": dtype, "shape": shape, **extra}}


def root(properties, optional=()):
    return {"TypeDef:Struct": {"order": list(properties)}, "properties": properties,
            "required": [name for name in properties if name not in optional]}


def metatensor(entries, data, schema=None, **metadata):
    own = {"format": "pt", "metatensor": "1"}
    if schema is not None:
        own["metatensor.schema"] = schema if isinstance(schema, str) else json.dumps(schema)
    return file({"__metadata__": {**own, **metadata}, **entries}, data)


RECORD = {"TypeDef:Struct": {"order": ["id", "ok", "score"]},
          "properties": {"id": {"TypeDef:Int32": True}, "ok": {"TypeDef:Boolean": True}, "score": {"TypeDef:Float32": True}},
          "required": ["id", "ok", "score"]}
RECORDS = root({"r": tensor_node(RECORD, [-1])})


def record(number, ok, score):
    return struct.pack("<iB3xf", number, ok, score)


def references(*pairs):
    return b"".join(struct.pack("<QQ", *pair) for pair in pairs)


def blobs(item, pairs, store, **schema_extra):
    """A file with one blob tensor "t" of len(pairs) values."""
    schema = root({"t": tensor_node({"TypeDef:Blob": {"item": item}}, [len(pairs)], **schema_extra)})
    size = 16 * len(pairs)
    return metatensor({"t": entry("U8", [len(pairs), 16], 0, size), "__blob__.t": entry("U8", [len(store)], size, size + len(store))},
                      references(*pairs) + store, schema)


def metatensor_files():
    a = {"a": entry("F32", [1], 0, 4)}
    case("metatensor_plain", metatensor(a, FOUR))
    case("metatensor_0", file({"__metadata__": {"metatensor": "0"}}), "unsupported_version")
    case("metatensor_2", file({"__metadata__": {"metatensor": "2"}}), "unsupported_version")
    case("metatensor_empty", file({"__metadata__": {"metatensor": ""}}), "unsupported_version")
    case("metatensor_1_0", file({"__metadata__": {"metatensor": "1.0"}}), "unsupported_version")
    flat = root({"a": tensor_node("F32", [1])})
    case("schema_agrees", metatensor(a, FOUR, flat))
    case("schema_any_count", metatensor(a, FOUR, root({"a": tensor_node("F32", [-1])})))
    case("schema_optional_absent", metatensor(a, FOUR, root({"a": tensor_node("F32", [1]), "b": tensor_node("F32", [1])}, ["b"])))
    case("schema_entry_missing", metatensor(a, FOUR, root({"a": tensor_node("F32", [1]), "b": tensor_node("F32", [1])})),
         verify=["entry_missing"])
    case("schema_entry_extra", metatensor({**a, "b": entry("U8", [0], 4, 4)}, FOUR, flat), verify=["entry_extra"])
    case("schema_other_dtype", metatensor(a, FOUR, root({"a": tensor_node("I32", [1])})), verify=["entry_mismatch"])
    case("schema_other_shape", metatensor(a, FOUR, root({"a": tensor_node("F32", [1, 1])})), verify=["entry_mismatch"])
    case("schema_all_three", metatensor({**a, "x": entry("U8", [0], 4, 4)}, FOUR,
                                        root({"a": tensor_node("F32", [2]), "b": tensor_node("F32", [1])})),
         verify=["entry_extra", "entry_mismatch", "entry_missing"])
    case("schema_nested_names", metatensor(
        {"layers.0.weight": entry("F32", [1], 0, 4), "layers.1.weight": entry("F32", [1], 4, 8)}, FOUR + FOUR,
        root({"layers": {"TypeDef:Array": True, "minItems": 2, "maxItems": 2, "items": root({"weight": tensor_node("F32", [1])})}})))
    case("schema_not_json", metatensor(a, FOUR, "{nonsense"), verify=["schema_invalid"])
    case("schema_too_deep", metatensor(a, FOUR, '{"allOf":[' * 100 + "{}" + "]}" * 100), verify=["schema_too_deep"])
    case("schema_of_values", metatensor(a, FOUR, root({"a": {"TypeDef:Int32": True}})), verify=["not_a_file_schema"])
    case("schema_bad_order", metatensor(a, FOUR, {**flat, "TypeDef:Struct": {"order": ["a", "b"]}}), verify=["bad_order"])

    case("schema_key_twice", metatensor(a, FOUR, '{"TypeDef:Struct":true,"TypeDef:Struct":true}'), verify=["schema_invalid"])
    case("schema_of_no_kind", metatensor(a, FOUR, root({"a": {"TypeDef:Int31": True}})), verify=["schema_invalid"])
    case("schema_of_no_dtype", metatensor(a, FOUR, root({"a": tensor_node("F31", [1])})), verify=["schema_invalid"])
    case("schema_true", metatensor(a, FOUR, "true"), verify=["not_a_file_schema"])
    case("schema_ref_to_nothing", metatensor(a, FOUR, root({"a": {"$ref": "#/$defs/none"}})), verify=["schema_invalid"])
    case("schema_of_itself", metatensor(a, FOUR, root({"a": {"$ref": "#"}})), verify=["not_a_file_schema"])
    case("schema_unfolds_too_far", metatensor(a, FOUR, root({"a": {
        "TypeDef:Array": True, "minItems": 10**9, "maxItems": 10**9, "items": tensor_node("F32", [1])}})), verify=["schema_too_large"])
    case("schema_two_paths_one_name", metatensor({"a.b": entry("F32", [1], 0, 4)}, FOUR, root(
        {"a": root({"b": tensor_node("F32", [1])}), "a.b": tensor_node("F32", [1])})), verify=["not_a_file_schema"])
    for name, pattern, code in (("schema_pattern_looks_ahead", "(?=a)", "pattern_unsupported"),
                                ("schema_pattern_refers_back", r"(a)\1", "pattern_unsupported"),
                                ("schema_pattern_too_long", "a" * 65_537, "pattern_too_large"),
                                ("schema_pattern_too_costly", r"\p{L}{1000}", "pattern_too_large")):
        case(name, metatensor(a, FOUR, {**flat, "title": "x", "allOf": [{"pattern": pattern}]}), verify=[code])
    case("schema_over_32_mib", metatensor(a, FOUR, {**flat, "description": "x" * (32 << 20)}), verify=["schema_too_large"], large=True)

    sound = record(1, 1, 0.5) + record(-2, 0, 1.5)
    rows = {"r": entry("U8", [2, 12], 0, 24)}
    case("records", metatensor(rows, sound, RECORDS))
    case("records_none", metatensor({"r": entry("U8", [0, 12], 0, 0)}, b"", RECORDS))
    case("records_bad_boolean", metatensor(rows, record(1, 2, 0.5) + record(2, 1, 1), RECORDS), verify=["bad_boolean"])
    case("records_padding", metatensor(rows, sound[:5] + b"\x01" + sound[6:], RECORDS), verify=["nonzero_padding"])
    case("records_other_stride", metatensor({"r": entry("U8", [2, 16], 0, 32)}, bytes(32), RECORDS), verify=["entry_mismatch"])
    case("records_as_i8", metatensor({"r": entry("I8", [2, 12], 0, 24)}, sound, RECORDS), verify=["entry_mismatch"])
    enum = {"TypeDef:Struct": {"order": ["e"]}, "properties": {"e": {"TypeDef:Enum": True, "enum": ["x", "y"]}}, "required": ["e"]}
    case("records_bad_enum", metatensor({"r": entry("U8", [1, 4], 0, 4)}, struct.pack("<I", 2), root({"r": tensor_node(enum, [1])})),
         verify=["bad_enum"])
    text = {"TypeDef:Struct": {"order": ["s"]}, "properties": {"s": {"TypeDef:String": {"maxBytes": 8}}}, "required": ["s"]}

    def texts(content):
        return metatensor({"r": entry("U8", [1, 12], 0, 12)}, content, root({"r": tensor_node(text, [1])}))

    case("records_text", texts(struct.pack("<I8s", 2, b"hi")))
    case("records_bad_utf8", texts(struct.pack("<I8s", 2, b"\xff\xfe")), verify=["bad_utf8"])
    case("records_bad_length", texts(struct.pack("<I8s", 9, b"hi")), verify=["bad_length"])
    case("records_reservation", texts(struct.pack("<I8s", 2, b"hi!")), verify=["nonzero_padding"])
    nullable = {"TypeDef:Struct": {"order": ["id", "score"]},
                "properties": {"id": {"TypeDef:Int32": True}, "score": {"TypeDef:Float32": True}}, "required": ["id"]}

    def nullables(content):
        return metatensor({"r": entry("U8", [1, 12], 0, 12)}, content, root({"r": tensor_node(nullable, [1])}))

    case("records_nullable", nullables(struct.pack("<B3xif", 1, 7, 0.5)))
    case("records_absent", nullables(struct.pack("<B3xif", 0, 7, 0)))
    case("records_unused_presence_bit", nullables(struct.pack("<B3xif", 3, 7, 0.5)), verify=["bad_presence"])
    case("records_absent_not_zero", nullables(struct.pack("<B3xif", 0, 7, 1)), verify=["nonzero_padding"])
    q4 = {"TypeDef:Struct": {"order": ["d", "m", "qs"]}, "required": ["d", "m", "qs"], "properties": {
        "d": {"TypeDef:Float16": True}, "m": {"TypeDef:Float16": True},
        "qs": {"TypeDef:Array": True, "items": {"TypeDef:Uint8": True}, "minItems": 16, "maxItems": 16}}}
    case("block_quantised", metatensor({"w": entry("U8", [2, 3, 20], 0, 120)}, bytes(120),
                                       root({"w": tensor_node(q4, [2, 3], block={"values": 32, "axis": -1})})))

    case("pad_entry", metatensor({"a": entry("U8", [1], 0, 1), "__pad__.0": entry("U8", [3], 1, 4), "b": entry("F32", [1], 4, 8)},
                                 b"a\0\0\0" + FOUR))
    case("pad_not_zero", metatensor({"a": entry("U8", [1], 0, 1), "__pad__.0": entry("U8", [3], 1, 4), "b": entry("F32", [1], 4, 8)},
                                    b"a\0x\0" + FOUR), verify=["nonzero_padding"])
    case("bool_tensor_bad", metatensor({"a": entry("BOOL", [3], 0, 3)}, b"\0\1\2"), verify=["bad_boolean"])


def blob_files():
    string = {"TypeDef:String": True}
    case("blobs", blobs(string, [(0, 2), (0, 0), (2, 3)], b"hiabc"))
    case("blobs_shared", blobs(string, [(0, 2), (0, 2)], b"hi"))
    case("blobs_none", blobs(string, [], b""))
    case("blobs_out_of_range", blobs(string, [(4, 2)], b"hiabc"), verify=["blob_out_of_range"])
    case("blobs_overflow", blobs(string, [(2**64 - 1, 2)], b"hiabc"), verify=["blob_out_of_range"])
    case("blobs_huge", blobs(string, [(0, 2**63)], b"hiabc"), verify=["blob_out_of_range"])
    case("blobs_bad_utf8", blobs(string, [(0, 2)], b"\xff\xfe"), verify=["bad_utf8"])
    case("blobs_bytes", blobs({"TypeDef:Bytes": True}, [(0, 2)], b"\xff\xfe"))
    case("blobs_json", blobs({"TypeDef:Json": True}, [(0, 7)], b'{"a":1}'))
    case("blobs_not_json", blobs({"TypeDef:Json": True}, [(0, 2)], b"{]"), verify=["json_invalid"])
    floats = {"TypeDef:Float32": True}
    case("ragged", blobs(floats, [(0, 8), (0, 0), (8, 4)], struct.pack("<3f", 1, 2, 3)))
    case("ragged_misaligned", blobs(floats, [(2, 4)], bytes(8)), verify=["blob_misaligned"])
    case("ragged_bad_length", blobs(floats, [(0, 6)], bytes(8)), verify=["bad_length"])
    case("ragged_bad_boolean", blobs({"TypeDef:Boolean": True}, [(0, 2)], b"\1\2"), verify=["bad_boolean"])
    schema = root({"t": tensor_node({"TypeDef:Blob": {"item": string}}, [1])})
    case("blobs_without_store", metatensor({"t": entry("U8", [1, 16], 0, 16)}, references((0, 0)), schema), verify=["entry_missing"])
    case("store_without_blobs", metatensor({"a": entry("F32", [1], 0, 4), "__blob__.t": entry("U8", [1], 4, 5)}, FOUR + b"x",
                                           root({"a": tensor_node("F32", [1])})), verify=["entry_extra"])
    case("store_of_two_dimensions", metatensor({"t": entry("U8", [1, 16], 0, 16), "__blob__.t": entry("U8", [1, 2], 16, 18)},
                                               references((0, 2)) + b"hi", schema), verify=["entry_mismatch"])
    holder = {"TypeDef:Struct": {"order": ["id", "name"]}, "required": ["id", "name"], "properties": {
        "id": {"TypeDef:Int32": True}, "name": {"TypeDef:Blob": {"item": string}}}}

    def holders(offset, size, store):
        return metatensor({"r": entry("U8", [1, 24], 0, 24), "__blob__.r": entry("U8", [len(store)], 24, 24 + len(store))},
                          struct.pack("<i4xQQ", 7, offset, size) + store, root({"r": tensor_node(holder, [1])}))

    case("record_blob", holders(0, 2, b"hi"))
    case("record_blob_out_of_range", holders(1, 2, b"hi"), verify=["blob_out_of_range"])
    case("record_blob_bad_utf8", holders(0, 1, b"\xff"), verify=["bad_utf8"])


def checksum_files():
    a = {"a": entry("U8", [3], 0, 3)}
    digest = "06b05ab6733a618578af5f94892f3950"  # xxhsum -H2 of the bytes "abc"

    def summed(table):
        return metatensor(a, b"abc", None, **{"metatensor.checksum": table if isinstance(table, str) else json.dumps(table)})

    case("checksum", summed({"a": digest}))
    case("checksum_wrong", summed({"a": digest[:-1] + "1"}), verify=["checksum_mismatch"])
    case("checksum_upper_case", summed({"a": digest.upper()}), verify=["checksum_mismatch"])
    case("checksum_not_json", summed("[oops"), verify=["bad_checksum_table"])
    case("checksum_array", summed([]), verify=["bad_checksum_table"])
    case("checksum_number", summed({"a": 1}), verify=["bad_checksum_table"])
    case("checksum_of_no_entry", summed({"b": digest}), verify=["bad_checksum_table"])
    case("checksum_ignored_without_key", file({"__metadata__": {"metatensor.checksum": "[oops"}, **a}, b"abc"))


def reference_verdict(content):
    try:
        with tempfile.NamedTemporaryFile() as file:  # opening one makes no Python object an entry, as deserialize does
            file.write(content)
            file.flush()
            safe_open(file.name, "numpy")
        return "ok"
    except SafetensorError as error:
        return re.split(r"[(`{]", str(error).removeprefix("Error while deserializing header: "))[0].strip()


def main():
    folder, manifest = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for make in (sound_files, header_faults, json_faults, entry_faults, metatensor_files, blob_files, checksum_files):
        make()
    if "--large" in sys.argv[3:]:
        for name, content, _, _ in CASES:
            if name in LARGE:
                (folder / name).write_bytes(content)
        return
    kept = [(name, content) for name, content, _, _ in CASES if name not in LARGE]
    listed = [{"name": name, "open": opens, **({"verify": verify} if opens == "ok" else {}),
               **({"large": True} if name in LARGE else {}), "reference": reference_verdict(content)}
              for name, content, opens, verify in CASES]
    text = "[\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in listed) + "\n]\n"
    if "--check" in sys.argv[3:]:
        same = manifest.read_text() == text and all((folder / name).read_bytes() == content for name, content in kept)
        sys.exit(0 if same else 1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in kept:
        (folder / name).write_bytes(content)
    manifest.write_text(text)


if __name__ == "__main__":
    main()
