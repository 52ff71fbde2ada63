#include "alknet/tensor/plain_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "alknet/schema/schema.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/header.h"
#include "alknet/tensor/test_support.h"

namespace alknet::tensor {
namespace {

/// A metatensor file of three tensors and a pad: a, F32 [2]; b.c, U8 [0, 3]; b.d, U8 [1].
const File& sample() {
  static const File file = open_bytes(
      R"({"__metadata__":{"metatensor":"1"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b.c":{"dtype":"U8","shape":[0,3],"data_offsets":[8,8]},"b.d":{"dtype":"U8","shape":[1],"data_offsets":[8,9]},)"
      R"("__pad__.0":{"dtype":"U8","shape":[1],"data_offsets":[9,10]}})",
      std::string(10, '\0'));
  return file;
}

Header header_of(const File& file) {
  std::vector<std::byte> bytes(file.size());
  file.read(0, bytes);
  const HeaderPlace place = place_header(bytes, bytes.size(), "sample");
  const std::size_t size = place.data_offset - 8;
  auto text = std::make_unique<char[]>(size);
  std::copy_n(reinterpret_cast<const char*>(bytes.data()) + 8, size, text.get());
  return Header::parse(std::move(text), place, "sample");
}

bool plain(std::string text) {
  static const Header header = header_of(sample());
  return agrees_plainly(text, header);
}

/// What the schema layer and FileSchema say of the same text: the code of the first error, or "no error".
std::string verdict(const std::string& text) {
  return code_of([&] {
    const FileSchema schema(schema::Schema::parse(text));
    schema.check(sample().entries(), "sample", [](const Error& error) { throw error; });
  });
}

const std::string kA = R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]}})";
const std::string kC = R"("c":{"TypeDef:Tensor":{"dtype":"U8","shape":[0,3]}})";
const std::string kD = R"("d":{"TypeDef:Tensor":{"shape":[-1],"dtype":"U8"}})";

std::string root(const std::string& properties, const std::string& more = "") {
  return R"({"TypeDef:Struct":true,"properties":{)" + properties + "}" + more + "}";
}
std::string inner(const std::string& properties, const std::string& more = "") {
  return R"("b":)" + root(properties, more);
}

TEST(PlainSchema, KnowsStructsOfTensors) {
  const std::vector<std::string> texts = {
      root(kA + "," + inner(kC + "," + kD)),
      " " + root(inner(kD + " , " + kC, R"(,"required":["d"])") + ",\n" + kA, R"( , "required" : ["a", "b"])") + "\t",
      root(kA + R"(,"b.c":{"TypeDef:Tensor":{"dtype":"U8","shape":[-1,3]}})" +
               R"(,"b.\u0064":{"TypeDef:Tensor":{"dtype":"U8","shape":[1]}})",
           R"(,"required":["b.d","a"])"),
      R"({"properties":{)" + kA + "," + inner(kC + "," + kD) +
          R"(},"required":[],"TypeDef:Struct":{"order":["b","a"]}})",
  };
  for (const auto& text : texts) {
    EXPECT_TRUE(plain(text)) << text;
    EXPECT_EQ(verdict(text), "no error") << text;
  }
}

