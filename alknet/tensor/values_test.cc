#include "alknet/tensor/values.h"

#include <cmath>

#include "alknet/tensor/elements.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"

namespace alknet::tensor {
namespace {

Json get(const File& file, std::string_view path) { return value_json(file, select(file, path)); }

std::string raw(const File& file, std::string_view path) {
  return std::string(raw_bytes(file, select(file, path)).text());
}

// "w": U8 [2, 3, 2] = 0..11; "layers.0.b": U8 [2]; "a[0]": U8 [1]; "s": U8 []; "e": F32 [0, 2]
File sample() {
  return open_bytes(R"({"w":{"dtype":"U8","shape":[2,3,2],"data_offsets":[0,12]},)"
                    R"("layers.0.b":{"dtype":"U8","shape":[2],"data_offsets":[12,14]},)"
                    R"("a[0]":{"dtype":"U8","shape":[1],"data_offsets":[14,15]},)"
                    R"("s":{"dtype":"U8","shape":[],"data_offsets":[15,16]},)"
                    R"("e":{"dtype":"F32","shape":[0,2],"data_offsets":[16,16]}})",
                    std::string_view("\0\1\2\3\4\5\6\7\x8\x9\xa\xb\x14\x15\x1e\x28", 16));
}

TEST(TensorPaths, NameEntriesElementsAndRanges) {
  const File file = sample();
  EXPECT_EQ(json_text(get(file, "w")), "[[[0,1],[2,3],[4,5]],[[6,7],[8,9],[10,11]]]");
  EXPECT_EQ(json_text(get(file, "w[1]")), "[[6,7],[8,9],[10,11]]");
  EXPECT_EQ(json_text(get(file, "w[1][2]")), "[10,11]");
  EXPECT_EQ(json_text(get(file, "w[1][2][0]")), "10");
  EXPECT_EQ(json_text(get(file, "w[0:1]")), "[[[0,1],[2,3],[4,5]]]");
  EXPECT_EQ(json_text(get(file, "w[1][1:3]")), "[[8,9],[10,11]]");
  EXPECT_EQ(json_text(get(file, "w[1][:1]")), "[[6,7]]");
  EXPECT_EQ(json_text(get(file, "w[1][2:]")), "[[10,11]]");
  EXPECT_EQ(json_text(get(file, "w[1][1:1]")), "[]");
  EXPECT_EQ(json_text(get(file, "s")), "40");
  EXPECT_EQ(json_text(get(file, "e")), "[]");
}

TEST(TensorPaths, NamesMayHaveDotsIndicesAndBrackets) {
  const File file = sample();
  EXPECT_EQ(json_text(get(file, "layers.0.b")), "[20,21]");
  EXPECT_EQ(json_text(get(file, "layers[0].b")), "[20,21]");
  EXPECT_EQ(json_text(get(file, "layers[0].b[1]")), "21");
  EXPECT_EQ(json_text(get(file, R"(layers\.0.b[1])")), "21");
  EXPECT_EQ(json_text(get(file, "a[0]")), "[30]");
  EXPECT_EQ(json_text(get(file, "a[0][0]")), "30");
}

TEST(TensorPaths, WrongOnesAreErrors) {
  const File file = sample();
  EXPECT_EQ(code_of([&] { select(file, "x"); }), "entry_missing");
  EXPECT_EQ(code_of([&] { select(file, ""); }), "entry_missing");
  EXPECT_EQ(code_of([&] { select(file, "w[2]"); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { select(file, "w[0][3]"); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { select(file, "w[1:3]"); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { select(file, "w[2:1]"); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { select(file, "w[99999999999999999999999]"); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { select(file, "w[18446744073709551615]"); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { select(file, "w[-1]"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "w[]"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "w[1"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "w[0:1][0]"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "w[0][0][0][0]"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "s[0]"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "w.field"); }), "bad_path");
  EXPECT_EQ(code_of([&] { select(file, "e[0]"); }), "index_out_of_range");
}

TEST(TensorValues, EmptyTensorsOfHugeShapesAreRefusedNotPrinted) {
  const File file = open_bytes(R"({"a":{"dtype":"F32","shape":[1099511627776,4,0],"data_offsets":[0,0]},)"
                               R"("b":{"dtype":"F32","shape":[0,1099511627776],"data_offsets":[0,0]},)"
                               R"("c":{"dtype":"F32","shape":[1000,0],"data_offsets":[0,0]}})");
  EXPECT_EQ(code_of([&] { get(file, "a"); }), "size_overflow");
  EXPECT_EQ(json_text(get(file, "a[7]")), "[[],[],[],[]]");
  EXPECT_EQ(json_text(get(file, "b")), "[]");
  EXPECT_EQ(get(file, "c").as_array().size(), 1000u);
}

TEST(TensorValues, RawBytesAreThoseSelected) {
  const File file = sample();
  EXPECT_EQ(raw(file, "w[1][2]"), "\x0a\x0b");
  EXPECT_EQ(raw(file, "layers.0.b[1:2]"), "\x15");
  EXPECT_EQ(raw(file, "e"), "");
}

TEST(TensorValues, RecordsAndFields) {
  const File file = File::open(kSeeds + "records");
  EXPECT_EQ(json_text(get(file, "r[0]")), R"({"id":1,"ok":true,"score":0.5})");
  EXPECT_EQ(get(file, "r").as_array().size(), 2u);
  EXPECT_EQ(json_text(get(file, "r[1].id")), "-2");
  EXPECT_EQ(json_text(get(file, "r[1:2]")), R"([{"id":-2,"ok":false,"score":1.5}])");
  EXPECT_EQ(raw(file, "r[1].id"), std::string("\xfe\xff\xff\xff", 4));
  EXPECT_EQ(raw(file, "r[0]").size(), 12u);
  EXPECT_EQ(code_of([&] { get(file, "r[0].nothing"); }), "bad_path");
  EXPECT_EQ(code_of([&] { get(file, "r.id"); }), "bad_path");
  EXPECT_EQ(json_text(get(File::open(kSeeds + "records_absent"), "r[0].score")), "null");
  EXPECT_EQ(raw(File::open(kSeeds + "records_text"), "r[0].s"), "hi");
  EXPECT_EQ(raw(File::open(kSeeds + "record_blob"), "r[0].name"), "hi");
}

TEST(TensorValues, Blobs) {
  const File file = File::open(kSeeds + "blobs");
  EXPECT_EQ(json_text(get(file, "t")), R"(["hi","","abc"])");
  EXPECT_EQ(json_text(get(file, "t[2]")), R"("abc")");
  EXPECT_EQ(raw(file, "t[2]"), "abc");
  EXPECT_EQ(code_of([&] { raw(file, "t"); }), "bad_path");
  EXPECT_EQ(json_text(get(File::open(kSeeds + "ragged"), "t")), "[[1.0,2.0],[],[3.0]]");
}

std::string element(schema::FileDtype dtype, std::string_view bytes, std::uint64_t index = 0) {
  std::string text;
  append_element(text, dtype, bytes_of(bytes), index);
  return text;
}

// Expected numbers: OCP Microscaling Formats 1.0 section 5.3, OCP FP8 1.0 table 2, IEEE 754.
TEST(TensorElements, DecodeSmallFloats) {
  using enum schema::FileDtype;
  EXPECT_EQ(element(kF4, "\x17", 0), "6.0");
  EXPECT_EQ(element(kF4, "\x17", 1), "0.5");
  EXPECT_EQ(element(kF4, "\xf9", 0), "-0.5");
  EXPECT_EQ(element(kF4, "\xf9", 1), "-6.0");
  EXPECT_EQ(element(kF6E2M3, std::string_view("\x1f\0\0", 3), 0), "7.5");
  EXPECT_EQ(element(kF6E2M3, std::string_view("\x01\0\0", 3), 0), "0.125");
  EXPECT_EQ(element(kF6E3M2, std::string_view("\x1f\0\0", 3), 0), "28.0");
  EXPECT_EQ(element(kF6E3M2, std::string_view("\x01\0\0", 3), 0), "0.0625");
  EXPECT_EQ(element(kF6E3M2, std::string_view("\0\0\x7c", 3), 3), "28.0");  // the top six bits of the third byte
  EXPECT_EQ(element(kF6E3M2, std::string_view("\xc0\x07\0", 3), 1), "28.0");
  EXPECT_EQ(element(kF8E4M3, "\x7e"), "448.0");
  EXPECT_EQ(element(kF8E4M3, "\x01"), "0.001953125");
  EXPECT_EQ(element(kF8E4M3, "\x7f"), "\"NaN\"");
  EXPECT_EQ(element(kF8E4M3, "\xff"), "\"NaN\"");
  EXPECT_EQ(element(kF8E5M2, "\x7b"), "57344.0");
  EXPECT_EQ(element(kF8E5M2, "\x7c"), "\"Infinity\"");
  EXPECT_EQ(element(kF8E5M2, "\xfc"), "\"-Infinity\"");
  EXPECT_EQ(element(kF8E5M2, "\x7d"), "\"NaN\"");
  EXPECT_EQ(element(kF8E4M3Fnuz, "\x7f"), "240.0");
  EXPECT_EQ(element(kF8E4M3Fnuz, "\x80"), "\"NaN\"");
  EXPECT_EQ(element(kF8E5M2Fnuz, "\x7f"), "57344.0");
  EXPECT_EQ(element(kF8E5M2Fnuz, "\x80"), "\"NaN\"");
  EXPECT_EQ(element(kF8E8M0, "\x7f"), "1.0");
  EXPECT_EQ(element(kF8E8M0, "\x80"), "2.0");
  EXPECT_EQ(element(kF8E8M0, "\xff"), "\"NaN\"");
  EXPECT_EQ(element(kF16, std::string_view("\0\x3c", 2)), "1.0");
  EXPECT_EQ(element(kF16, "\xff\x7b"), "65504.0");
  EXPECT_EQ(element(kF16, std::string_view("\x01\0", 2)), "5.960464477539063e-08");
  EXPECT_EQ(element(kF16, std::string_view("\0\xfc", 2)), "\"-Infinity\"");
  EXPECT_EQ(element(kBF16, "\x80\x3f"), "1.0");
  EXPECT_EQ(element(kBF16, "\xc0\x7f"), "\"NaN\"");
}

TEST(TensorElements, DecodeTheOthers) {
  using enum schema::FileDtype;
  EXPECT_EQ(element(kBool, std::string_view("\0\1", 2), 1), "true");
  EXPECT_EQ(code_of([] { element(kBool, "\x02"); }), "bad_boolean");
  EXPECT_EQ(element(kI8, "\xff"), "-1");
  EXPECT_EQ(element(kU8, "\xff"), "255");
  EXPECT_EQ(element(kI16, "\xfe\xff"), "-2");
  EXPECT_EQ(element(kU16, "\xfe\xff"), "65534");
  EXPECT_EQ(element(kI32, std::string_view("\0\0\0\x80", 4)), "-2147483648");
  EXPECT_EQ(element(kU32, "\xff\xff\xff\xff"), "4294967295");
  EXPECT_EQ(element(kI64, std::string_view("\xff\xff\xff\xff\xff\xff\x1f\0", 8)), "9007199254740991");
  EXPECT_EQ(element(kI64, std::string_view("\0\0\0\0\0\0\x20\0", 8)), "\"9007199254740992\"");
  EXPECT_EQ(element(kI64, std::string_view("\0\0\0\0\0\0\0\x80", 8)), "\"-9223372036854775808\"");
  EXPECT_EQ(element(kU64, "\xff\xff\xff\xff\xff\xff\xff\xff"), "\"18446744073709551615\"");
  EXPECT_EQ(element(kF32, "\xcd\xcc\xcc\x3d"), "0.10000000149011612");
  EXPECT_EQ(element(kF32, std::string_view("\0\0\x80\x7f", 4)), "\"Infinity\"");
  EXPECT_EQ(element(kF64, "\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "0.1");
  EXPECT_EQ(element(kC64, std::string_view("\0\0\x80\x3f\0\0\0\xbf", 8)), "[1.0,-0.5]");
}

TEST(TensorElements, RawRangesOfSubByteElementsMustBeWholeBytes) {
  const File file = open_bytes(R"({"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", "\x21\x43");
  EXPECT_EQ(json_text(get(file, "a")), "[0.5,1.0,1.5,2.0]");
  EXPECT_EQ(json_text(get(file, "a[1]")), "1.0");
  EXPECT_EQ(raw(file, "a[2:4]"), "\x43");
  EXPECT_EQ(code_of([&] { raw(file, "a[1:3]"); }), "partial_byte");
}

TEST(TensorFacts, DescribeEveryKindOfEntry) {
  const Json flat = file_facts(sample());
  EXPECT_EQ(flat.at("format"), "safetensors");
  EXPECT_EQ(flat.at("tensors").as_array().size(), 5u);
  EXPECT_EQ(json_text(flat.at("tensors").at(0).at("shape")), "[2,3,2]");
  EXPECT_EQ(flat.at("tensors").at(0).at("kind"), "flat");
  const Json blocks = file_facts(File::open(kSeeds + "block_quantised"));
  EXPECT_EQ(blocks.at("format"), "metatensor");
  const Json& weight = blocks.at("tensors").at(0);
  EXPECT_EQ(weight.at("kind"), "struct");
  EXPECT_EQ(weight.at("dtype"), "struct");
  EXPECT_EQ(json_text(weight.at("shape")), "[2,96]");
  EXPECT_EQ(weight.at("stride"), 20);
  EXPECT_EQ(weight.at("bytes"), 120);
  const Json blobs = file_facts(File::open(kSeeds + "blobs"));
  EXPECT_EQ(blobs.at("tensors").as_array().size(), 1u);  // the store is not listed
  EXPECT_EQ(blobs.at("tensors").at(0).at("dtype"), "blob");
  EXPECT_EQ(json_text(blobs.at("tensors").at(0).at("shape")), "[3]");
  EXPECT_EQ(file_facts(File::open(kSeeds + "pad_entry")).at("tensors").as_array().size(), 2u);
}

TEST(TensorFacts, StatisticsSkipNan) {
  const File file = open_bytes(
      R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
      std::string_view("\0\0\xc0\x7f\0\0\0\xc0\0\0\x80\x3f", 12));
  const Json facts = file_facts(file, true);
  EXPECT_TRUE(facts.at("tensors").at(0).at("min").is_null());
  EXPECT_EQ(facts.at("tensors").at(1).at("min").to_number<double>(), -2.0);
  EXPECT_EQ(facts.at("tensors").at(1).at("max").to_number<double>(), 1.0);
  EXPECT_EQ(facts.at("tensors").at(1).at("nans"), 1);
}

TEST(TensorVerify, ListsAllFaultsWithTheirPlaces) {
  const auto faults = verify(kSeeds + "schema_all_three");
  ASSERT_EQ(faults.size(), 3u);
  const Json json = verify_json(faults);
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("errors").as_array().size(), 3u);
  const auto blobs = verify(kSeeds + "records_bad_boolean");
  ASSERT_EQ(blobs.size(), 1u);
  EXPECT_EQ(blobs[0].path, "r[0]");
  EXPECT_EQ(blobs[0].offset, File::open(kSeeds + "records_bad_boolean").entry("r").begin);
  EXPECT_EQ(verify_json({}).at("ok"), true);
}

TEST(TensorVerify, TheListHasAnEnd) {
  const File file = open_bytes(R"({"a":{"dtype":"BOOL","shape":[64],"data_offsets":[0,64]}})", std::string(64, '\x07'));
  EXPECT_EQ(verify(file).size(), 64u);
  EXPECT_EQ(verify(file, {.max_faults = 10}).size(), 10u);
}

}  // namespace
}  // namespace alknet::tensor
