#include "alknet/tensor/column.h"

#include <algorithm>
#include <numeric>
#include <ranges>

#include "alknet/tensor/blobs.h"
#include "alknet/tensor/records.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

constexpr std::string_view kParticles = R"({
  "TypeDef:Struct": {"order": ["p", "t"]}, "required": ["p", "t"],
  "properties": {
    "t": {"TypeDef:Tensor": {"dtype": {"TypeDef:Blob": {"item": {"TypeDef:String": true}}}, "shape": [-1, 2]}},
    "p": {"TypeDef:Tensor": {"shape": [-1, 2], "dtype": {
      "TypeDef:Struct": {"order": ["on", "position", "mass", "grid", "color", "tag", "half"]},
      "required": ["on", "position", "grid", "color", "tag", "half"],
      "properties": {
        "on": {"TypeDef:Boolean": true},
        "position": {"TypeDef:Struct": {"order": ["x", "y"]}, "required": ["x"],
                     "properties": {"x": {"TypeDef:Float32": true}, "y": {"TypeDef:Float64": true}}},
        "mass": {"TypeDef:Float64": true},
        "grid": {"TypeDef:Array": true, "minItems": 2, "maxItems": 2, "items": {
          "TypeDef:Array": true, "minItems": 3, "maxItems": 3, "items": {"TypeDef:Int16": true}}},
        "color": {"TypeDef:Enum": true, "enum": ["red", "green"]},
        "tag": {"TypeDef:String": {"maxBytes": 6}},
        "half": {"TypeDef:Float16": true}}}}}
  }})";

/// A file of `rows` rows of two particles: numbers count up with the index, every third particle has no mass, every
/// second one no y.
class MetatensorColumns : public testing::Test {
 protected:
  std::string write(std::uint64_t rows) {
    const std::string path = folder_.path("particles.mt");
    const schema::Schema schema = schema::Schema::parse(kParticles);
    Writer writer(path, {.schema = schema});
    const schema::Layout layout =
        schema::layout(*schema.root().property("p")->node->tensor.element, schema::LayoutMode::kAligned);
    const auto texts = writer.declare_blobs("t", {2});
    const auto particles = writer.declare_growing(
        {.name = "p", .dtype = schema::FileDtype::kU8, .shape = {2, static_cast<std::int64_t>(*layout.size())}});
    writer.start();
    std::vector<std::byte> record(*layout.size());
    const auto set = [&](std::string_view field, const auto& value) {
      schema::FieldAccess(layout, field).set(record, value);
    };
    for (std::uint32_t i = 0; i < 2 * rows; ++i) {
      std::ranges::fill(record, std::byte{0});
      set("on", i % 2 == 0);
      set("position.x", static_cast<float>(i));
      if (i % 2 == 0) set("position.y", 0.25 * i);
      if (i % 3 != 0) set("mass", 2.0 * i);
      for (std::uint32_t k = 0; k < 6; ++k) {
        const std::string cell = "grid[" + std::to_string(k / 3) + "][" + std::to_string(k % 3) + "]";
        set(cell, static_cast<std::int16_t>(10 * i + k));
      }
      set("color", i % 2);
      set("tag", "t" + std::to_string(i));
      set("half", 0.5F);
      writer.append(particles, record);
      writer.append_blob(texts, "text " + std::to_string(i));
    }
    writer.close();
    return path;
  }

  TestFolder folder_;
};

TEST_F(MetatensorColumns, AreStridedViewsOfOneField) {
  for (const Access access : {Access::kMap, Access::kRead}) {
    const RecordsView records = File::open(write(10), {.access = access}).records("p");
    const auto x = records.column<float>("position.x");
    EXPECT_THAT(x.shape(), testing::ElementsAre(10, 2));
    const auto stride = static_cast<std::int64_t>(records.stride());
    EXPECT_THAT(x.strides(), testing::ElementsAre(2 * stride, stride));
    EXPECT_FALSE(x.nullable());
    ASSERT_EQ(x.count(), 20u);
    for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(x[i], static_cast<float>(i));
    EXPECT_EQ(x.at(3, 1), 7.0F);
    EXPECT_EQ(std::accumulate(x.begin(), x.end(), 0.0F), 190.0F);
    EXPECT_EQ(records.column<std::uint32_t>("color")[3], 1u);
    EXPECT_EQ(records.column<bool>("on")[3], false);
    EXPECT_EQ(records.column<std::uint16_t>("half")[3], 0x3800);  // 0.5 in IEEE half precision
    EXPECT_EQ(records.text_column("tag")[13], "t13");
  }
}

