#include "alknet/tensor/records.h"

#include <array>
#include <cstring>

#include "alknet/base/bytes.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

TEST(MetatensorRecords, GiveFieldsByPath) {
  for (const Access access : {Access::kMap, Access::kRead}) {
    const File file = File::open(kSeeds + "records", {.access = access});
    const RecordsView records = file.records("r");
    EXPECT_EQ(records.count(), 2u);
    EXPECT_EQ(records.stride(), 12u);
    EXPECT_THAT(records.shape(), testing::ElementsAre(2));
    const auto id = records.field("id");
    const auto score = records.field("score");
    EXPECT_EQ(records.get<std::int32_t>(0, id), 1);
    EXPECT_EQ(records.get<std::int32_t>(1, id), -2);
    EXPECT_EQ(records.get<float>(1, score), 1.5f);
    EXPECT_EQ(records.json(0), parse_json(R"({"id":1,"ok":true,"score":0.5})"));
    EXPECT_EQ(code_of([&] { records.record(2); }), "index_out_of_range");
  }
}

TEST(MetatensorRecords, AbsentFieldsAreNothing) {
  const RecordsView records = File::open(kSeeds + "records_absent").records("r");
  EXPECT_FALSE(records.get<float>(0, records.field("score")).has_value());
  EXPECT_EQ(records.json(0), parse_json(R"({"id":7})"));
  const RecordsView present = File::open(kSeeds + "records_nullable").records("r");
  EXPECT_EQ(present.get<float>(0, present.field("score")), 0.5f);
}

TEST(MetatensorRecords, BadValuesAreErrorsOnAccess) {
  const RecordsView records = File::open(kSeeds + "records_bad_boolean").records("r");
  EXPECT_EQ(code_of([&] { records.get<bool>(0, records.field("ok")); }), "bad_boolean");
  EXPECT_EQ(records.get<bool>(1, records.field("ok")), true);
}

TEST(MetatensorRecords, BlockQuantisedWeightsReportTheirLogicalShape) {
  const RecordsView blocks = File::open(kSeeds + "block_quantised").records("w");
  EXPECT_EQ(blocks.stride(), 20u);
  EXPECT_EQ(blocks.count(), 6u);
  EXPECT_THAT(blocks.shape(), testing::ElementsAre(2, 3));
  EXPECT_THAT(blocks.logical_shape(), testing::ElementsAre(2, 96));
}

// Shape [2^62, 0] costs nothing to claim; times 32 values it does not fit.
TEST(MetatensorRecords, LogicalShapesThatOverflowAreErrors) {
  const Json schema =
      parse_json(R"({"TypeDef:Struct":{"order":["w"]},"required":["w"],"properties":{"w":{"TypeDef:Tensor":{
      "shape":[-1,0],"block":{"values":32,"axis":0},
      "dtype":{"TypeDef:Struct":{"order":["q"]},"required":["q"],"properties":{"q":{"TypeDef:Uint8":true}}}}}}})");
  const Json header =
      JsonObject{{"__metadata__", {{"metatensor", "1"}, {"metatensor.schema", json_text(schema)}}},
                 {"w", {{"dtype", "U8"}, {"shape", {std::int64_t{1} << 60, 0, 1}}, {"data_offsets", {0, 0}}}}};
  const File file = open_bytes(json_text(header));
  EXPECT_EQ(code_of([&] { file.records("w").logical_shape(); }), "size_overflow");
  EXPECT_EQ(code_of([&] { file_facts(file); }), "size_overflow");
  EXPECT_TRUE(verify(file).empty());
}

TEST(MetatensorRecords, OtherKindsAreRefused) {
  EXPECT_EQ(code_of([] { File::open(kSeeds + "one_f32").records("a"); }), "wrong_kind");
  EXPECT_EQ(code_of([] { File::open(kSeeds + "blobs").records("t"); }), "wrong_kind");
  EXPECT_EQ(code_of([] { File::open(kSeeds + "records").blobs("r"); }), "wrong_kind");
  EXPECT_EQ(code_of([] { File::open(kSeeds + "records_other_stride").records("r"); }), "entry_mismatch");
}

TEST(MetatensorRecords, BlobFieldsAreFollowedAndChecked) {
  const RecordsView sound = File::open(kSeeds + "record_blob").records("r");
  EXPECT_EQ(sound.json(0), parse_json(R"({"id":7,"name":"hi"})"));
  const RecordsView bad = File::open(kSeeds + "record_blob_out_of_range").records("r");
  EXPECT_EQ(code_of([&] { bad.json(0); }), "blob_out_of_range");
}

