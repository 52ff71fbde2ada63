#include "alknet/tensor/record_writer.h"

#include <limits>

#include "alknet/tensor/blobs.h"
#include "alknet/tensor/records.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"

namespace alknet::tensor {
namespace {

constexpr std::string_view kSchema = R"({
  "TypeDef:Struct": {"order": ["r", "one", "text", "json", "ragged", "single"]}, "required": [],
  "properties": {
    "r": {"TypeDef:Tensor": {"shape": [-1, 2], "dtype": {
      "TypeDef:Struct": {"order": ["id", "note", "vector"]}, "required": ["id"],
      "properties": {"id": {"TypeDef:Int32": true}, "note": {"TypeDef:Blob": {"item": "String"}},
                     "vector": {"TypeDef:Blob": {"item": "Float64"}}}}}},
    "one": {"TypeDef:Tensor": {"shape": [], "dtype": {
      "TypeDef:Struct": {"order": ["id"]}, "required": ["id"], "properties": {"id": {"TypeDef:Int16": true}}}}},
    "text": {"TypeDef:Tensor": {"shape": [-1], "dtype": {"TypeDef:Blob": {"item": "String"}}}},
    "json": {"TypeDef:Tensor": {"shape": [-1], "dtype": {"TypeDef:Blob": {"item": "Json"}}}},
    "ragged": {"TypeDef:Tensor": {"shape": [-1], "dtype": {"TypeDef:Blob": {"item": "Float32"}}}},
    "single": {"TypeDef:Tensor": {"shape": [], "dtype": {"TypeDef:Blob": {"item": "String"}}}}}})";

class MetatensorRecordWriter : public testing::Test {
 protected:
  Writer make() { return Writer(path_, {.schema = schema::Schema::parse(kSchema)}); }

  TestFolder folder_;
  std::string path_ = folder_.path("data.mt");
};

TEST_F(MetatensorRecordWriter, AppendsInstancesBytesAndBlobs) {
  Writer writer = make();
  RecordWriter records(writer, "r");
  BlobWriter texts(writer, "text");
  BlobWriter json(writer, "json");
  BlobWriter ragged(writer, "ragged");
  writer.start();
  records.append(parse_json(R"({"id":1,"note":"a","vector":[0.5,"NaN"]})"));
  std::vector<std::byte> bytes(records.stride());
  schema::FieldAccess(records.layout(), "id").set(bytes, 2);
  schema::FieldAccess(records.layout(), "note").set(bytes, records.store_blob("zwei"));
  records.append(bytes);
  const std::vector<Json> more = {parse_json(R"({"id":3})"), parse_json(R"({"id":4,"note":""})")};
  std::ranges::copy(more, std::back_inserter(records));
  for (const char* text : {"x", "", "\u00e4\u00f6"}) texts.push_back(text);
  json.append(R"({"a":[1]})");
  json.append_json(parse_json("[null]"));
  ragged.append_values(std::span<const float>(std::vector<float>{1, 2}));
  ragged.append_json(parse_json("[]"));
  EXPECT_EQ(records.count(), 4u);
  EXPECT_EQ(texts.count(), 3u);
  writer.close();

  const File file = File::open(path_);
  EXPECT_TRUE(verify(file).empty());
  const RecordsView found = file.records("r");
  EXPECT_THAT(found.shape(), testing::ElementsAre(2, 2));
  EXPECT_EQ(found.json(0), parse_json(R"({"id":1,"note":"a","vector":[0.5,"NaN"]})"));
  EXPECT_EQ(found.json(1), parse_json(R"({"id":2,"note":"zwei"})"));
  EXPECT_EQ(found.json(2), parse_json(R"({"id":3})"));
  EXPECT_EQ(found.text_column("note").get(3), "");
  EXPECT_FALSE(found.text_column("note").get(2).has_value());
  EXPECT_EQ(file.blobs("text").text(2), "\u00e4\u00f6");
  EXPECT_EQ(file.blobs("json").json(1), parse_json("[null]"));
  EXPECT_THAT(file.blobs("ragged").values<float>(0), testing::ElementsAre(1.0F, 2.0F));
}

// An absent Blob field is empty, whatever its item: that is no JSON text, and no fault.
TEST_F(MetatensorRecordWriter, AbsentJsonFieldsVerify) {
  const std::string schema =
      R"({"TypeDef:Struct":true,"required":["r"],"properties":{"r":{"TypeDef:Tensor":{"shape":[-1],
    "dtype":{"TypeDef:Struct":true,"properties":{"j":{"TypeDef:Blob":{"item":"Json"}}}}}}}})";
  Writer writer(path_, {.schema = schema::Schema::parse(schema)});
  RecordWriter records(writer, "r");
  writer.start();
  records.append(parse_json("{}"));
  records.append(parse_json(R"({"j":null})"));
  writer.close();
  EXPECT_TRUE(verify(path_).empty());
  const RecordsView found = File::open(path_).records("r");
  EXPECT_EQ(found.json(0), parse_json("{}"));
  EXPECT_EQ(found.json(1), parse_json(R"({"j":null})"));
}