TEST_F(MetatensorColumns, ArraysAddTheirDimensions) {
  const RecordsView records = File::open(write(4)).records("p");
  const auto grid = records.column<std::int16_t>("grid");
  EXPECT_THAT(grid.shape(), testing::ElementsAre(4, 2, 2, 3));
  EXPECT_EQ(grid.count(), 48u);
  for (std::int16_t i = 0; i < 8; ++i) {
    for (std::int16_t k = 0; k < 6; ++k) {
      EXPECT_EQ(grid.at(i / 2, i % 2, k / 3, k % 3), 10 * i + k);
      EXPECT_EQ(grid[static_cast<std::uint64_t>(6 * i + k)], 10 * i + k);
    }
  }
  EXPECT_EQ(records.column<std::int16_t>("grid[1][2]")[7], 75);
  EXPECT_THAT(records.column<std::int16_t>("grid[1]").shape(), testing::ElementsAre(4, 2, 3));
  EXPECT_EQ(code_of([&] { grid.at(0, 0, 2, 0); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { grid.at(0, 0); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { grid.at(-1, 0, 0, 0); }), "index_out_of_range");
}

TEST_F(MetatensorColumns, NullableOnesSayWhichAreValid) {
  const RecordsView records = File::open(write(6)).records("p");
  const auto mass = records.column<double>("mass");
  EXPECT_TRUE(mass.nullable());
  EXPECT_EQ(mass.null_count(), 4u);
  EXPECT_FALSE(mass.get(3).has_value());
  EXPECT_EQ(mass.get(4), 8.0);
  EXPECT_EQ(mass[3], 0.0);  // as stored
  EXPECT_EQ(records.column<double>("position.y").get(4), 1.0);
  EXPECT_FALSE(records.column<double>("position.y").is_valid(5));
  EXPECT_EQ(code_of([&] { mass.is_valid(12); }), "index_out_of_range");
}

TEST_F(MetatensorColumns, AgreeWithGetAndJson) {
  const RecordsView records = File::open(write(20)).records("p");
  const auto mass = records.column<double>("mass");
  const auto field = records.field("mass");
  const auto tag = records.field("tag");
  for (const auto record : records) {
    EXPECT_EQ(record.get<double>(field), mass.get(record.index()));
    EXPECT_EQ(record.get<std::string_view>(tag), records.text_column("tag")[record.index()]);
    const Json json = record.json();
    EXPECT_EQ(json.as_object().contains("mass"), mass.is_valid(record.index()));
  }
}

TEST_F(MetatensorColumns, WrongTypesAndPathsAreErrors) {
  const RecordsView records = File::open(write(1)).records("p");
  EXPECT_EQ(code_of([&] { records.column<double>("position.x"); }), "dtype_mismatch");
  EXPECT_EQ(code_of([&] { records.column<float>("position"); }), "dtype_mismatch");
  EXPECT_EQ(code_of([&] { records.column<std::uint8_t>("on"); }), "dtype_mismatch");
  EXPECT_EQ(code_of([&] { records.column<float>("tag"); }), "dtype_mismatch");
  EXPECT_EQ(code_of([&] { records.text_column("mass"); }), "dtype_mismatch");
  EXPECT_EQ(code_of([&] { records.column<float>("velocity"); }), "not_found");
  EXPECT_EQ(code_of([&] { records.column<float>("position.x")[2]; }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { records.column<float>("position.x")[UINT64_MAX]; }), "index_out_of_range");
}

TEST_F(MetatensorColumns, OfNoRecordsAreEmpty) {
  const RecordsView records = File::open(write(0)).records("p");
  const auto grid = records.column<std::int16_t>("grid");
  EXPECT_EQ(grid.count(), 0u);
  EXPECT_EQ(grid.begin(), grid.end());
  EXPECT_EQ(records.column<double>("mass").null_count(), 0u);
  EXPECT_EQ(code_of([&] { grid[0]; }), "index_out_of_range");
  EXPECT_EQ(records.begin(), records.end());
}

TEST_F(MetatensorColumns, SlicesShareTheMemoryAndCountFromZero) {
  const File file = File::open(write(10));
  const RecordsView records = file.records("p");
  const RecordsView part = records.slice(3, 5);
  EXPECT_THAT(part.shape(), testing::ElementsAre(2, 2));
  EXPECT_EQ(part.count(), 4u);
  EXPECT_EQ(part.record(0).data(), records.record(6).data());
  EXPECT_EQ(part.column<float>("position.x")[0], 6.0F);
  EXPECT_EQ(part.slice(1, 2).column<float>("position.x")[1], 9.0F);
  EXPECT_EQ(records.slice(10, 10).count(), 0u);
  EXPECT_EQ(code_of([&] { records.slice(5, 11); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { records.slice(5, 4); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { part.record(4); }), "index_out_of_range");

  const BlobView texts = file.blobs("t").slice(3, 5);
  EXPECT_THAT(texts.shape(), testing::ElementsAre(2, 2));
  std::vector<std::string> found;
  for (const auto text : texts) found.emplace_back(text.text());
  EXPECT_THAT(found, testing::ElementsAre("text 6", "text 7", "text 8", "text 9"));
  EXPECT_EQ(code_of([&] { texts.text(4); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { texts.slice(0, 3); }), "index_out_of_range");
}

TEST_F(MetatensorColumns, IteratorsWorkWithAlgorithms) {
  const RecordsView records = File::open(write(50)).records("p");
  static_assert(std::random_access_iterator<IndexIterator<RecordsView>>);
  static_assert(std::ranges::random_access_range<Column<float>>);
  const auto x = records.column<float>("position.x");
  EXPECT_EQ(std::lower_bound(x.begin(), x.end(), 37.0F) - x.begin(), 37);
}

constexpr std::string_view kOneNullable = R"({"TypeDef:Struct":{"order":["r"]},"required":["r"],"properties":{"r":{
    "TypeDef:Tensor":{"shape":[-1],"dtype":{"TypeDef:Struct":true,"properties":{"n":{"TypeDef:Uint16":true}}}}}}})";

File one_nullable(const std::string& schema, std::string_view data) {
  const Json header =
      JsonObject{{"__metadata__", {{"metatensor", "1"}, {"metatensor.schema", schema}}},
                 {"r", {{"dtype", "U8"}, {"shape", {data.size() / 4, 4}}, {"data_offsets", {0, data.size()}}}}};
  return open_bytes(json_text(header), data);
}

TEST(MetatensorColumnsOfHostileFiles, AllAbsentIsAllNull) {
  const RecordsView records = one_nullable(std::string(kOneNullable), std::string(12, '\0')).records("r");
  const auto column = records.column<std::uint16_t>("n");
  EXPECT_EQ(column.null_count(), 3u);
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_FALSE(column.get(i).has_value());
}

TEST(MetatensorColumnsOfHostileFiles, BigEndianRecordsAreRefused) {
  std::string schema(kOneNullable);
  schema.replace(schema.find(R"("order":["r"])"), 0, R"("endian":"big",)");
  EXPECT_EQ(code_of([&] { one_nullable(schema, std::string(4, '\0')).records("r"); }), "schema_invalid");
}

// Nothing but the schema's own check is trusted: bad bytes are found when they are read.
TEST(MetatensorColumnsOfHostileFiles, CheckValuesOnAccess) {
  const std::string schema = R"({"TypeDef:Struct":{"order":["r"]},"required":["r"],"properties":{"r":{
    "TypeDef:Tensor":{"shape":[-1],"dtype":{"TypeDef:Struct":{"order":["b","e","s","t"]},"required":["b","e","s","t"],
    "properties":{"b":{"TypeDef:Boolean":true},"e":{"TypeDef:Enum":true,"enum":["x"]},"s":{"TypeDef:String":{"maxBytes":4}},
    "t":{"TypeDef:Blob":{"item":"String"}}}}}}}})";
  const auto open = [&](std::string record, std::string store) {
    record.resize(32);
    const Json header = JsonObject{
        {"__metadata__", {{"metatensor", "1"}, {"metatensor.schema", schema}}},
        {"r", {{"dtype", "U8"}, {"shape", {1, 32}}, {"data_offsets", {0, 32}}}},
        {"__blob__.r", {{"dtype", "U8"}, {"shape", {store.size()}}, {"data_offsets", {32, 32 + store.size()}}}}};
    std::string text = json_text(header);
    text.resize(text.size() + 7 - (text.size() + 7) % 8 + 3, ' ');  // misaligned on purpose
    return open_bytes(text, record + store).records("r");
  };
  using std::string_literals::operator""s;
  const auto sound = open("\1\0\0\0\0\0\0\0\2\0\0\0hi\0\0"s + "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"s, "xyz");
  EXPECT_EQ(sound.column<bool>("b")[0], true);
  EXPECT_EQ(sound.column<std::uint32_t>("e")[0], 0u);
  EXPECT_EQ(sound.text_column("s")[0], "hi");
  EXPECT_EQ(sound.text_column("t")[0], "yz");
  EXPECT_EQ(code_of([&] { open("\2", "").column<bool>("b")[0]; }), "bad_boolean");
  EXPECT_EQ(code_of([&] { open("\0\0\0\0\1"s, "").column<std::uint32_t>("e")[0]; }), "bad_enum");
  EXPECT_EQ(code_of([&] { open("\0\0\0\0\0\0\0\0\5"s, "").text_column("s")[0]; }), "bad_length");
  EXPECT_EQ(code_of([&] { open("\0\0\0\0\0\0\0\0\1\0\0\0\xff"s, "").text_column("s")[0]; }), "bad_utf8");
  EXPECT_EQ(code_of([&] { open(std::string(16, '\0') + "\1\0\0\0\0\0\0\0\3"s, "xyz").text_column("t")[0]; }),
            "blob_out_of_range");
}

}  // namespace
}  // namespace alknet::tensor
