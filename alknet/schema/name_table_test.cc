#include "alknet/schema/name_table.h"

#include <gtest/gtest.h>

#include <string>

namespace alknet::schema {
namespace {

TEST(NameTable, FindsEveryNameAndNoOther) {
  std::vector<std::string> texts = {""};
  for (int length = 1; length <= 40; ++length) {
    texts.emplace_back(static_cast<std::size_t>(length), 'a');
    texts.push_back(std::string(static_cast<std::size_t>(length - 1), 'a') + "b");
  }
  const std::vector<std::string_view> names(texts.begin(), texts.end());
  const NameTable table(names);
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(table.find(names[i]), i);
    EXPECT_EQ(table.find(texts[i] + std::string(1, '\0')), NameTable::kNotFound);
    EXPECT_EQ(table.find("x" + texts[i]), NameTable::kNotFound);
  }
}

TEST(NameTable, TellsLongNamesApartThatDifferInTheMiddle) {
  std::vector<std::string> texts;
  for (char c = 'a'; c <= 'z'; ++c) texts.push_back("12345678" + std::string(1, c) + "12345678");
  const NameTable table(std::vector<std::string_view>(texts.begin(), texts.end()));
  for (std::uint32_t i = 0; i < texts.size(); ++i) EXPECT_EQ(table.find(texts[i]), i);
  EXPECT_EQ(table.find("12345678_12345678"), NameTable::kNotFound);
}

TEST(NameTable, ExpectsANameAndFindsTheOthersToo) {
  const std::vector<std::string_view> names = {"type", "id", "properties", "geometry"};
  const NameTable table(names);
  for (std::uint32_t expected = 0; expected <= names.size(); ++expected) {
    for (std::uint32_t i = 0; i < names.size(); ++i) EXPECT_EQ(table.find(names[i], expected), i);
    EXPECT_EQ(table.find("bbox", expected), NameTable::kNotFound);
  }
}

TEST(NameTable, MayBeEmpty) {
  EXPECT_EQ(NameTable().find("a"), NameTable::kNotFound);
  EXPECT_EQ(NameTable(std::vector<std::string_view>()).find(""), NameTable::kNotFound);
}

}  // namespace
}  // namespace alknet::schema
