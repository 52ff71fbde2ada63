#include "alknet/tensor/header.h"

#include <fmt/format.h>

#include <array>

#include "alknet/tensor/limits.h"
#include "alknet/tensor/test_support.h"

namespace alknet::tensor {
namespace {

constexpr std::string_view kEmptyU8 = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";

TEST(MetatensorHeader, PutsEntriesIntoDataOrder) {
  const File file = open_bytes(R"({"c":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                               R"("b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},)"
                               R"("a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},)"
                               R"("d":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                               "xy");
  std::vector<std::string_view> names;
  for (const Entry& entry : file.entries()) names.push_back(entry.name);
  EXPECT_THAT(names, testing::ElementsAre("d", "a", "b", "c"));
  for (const Entry& entry : file.entries()) EXPECT_EQ(file.find(entry.name), &entry);
  EXPECT_EQ(file.find("e"), nullptr);
}

TEST(MetatensorHeader, KeepsShapesWithTheirEntriesWhenItSorts) {
  const File file = open_bytes(R"({"b":{"dtype":"U8","shape":[2,1],"data_offsets":[3,5]},)"
                               R"("a":{"dtype":"U8","shape":[1,3],"data_offsets":[0,3]}})",
                               "abcde");
  EXPECT_THAT(file.find("a")->shape, testing::ElementsAre(1, 3));
  EXPECT_THAT(file.find("b")->shape, testing::ElementsAre(2, 1));
}

TEST(MetatensorHeader, UnescapesNamesInPlace) {
  const File file = open_bytes(fmt::format(R"({{"\u00e9\ud83d\ude00\n\"":{}}})", kEmptyU8));
  EXPECT_NE(file.find("\u00e9\U0001F600\n\""), nullptr);
}

TEST(MetatensorHeader, FaultNamesTheEntryAndTheByteInTheFile) {
  const std::string header = R"({"good":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                             R"("bad":{"dtype":"Q7","shape":[0],"data_offsets":[0,0]}})";
  const Error error = error_of([&] { open_bytes(header); });
  EXPECT_EQ(error.code_name(), "unknown_dtype");
  EXPECT_EQ(error.details().at("entry"), "bad");
  EXPECT_EQ(error.details().at("offset").to_number<std::size_t>(), 8 + header.find("Q7") + 3);
  EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("\"bad\""), testing::HasSubstr("\"Q7\"")));
}

TEST(MetatensorHeader, MessagesDoNotRepeatHostileNamesRaw) {
  const std::string name(1000, '\x7f');
  const Error error = error_of([&] { open_bytes(fmt::format(R"({{"{}\n":{{"dtype":"?"}}}})", name)); });
  EXPECT_LT(error.message().size(), 1000u);
  EXPECT_EQ(error.message().find('\x7f'), std::string::npos);
  EXPECT_EQ(error.message().find('\n'), std::string::npos);
}

std::string many_entries(std::size_t count) {
  std::string header = "{";
  for (std::size_t i = 0; i < count; ++i)
    fmt::format_to(std::back_inserter(header), "{}\"{}\":{}", i ? "," : "", i, kEmptyU8);
  return header + "}";
}

TEST(MetatensorHeader, TakesAMillionEntries) {
  const File file = open_bytes(many_entries(kMaxEntries));
  EXPECT_EQ(file.entries().size(), kMaxEntries);
  EXPECT_NE(file.find("999999"), nullptr);
}

TEST(MetatensorHeader, RefusesAMillionAndOneEntries) {
  EXPECT_EQ(code_of([&] { open_bytes(many_entries(kMaxEntries + 1)); }), "too_many_entries");
}

TEST(MetatensorHeader, FindsDuplicatesFarApart) {
  std::string header = many_entries(50'000);
  header.back() = ',';
  header += fmt::format("\"7\":{}}}", kEmptyU8);
  const Error error = error_of([&] { open_bytes(header); });
  EXPECT_EQ(error.code_name(), "duplicate_key");
  EXPECT_EQ(error.details().at("offset").to_number<std::size_t>(), 8 + header.rfind("\"7\":") + 1);
}

TEST(MetatensorHeader, ChecksTheLengthBeforeItReadsTheHeader) {
  TestFolder folder;
  save(folder.path("a"), std::string("\xff\xe0\xf5\x05\0\0\0\0", 8) + "{}");  // 99,999,999 bytes claimed
  for (const Access access : {Access::kMap, Access::kRead}) {
    EXPECT_EQ(code_of([&] { File::open(folder.path("a"), {.access = access}); }), "header_truncated");
  }
}

TEST(MetatensorHeader, EveryPrefixOfAFileIsRefused) {
  const std::string whole = load_file(ALKNET_SOURCE_DIR "/fuzz/seeds/header/blobs");
  ASSERT_FALSE(whole.empty());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(code_of([&] { File::from_bytes(SharedBytes::copy(std::string_view(whole).substr(0, size))); }),
              "no error")
        << size;
  }
}

}  // namespace
}  // namespace alknet::tensor