TEST(MetatensorBlobs, GiveTextBytesJsonAndNumbers) {
  for (const Access access : {Access::kMap, Access::kRead}) {
    const auto open = [&](const char* name) { return File::open(kSeeds + name, {.access = access}).blobs("t"); };
    const BlobView texts = open("blobs");
    ASSERT_EQ(texts.count(), 3u);
    EXPECT_EQ(texts.text(0), "hi");
    EXPECT_EQ(texts.text(1), "");
    EXPECT_EQ(texts.text(2), "abc");
    EXPECT_EQ(code_of([&] { texts.text(3); }), "index_out_of_range");
    EXPECT_EQ(code_of([&] { texts.values<float>(0); }), "dtype_mismatch");
    EXPECT_EQ(open("blobs_shared").text(1), "hi");
    EXPECT_EQ(open("blobs_json").json(0), parse_json(R"({"a":1})"));
    EXPECT_EQ(open("blobs_bytes").json(0), "//4=");
    EXPECT_EQ(code_of([&] { open("blobs_bytes").text(0); }), "wrong_kind");
    const BlobView ragged = open("ragged");
    EXPECT_THAT(ragged.values<float>(0), testing::ElementsAre(1.0f, 2.0f));
    EXPECT_TRUE(ragged.values<float>(1).empty());
    EXPECT_THAT(ragged.values<float>(2), testing::ElementsAre(3.0f));
    EXPECT_EQ(code_of([&] { ragged.values<double>(0); }), "dtype_mismatch");
  }
}

TEST(MetatensorBlobs, VisitTextsInTheOrderOfTheirIndices) {
  for (const Access access : {Access::kMap, Access::kRead}) {
    const BlobView texts = File::open(kSeeds + "blobs", {.access = access}).blobs("t");
    std::vector<std::uint64_t> indices;
    for (std::uint64_t i = 0; i < 100; ++i) indices.push_back(i * i % 3);
    std::vector<std::string_view> expected, found;
    for (const auto index : indices) expected.push_back(texts.text(index));
    texts.visit_texts(indices, [&](std::string_view text) { found.push_back(text); });
    EXPECT_EQ(found, expected);
    texts.visit_texts({}, [](std::string_view) { ADD_FAILURE() << "there is nothing to visit"; });
  }
}

TEST(MetatensorBlobs, VisitTextsUpToTheFirstFault) {
  const auto visited = [](const char* name, std::uint64_t bad) {
    const BlobView texts = File::open(kSeeds + name).blobs("t");
    std::vector<std::uint64_t> indices(40, 1);
    for (std::size_t i = 20; i < indices.size(); ++i) indices[i] = bad;
    std::size_t count = 0;
    const auto code = code_of([&] { texts.visit_texts(indices, [&](std::string_view) { ++count; }); });
    return std::pair(code, count);
  };
  EXPECT_EQ(visited("blobs", 3), std::pair(std::string("index_out_of_range"), std::size_t{20}));
  EXPECT_EQ(visited("blobs", UINT64_MAX), std::pair(std::string("index_out_of_range"), std::size_t{20}));
  for (const char* name : {"blobs_out_of_range", "blobs_overflow", "blobs_huge"}) {
    const BlobView texts = File::open(kSeeds + name).blobs("t");
    const std::vector<std::uint64_t> indices(40, 0);
    EXPECT_EQ(code_of([&] { texts.visit_texts(indices, [](std::string_view) {}); }), "blob_out_of_range") << name;
  }
  const BlobView broken = File::open(kSeeds + "blobs_bad_utf8").blobs("t");
  EXPECT_EQ(code_of([&] { broken.visit_texts(std::vector<std::uint64_t>(1, 0), [](std::string_view) {}); }),
            "bad_utf8");
}

TEST(MetatensorBlobs, HostileReferencesAreErrorsOnAccess) {
  const auto code = [](const char* name) {
    const BlobView blobs = File::open(kSeeds + name).blobs("t");
    return code_of([&] { blobs.json(0); });
  };
  EXPECT_EQ(code("blobs_out_of_range"), "blob_out_of_range");
  EXPECT_EQ(code("blobs_overflow"), "blob_out_of_range");
  EXPECT_EQ(code("blobs_huge"), "blob_out_of_range");
  EXPECT_EQ(code("ragged_misaligned"), "blob_misaligned");
  EXPECT_EQ(code("ragged_bad_length"), "bad_length");
  EXPECT_EQ(code("blobs_bad_utf8"), "bad_utf8");
  EXPECT_EQ(code("blobs_not_json"), "json_invalid");
}

