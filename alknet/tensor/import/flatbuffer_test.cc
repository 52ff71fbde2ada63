#include "alknet/tensor/import/flatbuffer.h"

#include <gtest/gtest.h>

#include <vector>

namespace alknet::tensor {
namespace {

// By hand, after https://flatbuffers.dev/internals: a table with an int32 (field 0), a string (1), an absent field (2)
// and a vector of two int64 pairs (3).
std::vector<std::byte> buffer() {
  std::vector<std::byte> bytes(80);
  const auto put = [&](std::size_t at, auto value) { store_le(bytes.data() + at, value); };
  put(0, std::uint32_t{16});  // the root table
  put(4, std::uint16_t{12});  // vtable: its size, the table's, the fields'
  put(6, std::uint16_t{16});
  put(8, std::uint16_t{4});
  put(10, std::uint16_t{8});
  put(12, std::uint16_t{0});
  put(14, std::uint16_t{12});
  put(16, std::int32_t{12});  // back to the vtable
  put(20, std::int32_t{-7});
  put(24, std::uint32_t{8});   // string at 32
  put(28, std::uint32_t{16});  // vector at 44
  put(32, std::uint32_t{2});
  put(36, 'h');
  put(37, 'i');
  put(44, std::uint32_t{2});
  put(48, std::int64_t{1});
  put(56, std::int64_t{2});
  put(64, std::int64_t{3});
  put(72, std::int64_t{4});
  return bytes;
}

bool is_refused(const std::vector<std::byte>& bytes) {
  try {
    const FlatTable table = FlatTable::root(bytes);
    table.number<std::int32_t>(0);
    table.text(1);
    const FlatVector pairs = table.vector(3, 16, 8);
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs.number<std::int64_t>(i, 8);
    table.table(1);
  } catch (const FlatBufferFault&) {
    return true;
  }
  return false;
}

TEST(FlatBuffer, ReadsFieldsByNumber) {
  const auto bytes = buffer();
  const FlatTable table = FlatTable::root(bytes);
  EXPECT_EQ(table.number<std::int32_t>(0), -7);
  EXPECT_EQ(table.text(1), "hi");
  EXPECT_FALSE(table.has(2));
  EXPECT_EQ(table.number<std::int32_t>(2, 5), 5);
  EXPECT_EQ(table.number<std::int32_t>(9, 6), 6);
  const FlatVector pairs = table.vector(3, 16, 8);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs.number<std::int64_t>(1, 8), 4);
  EXPECT_EQ(table.vector(2, 16, 8).size(), 0u);
}

TEST(FlatBuffer, NeverLeavesTheBuffer) {
  for (std::size_t size = 0; size < buffer().size(); ++size) {
    auto bytes = buffer();
    bytes.resize(size);
    EXPECT_TRUE(is_refused(bytes)) << size;
  }
  for (std::size_t i = 0; i < buffer().size(); ++i) {
    for (const int value : {0, 1, 3, 0x7F, 0x80, 0xFF}) {
      auto bytes = buffer();
      bytes[i] = static_cast<std::byte>(value);
      is_refused(bytes);  // the sanitizers watch
    }
  }
}

TEST(FlatBuffer, RefusesStringsWithoutEnd) {
  auto bytes = buffer();
  bytes[38] = std::byte{'x'};
  EXPECT_TRUE(is_refused(bytes));
  auto empty = buffer();
  store_le(empty.data() + 32, std::uint32_t{0});  // its bytes remain: the first is no NUL
  EXPECT_TRUE(is_refused(empty));
}

}  // namespace
}  // namespace alknet::tensor
