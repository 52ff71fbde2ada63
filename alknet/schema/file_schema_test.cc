#include "alknet/schema/file_schema.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"

namespace alknet::schema {
namespace {

using Shape = std::vector<std::int64_t>;

TEST(FileEntries, NamesAreJoinedByDotsUnescaped) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"required":["layers"],"properties":{
    "layers":{"TypeDef:Array":true,"minItems":2,"maxItems":2,"items":{"TypeDef:Struct":true,"required":["weight"],
      "properties":{"weight":{"TypeDef:Tensor":{"dtype":"BF16","shape":[2,3]}},"bias":{"$ref":"#/$defs/b"}}}},
    "a.b":{"$ref":"#/$defs/b"}},
    "$defs":{"b":{"TypeDef:Tensor":{"dtype":"F32","shape":[-1]}}}})");
  const auto entries = file_entries(schema);
  ASSERT_EQ(entries.size(), 5U);
  EXPECT_EQ(entries[0].name, "layers.0.weight");
  EXPECT_EQ(entries[0].path, "layers[0].weight");
  EXPECT_TRUE(entries[0].required);
  EXPECT_EQ(entries[0].dtype, FileDtype::kBF16);
  EXPECT_EQ(entries[0].shape, (Shape{2, 3}));
  EXPECT_EQ(entries[0].align, 2U);
  EXPECT_EQ(entries[1].name, "layers.0.bias");
  EXPECT_FALSE(entries[1].required);
  EXPECT_EQ(entries[3].name, "layers.1.bias");
  EXPECT_EQ(entries[4].name, "a.b");
  EXPECT_EQ(entries[4].path, R"(a\.b)");
  EXPECT_EQ(entries[4].shape, (Shape{-1}));
}

TEST(FileEntries, BlockedStructsReportTheLogicalShape) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"properties":{"w":{"TypeDef:Tensor":{
    "shape":[576,48],"block":{"values":32,"axis":-1},"dtype":{"TypeDef:Struct":true,"required":["d","m","qs"],
      "properties":{"d":{"TypeDef:Float16":true},"m":{"TypeDef:Float16":true},
        "qs":{"TypeDef:Array":true,"minItems":16,"maxItems":16,"items":{"TypeDef:Uint8":true}}}}}}}})");
  const auto entries = file_entries(schema);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].form, EntryForm::kStruct);
  EXPECT_EQ(entries[0].dtype, FileDtype::kU8);
  EXPECT_EQ(entries[0].shape, (Shape{576, 48, 20}));
  EXPECT_EQ(entries[0].logical, (Shape{576, 1536}));
  EXPECT_EQ(entries[0].stride, 20U);
  EXPECT_EQ(entries[0].align, 16U);
  EXPECT_FALSE(entries[0].has_store);
}

TEST(FileEntries, BlobsHaveAStore) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"properties":{
    "t":{"TypeDef:Tensor":{"dtype":{"TypeDef:Blob":{"item":"String"}},"shape":[3]}},
    "r":{"TypeDef:Tensor":{"shape":[-1],"dtype":{"TypeDef:Struct":true,"required":["id","v"],
      "properties":{"id":{"TypeDef:Int32":true},"v":{"TypeDef:Blob":{"item":"Float64"}}}}}},
    "x":{"TypeDef:Tensor":{"dtype":"U8","shape":[],"align":128}}}})");
  const auto entries = file_entries(schema);
  EXPECT_EQ(entries[0].form, EntryForm::kBlob);
  EXPECT_EQ(entries[0].shape, (Shape{3, 16}));
  EXPECT_EQ(entries[0].logical, (Shape{3}));
  EXPECT_EQ(entries[0].align, 8U);
  EXPECT_TRUE(entries[0].has_store);
  EXPECT_EQ(entries[0].store_align, 1U);
  EXPECT_EQ(entries[1].shape, (Shape{-1, 24}));
  EXPECT_TRUE(entries[1].has_store);
  EXPECT_EQ(entries[1].store_align, 8U);
  EXPECT_EQ(entries[2].align, 128U);
}

TEST(FileEntries, RefuseWhatIsNoFile) {
  for (
      const std::string_view text :
      {R"({"TypeDef:Tensor":{"dtype":"F32","shape":[1]}})", R"({"type":"object"})",
       R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Int8":true}}})",
       R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Tensor":true}}})",
       R"({"TypeDef:Struct":true,"properties":{"a":{"type":"integer"},"t":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}}})",
       R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Array":true,"items":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}}}})",
       R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Record":{"values":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}}}}})",
       R"({"TypeDef:Struct":true,"properties":{"a.b":{"$ref":"#/$defs/t"},"a":{"TypeDef:Struct":true,"properties":{"b":{"$ref":"#/$defs/t"}}}},
            "$defs":{"t":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}}})"}) {
    EXPECT_EQ(code_of([&] { file_entries(Schema::parse(text)); }), "not_a_file_schema") << text;
  }
  EXPECT_EQ(
      code_of([] {
        file_entries(Schema::parse(
            R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Tensor":{"shape":[1],"dtype":{"TypeDef:Struct":true,"properties":{"s":{"TypeDef:String":true}}}}}}})"));
      }),
      "schema_invalid");
}

TEST(FileEntries, RefuseMillionsBeforeTheyAreMade) {
  const auto schema =
      Schema::parse(R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Array":true,"minItems":1e15,"maxItems":1e15,
    "items":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}}}})");
  EXPECT_EQ(code_of([&] { file_entries(schema); }), "schema_too_large");
}

TEST(InferFileSchema, HasOneRequiredTensorPerEntryAndReadsBack) {
  const std::vector<InferredEntry> given = {
      {"b.weight", FileDtype::kF16, {2, 3}}, {"1", FileDtype::kBool, {}}, {"0", FileDtype::kU8, {0}}};
  const auto json = infer_file_schema(given);
  EXPECT_EQ(json_text(json),
            R"({"TypeDef:Struct":true,"properties":{"b.weight":{"TypeDef:Tensor":{"dtype":"F16","shape":[2,3]}},)"
            R"("1":{"TypeDef:Tensor":{"dtype":"BOOL","shape":[]}},"0":{"TypeDef:Tensor":{"dtype":"U8","shape":[0]}}},)"
            R"("required":["b.weight","1","0"]})");
  const auto schema = Schema::from_json(json);
  const auto entries = file_entries(schema);
  ASSERT_EQ(entries.size(), 3U);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].name, given[i].name);
    EXPECT_EQ(entries[i].dtype, given[i].dtype);
    EXPECT_EQ(entries[i].shape, given[i].shape);
    EXPECT_TRUE(entries[i].required);
  }
}

TEST(InferFileSchema, OfNoEntriesHasNone) {
  EXPECT_TRUE(file_entries(Schema::from_json(infer_file_schema({}))).empty());
}

}  // namespace
}  // namespace alknet::schema