TEST_F(MetatensorRecordWriter, WritesSingleItems) {
  Writer writer = make();
  RecordWriter one(writer, "one");
  BlobWriter single(writer, "single");
  writer.start();
  one.append(parse_json(R"({"id":-7})"));
  single.append("alone");
  writer.close();
  const File file = File::open(path_);
  EXPECT_EQ(file.records("one").json(0), parse_json(R"({"id":-7})"));
  EXPECT_TRUE(file.records("one").shape().empty());
  EXPECT_EQ(code_of([&] { file.records("one").slice(0, 1); }), "index_out_of_range");
  EXPECT_EQ(file.blobs("single").text(0), "alone");
  EXPECT_EQ(code_of([&] { file.blobs("single").slice(0, 0); }), "index_out_of_range");
}

TEST_F(MetatensorRecordWriter, RefusesWhatTheSchemaDoesNotSay) {
  Writer writer = make();
  EXPECT_EQ(code_of([&] { RecordWriter(writer, "nothing"); }), "entry_missing");
  EXPECT_EQ(code_of([&] { RecordWriter(writer, "text"); }), "wrong_kind");
  EXPECT_EQ(code_of([&] { BlobWriter(writer, "r"); }), "wrong_kind");
  Writer plain(folder_.path("plain.mt"));
  EXPECT_EQ(code_of([&] { RecordWriter(plain, "r"); }), "entry_missing");
}

TEST_F(MetatensorRecordWriter, BadItemsAreErrorsAndAppendNothing) {
  Writer writer = make();
  RecordWriter records(writer, "r");
  RecordWriter one(writer, "one");
  BlobWriter texts(writer, "text");
  BlobWriter json(writer, "json");
  BlobWriter ragged(writer, "ragged");
  writer.start();
  records.append(parse_json(R"({"id":1})"));
  const Error error = error_of([&] { records.append(parse_json(R"({"id":1e10})")); });
  EXPECT_EQ(error.code_name(), "instance_invalid");
  EXPECT_EQ(error.details().at("entry"), "r");
  EXPECT_EQ(error.details().at("index"), 1);
  EXPECT_EQ(error.details().at("instance_path"), "/id");
  EXPECT_EQ(code_of([&] { records.append(parse_json(R"({"id":1,"note":5})")); }), "instance_invalid");
  EXPECT_EQ(code_of([&] { records.append(parse_json("{}")); }), "instance_invalid");
  EXPECT_EQ(code_of([&] { records.append(std::vector<std::byte>(5)); }), "size_mismatch");
  EXPECT_EQ(code_of([&] { one.store_blob("x"); }), "wrong_kind");
  EXPECT_EQ(code_of([&] { texts.append("\xff"); }), "bad_utf8");
  EXPECT_EQ(code_of([&] { json.append("{"); }), "json_invalid");
  EXPECT_EQ(code_of([&] { ragged.append("abc"); }), "bad_length");
  EXPECT_EQ(code_of([&] { ragged.append_values(std::span<const double>()); }), "dtype_mismatch");
  EXPECT_EQ(code_of([&] { texts.append_values(std::span<const double>()); }), "dtype_mismatch");
  records.append(parse_json(R"({"id":2})"));
  EXPECT_EQ(records.count(), 2u);
  one.append(parse_json(R"({"id":1})"));
  writer.close();
  EXPECT_EQ(File::open(path_).records("r").count(), 2u);
  EXPECT_TRUE(verify(path_).empty());
}

TEST_F(MetatensorRecordWriter, AnUnfinishedRowIsAnErrorAtClose) {
  Writer writer = make();
  RecordWriter records(writer, "r");
  writer.start();
  records.append(parse_json(R"({"id":1})"));  // half a row of two
  EXPECT_EQ(code_of([&] { writer.close(); }), "size_mismatch");
}

TEST_F(MetatensorRecordWriter, NothingAppendedIsAnEmptyTensor) {
  Writer writer = make();
  RecordWriter records(writer, "r");
  BlobWriter texts(writer, "text");
  writer.start();
  writer.close();
  const File file = File::open(path_);
  EXPECT_EQ(file.records("r").count(), 0u);
  EXPECT_THAT(file.records("r").shape(), testing::ElementsAre(0, 2));
  EXPECT_EQ(file.records("r").text_column("note").count(), 0u);
  EXPECT_EQ(file.blobs("text").begin(), file.blobs("text").end());
}

}  // namespace
}  // namespace alknet::tensor