TEST(PlainSchema, LeavesFaultsToTheSchema) {
  const std::string all = kA + "," + inner(kC + "," + kD);
  struct Row {
    std::string text, code;
  };
  const std::vector<Row> rows = {
      {"", "schema_invalid"},
      {"true", "not_a_file_schema"},
      {root(all) + ",", "schema_invalid"},
      {root(all + ","), "schema_invalid"},
      {R"({"properties":{)" + all + "}}", "not_a_file_schema"},
      {root(all, R"(,"TypeDef:Struct":true)"), "schema_invalid"},
      {root(all, R"(,"required":["a","a"])"), "schema_invalid"},
      {root(all, R"(,"required":["x"])"), "schema_invalid"},
      {root(all, R"(,"required":[],"required":[])"), "schema_invalid"},
      {R"({"TypeDef:Struct":{"order":["a"]},"properties":{)" + all + "}}", "bad_order"},
      {R"({"TypeDef:Struct":{"order":["a","a"]},"properties":{)" + all + "}}", "bad_order"},
      {R"({"TypeDef:Struct":false,"properties":{)" + all + "}}", "schema_invalid"},
      {root(kA + "," + kA), "schema_invalid"},
      {root(kA + "," + inner(kC) + "," + inner(kD)), "schema_invalid"},
      {root(kA + "," + inner(kC + "," + kD) + R"(,"b.c":{"TypeDef:Tensor":{"dtype":"U8","shape":[0,3]}})"),
       "not_a_file_schema"},
      {root(kA + "," + inner(kC)), "entry_extra"},
      {root(kA + "," +
                inner(kC + "," + kD + R"(,"e":{"TypeDef:Tensor":{"dtype":"U8","shape":[]}})", R"(,"required":["e"])"),
            R"(,"required":["b"])"),
       "entry_missing"},
      {root(all + R"(,"":{"TypeDef:Struct":true,"properties":{}})"), "schema_invalid"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F16","shape":[2]}},)" + inner(kC + "," + kD)), "entry_mismatch"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[3]}},)" + inner(kC + "," + kD)), "entry_mismatch"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[2,1]}},)" + inner(kC + "," + kD)), "entry_mismatch"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[]}},)" + inner(kC + "," + kD)), "entry_mismatch"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[- 1]}},)" + inner(kC + "," + kD)), "schema_invalid"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[-2]}},)" + inner(kC + "," + kD)), "schema_invalid"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[02]}},)" + inner(kC + "," + kD)), "schema_invalid"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32"}},)" + inner(kC + "," + kD)), "schema_invalid"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[2],"align":3}},)" + inner(kC + "," + kD)),
       "schema_invalid"},
      {root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]},"default":1},)" + inner(kC + "," + kD)),
       "schema_invalid"},
  };
  for (const auto& [text, code] : rows) {
    EXPECT_FALSE(plain(text)) << text;
    EXPECT_EQ(verdict(text), code) << text;
  }
}

TEST(PlainSchema, LeavesWhatIsNotPlainToTheSchema) {
  const std::string all = kA + "," + inner(kC + "," + kD);
  for (const auto& text :
       {root(all, R"(,"title":"weights")"), root(all, R"(,"type":"object")"),
        root(all + R"(,"e":{"TypeDef:Tensor":{"dtype":"U8","shape":[]}})"),
        root(R"("a":{"TypeDef:Tensor":{"dtype":"F32","shape":[2],"align":64}},)" + inner(kC + "," + kD))}) {
    EXPECT_FALSE(plain(text)) << text;
    EXPECT_EQ(verdict(text), "no error") << text;
  }
}

TEST(PlainSchema, GivesUpOnDeepNesting) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += R"({"TypeDef:Struct":true,"properties":{"x":)";
  EXPECT_FALSE(plain(text + root(kA)));
}

// Every change of one byte: what is plain is so for the schema layer too.
TEST(PlainSchema, NeverAcceptsWhatTheSchemaRefuses) {
  const std::string text = R"({"TypeDef:Struct":{"order":["a","b"]},"properties":{)" + kA + "," +
                           inner(kC + "," + kD, R"(,"required":["d","c"])") + R"(},"required":["a"]})";
  ASSERT_TRUE(plain(text));
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : std::string_view("\"\\{}[],: -0123ab.cdFtr\n\0", 24)) {
      for (const bool insert : {false, true}) {
        std::string changed = text;
        if (insert) {
          changed.insert(i, 1, c);
        } else {
          changed[i] = c;
        }
        if (!plain(changed)) continue;
        ++accepted;
        EXPECT_EQ(verdict(changed), "no error") << changed;
      }
    }
  }
  EXPECT_GT(accepted, 100U);
}

}  // namespace
}  // namespace alknet::tensor