TEST(MetatensorBlobs, ErrorsNameTheReferencesPlace) {
  const File file = File::open(kSeeds + "blobs_bad_utf8");
  const Error error = error_of([&] { file.blobs("t").text(0); });
  EXPECT_EQ(error.details().at("entry"), "t");
  EXPECT_EQ(error.details().at("offset").to_number<std::uint64_t>(), file.entry("t").begin);
}

constexpr std::string_view kDataset = R"({
  "TypeDef:Struct": {"order": ["texts", "rows", "vectors"]},
  "required": ["texts", "rows", "vectors"],
  "properties": {
    "texts": {"TypeDef:Tensor": {"dtype": {"TypeDef:Blob": {"item": {"TypeDef:String": true}}}, "shape": [-1]}},
    "vectors": {"TypeDef:Tensor": {"dtype": {"TypeDef:Blob": {"item": {"TypeDef:Float64": true}}}, "shape": [-1, 2]}},
    "rows": {"TypeDef:Tensor": {"shape": [-1], "dtype": {
      "TypeDef:Struct": {"order": ["id", "note"]}, "required": ["id", "note"],
      "properties": {"id": {"TypeDef:Uint32": true},
                     "note": {"TypeDef:Blob": {"item": {"TypeDef:Json": true}}}}}}}
  }})";

TEST(MetatensorWriterOfSchemas, WritesRecordsAndBlobsInOnePass) {
  TestFolder folder;
  const std::string path = folder.path("data.mt");
  Writer writer(path, {.schema = schema::Schema::parse(kDataset), .checksums = true});
  const auto texts = writer.declare_blobs("texts");
  const auto vectors = writer.declare_blobs("vectors", {2});
  const auto notes = writer.declare_store("rows");
  const auto rows = writer.declare_growing({.name = "rows", .dtype = FileDtype::kU8, .shape = {24}});
  writer.start();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const std::string text(i % 7, 'a');
    writer.append_blob(texts, text);
    const std::vector<double> numbers(i % 3, i * 0.5);
    writer.append_blob(vectors, bytes_of(numbers));
    writer.append_blob(vectors, bytes_of(text));  // may break alignment: the next must be aligned again
    std::array<std::byte, 24> row{};
    const std::string note = "[" + std::to_string(i) + "]";
    const auto range = writer.store_blob(notes, bytes_of(note));
    store_le(row.data(), i);
    store_le(row.data() + 8, range.offset);
    store_le(row.data() + 16, range.bytes);
    writer.append(rows, row);
  }
  writer.close();
  const File file = File::open(path);
  const BlobView found = file.blobs("texts");
  const BlobView arrays = file.blobs("vectors");
  const RecordsView records = file.records("rows");
  ASSERT_EQ(found.count(), 1000u);
  ASSERT_EQ(records.count(), 1000u);
  EXPECT_THAT(arrays.shape(), testing::ElementsAre(1000, 2));
  EXPECT_EQ(file.entry("rows").begin % 16, 0u);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(found.text(i), std::string(i % 7, 'a'));
    EXPECT_EQ(arrays.values<double>(2 * i).size(), i % 3);
    EXPECT_EQ(records.json(i).at("note").at(0).to_number<std::uint32_t>(), i);
  }
}

TEST(MetatensorRecords, AbsentJsonBlobsVerify) {
  TestFolder folder;
  const std::string path = folder.path("notes.mt");
  Writer writer(path,
                {.schema = schema::Schema::parse(R"({"TypeDef:Struct":true,"required":["rows"],"properties":{"rows":{
    "TypeDef:Tensor":{"shape":[-1],"dtype":{"TypeDef:Struct":true,"properties":{"note":{"TypeDef:Blob":{"item":"Json"}}}}}}}})")});
  const auto store = writer.declare_store("rows");
  const auto rows = writer.declare_growing({.name = "rows", .dtype = FileDtype::kU8, .shape = {24}});
  writer.start();
  std::array<std::byte, 24> absent{}, present{};
  present[0] = std::byte{1};
  const auto range = writer.store_blob(store, bytes_of(std::string_view("[1]")));
  store_le(present.data() + 8, range.offset);
  store_le(present.data() + 16, range.bytes);
  writer.append(rows, absent);
  writer.append(rows, present);
  writer.close();
  const File file = File::open(path);
  EXPECT_EQ(file.records("rows").json(0), parse_json("{}"));
  EXPECT_EQ(file.records("rows").json(1), parse_json(R"({"note":[1]})"));
  EXPECT_TRUE(verify(file).empty());
}

}  // namespace
}  // namespace alknet::tensor
