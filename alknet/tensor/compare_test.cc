#include "alknet/tensor/compare.h"

#include <cmath>

#include "alknet/tensor/record_writer.h"
#include "alknet/tensor/test_support.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

class MetatensorCompare : public testing::Test {
 protected:
  File flat(const char* name, std::vector<std::pair<std::string, std::vector<float>>> entries, Metadata metadata = {}) {
    Writer writer(folder_.path(name), {.metadata = std::move(metadata)});
    std::vector<Writer::Id> ids;
    for (const auto& [entry, values] : entries) {
      ids.push_back(writer.declare(
          {.name = entry, .dtype = FileDtype::kF32, .shape = {static_cast<std::int64_t>(values.size())}}));
    }
    writer.start();
    for (std::size_t i = 0; i < ids.size(); ++i) writer.write(ids[i], std::span(entries[i].second));
    writer.close();
    return File::open(folder_.path(name));
  }

  File records(const char* name, const std::string& properties, const std::string& json) {
    const std::string schema =
        R"({"TypeDef:Struct":true,"required":["r"],"properties":{"r":{"TypeDef:Tensor":{"shape":[-1],
      "dtype":{"TypeDef:Struct":true,"properties":{)" +
        properties + "}}}}}}";
    Writer writer(folder_.path(name), {.schema = schema::Schema::parse(schema)});
    RecordWriter out(writer, "r");
    writer.start();
    const Json instances = parse_json(json);
    for (const Json& instance : instances.as_array()) out.append(instance);
    writer.close();
    return File::open(folder_.path(name));
  }

  TestFolder folder_;
};

TEST_F(MetatensorCompare, EqualFilesAreEqual) {
  const File a = flat("a", {{"x", {1, std::nanf("")}}}, {{"k", "v"}});
  const File b = flat("b", {{"x", {1, std::nanf("")}}}, {{"k", "v"}});
  EXPECT_TRUE(compare(a, b).empty());
  EXPECT_EQ(compare(a, b).json().at("equal"), true);
}

TEST_F(MetatensorCompare, ListsEntriesValuesAndMetadata) {
  const File a =
      flat("a", {{"gone", {1}}, {"same", {1}}, {"values", {1, 2, 3}}, {"shape", {1}}}, {{"k", "v"}, {"l", "v"}});
  const File b =
      flat("b", {{"new", {1}}, {"same", {1}}, {"values", {1, 5, -3}}, {"shape", {1, 2}}}, {{"k", "w"}, {"m", "v"}});
  const FileDifference found = compare(a, b);
  EXPECT_THAT(found.metadata, testing::ElementsAre("k", "l", "m"));
  ASSERT_EQ(found.entries.size(), 4u);
  const auto entry = [&](std::string_view name) {
    return *std::ranges::find(found.entries, name, &EntryDifference::entry);
  };
  EXPECT_EQ(entry("gone").change, EntryChange::kRemoved);
  EXPECT_EQ(entry("new").change, EntryChange::kAdded);
  EXPECT_EQ(entry("shape").change, EntryChange::kForm);
  EXPECT_EQ(entry("shape").after, "F32 [2]");
  EXPECT_EQ(entry("values").change, EntryChange::kValues);
  EXPECT_EQ(entry("values").values, 3u);
  EXPECT_EQ(entry("values").differing, 2u);
  EXPECT_EQ(entry("values").first, 1u);
}

// The same contents, differently stored: other field order, other order of blobs.
TEST_F(MetatensorCompare, RecordsAreEqualByContent) {
  const std::string s = R"("s":{"TypeDef:Blob":{"item":"String"}})", n = R"("n":{"TypeDef:Int8":true})";
  const File a = records("a", s + "," + n, R"([{"s":"x","n":1},{"s":"yy"},{}])");
  const File b = records("b", n + "," + s, R"([{"n":1,"s":"x"},{"s":"yy"},{}])");
  const FileDifference reordered = compare(a, b);
  EXPECT_TRUE(reordered.entries.empty());
  EXPECT_EQ(reordered.schema.changes.size(), 1u);
  const File c = records("c", s + "," + n, R"([{"s":"x","n":1},{"s":"zz"},{"n":0}])");
  const FileDifference found = compare(a, c);
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].differing, 2u);
}

TEST_F(MetatensorCompare, SubByteElementsAreCountedOneByOne) {
  const auto open = [](char first) {
    return open_bytes(R"({"t":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", std::string{first, 0x21});
  };
  const FileDifference found = compare(open(0x10), open(0x30));
  ASSERT_EQ(found.entries.size(), 1u);
  EXPECT_EQ(found.entries[0].differing, 1u);
  EXPECT_EQ(found.entries[0].first, 1u);
}

TEST_F(MetatensorCompare, EmptyFilesAndEntriesAreEqual) {
  EXPECT_TRUE(compare(open_bytes("{}"), open_bytes("{}")).empty());
  EXPECT_TRUE(compare(flat("a", {{"x", {}}}), flat("b", {{"x", {}}})).empty());
}

}  // namespace
}  // namespace alknet::tensor
