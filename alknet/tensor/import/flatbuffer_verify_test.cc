#include "alknet/tensor/import/flatbuffer_verify.h"

#include <gtest/gtest.h>

#include <vector>

#include "alknet/tensor/import/arrow_types.h"
#include "alknet/tensor/import/flatbuffer.h"

namespace alknet::tensor {
namespace {

// A node of a list: a number, a text, the next node, a vector of nodes, a vector of pairs, and a union that is a node.
enum NodeField : unsigned { kValue, kName, kNext, kNodes, kPairs, kTag, kContent, kFields };
constexpr FlatField kNode[] = {{.form = FlatField::Form::kScalar, .bytes = 4},
                               {.form = FlatField::Form::kText},
                               {.form = FlatField::Form::kTable},
                               {.form = FlatField::Form::kTables},
                               {.form = FlatField::Form::kStructs, .bytes = 16, .align = 8},
                               {.form = FlatField::Form::kScalar, .bytes = 1},
                               {.form = FlatField::Form::kUnion, .count = 1}};
constexpr FlatType kTypes[] = {{kNode}};

constexpr std::size_t kTable = 24;       // behind the offset of the root, and the vtable at 4
constexpr std::size_t kTableBytes = 32;  // four bytes a field, behind the way back to the vtable

/// By hand, after https://flatbuffers.dev/internals: a node with these fields, which hold an offset, a number or a tag.
class Buffer {
 public:
  Buffer() : bytes_(128) {
    put(0, std::uint32_t{kTable});
    put(4, std::uint16_t{4 + 2 * kFields});
    put(6, std::uint16_t{kTableBytes});
    put(kTable, std::int32_t{kTable - 4});
  }

  template <typename T>
  void put(std::size_t at, T value) {
    store_le(bytes_.data() + at, value);
  }

  std::size_t place(NodeField field) const { return kTable + 4 + 4 * std::size_t{field}; }

  template <typename T>
  Buffer& set(NodeField field, T value) {
    put(4 + 4 + 2 * std::size_t{field}, static_cast<std::uint16_t>(place(field) - kTable));
    put(place(field), value);
    return *this;
  }

  /// The field leads to `target`.
  Buffer& lead(NodeField field, std::size_t target) {
    return set(field, static_cast<std::uint32_t>(target - place(field)));
  }

  std::string fault(std::size_t size = 128) const {
    try {
      verify_flatbuffer(std::span(bytes_).first(size), kTypes, 0);
      return "";
    } catch (const FlatBufferFault& fault) {
      return fault.what;
    }
  }

 private:
  std::vector<std::byte> bytes_;
};

Buffer whole() {
  Buffer buffer;
  buffer.set(kValue, std::int32_t{7}).set(kTag, std::uint8_t{1}).lead(kName, 64).lead(kNodes, 72).lead(kPairs, 76);
  buffer.put(64, std::uint32_t{2});
  buffer.put(68, std::uint16_t{0x6968});
  buffer.put(76, std::uint32_t{3});  // 48 bytes, to the end
  return buffer;
}

TEST(FlatBufferVerifier, TakesWhatIsInside) { EXPECT_EQ(whole().fault(), ""); }

TEST(FlatBufferVerifier, RefusesEveryCut) {
  for (std::size_t size = 0; size < 128; ++size) EXPECT_NE(whole().fault(size), "") << size;
}

TEST(FlatBufferVerifier, LooksAtFieldsThatNobodyReads) {
  EXPECT_EQ(whole().lead(kPairs, 78).fault(), "an offset is not aligned");
  EXPECT_EQ(whole().lead(kNext, 1000).fault(), "an offset leaves the buffer");
  EXPECT_EQ(whole().lead(kContent, 1000).fault(), "an offset leaves the buffer");
  auto long_text = whole();
  long_text.put(64, std::uint32_t{60});
  EXPECT_EQ(long_text.fault(), "a string does not end in NUL");
  auto many = whole();
  many.put(76, std::uint32_t{4});
  EXPECT_EQ(many.fault(), "a vector leaves the buffer");
}

TEST(FlatBufferVerifier, IgnoresUnionsOfTypesThatItDoesNotKnow) {
  EXPECT_EQ(whole().lead(kContent, 1000).set(kTag, std::uint8_t{2}).fault(), "");
}

// Two thousand items of one vector are all the same node, which has two thousand again.
TEST(FlatBufferVerifier, EndsOnTablesThatShareBytes) {
  std::vector<std::byte> bytes(16'384);
  const auto put = [&](std::size_t at, auto value) { store_le(bytes.data() + at, value); };
  put(0, std::uint32_t{24});
  put(4, std::uint16_t{4 + 2 * (kNodes + 1)});
  put(6, std::uint16_t{8});
  put(4 + 4 + 2 * kNodes, std::uint16_t{4});
  put(24, std::int32_t{20});
  put(28, std::uint32_t{4});  // the vector of nodes at 32
  put(32, std::uint32_t{2'000});
  // Each leads to a table behind the vector, which has the same vtable and the next 2,000 nodes.
  constexpr std::size_t kSecond = 8'040, kVector = 8'048;
  for (std::size_t i = 0; i < 2'000; ++i) {
    put(36 + 4 * i, static_cast<std::uint32_t>(kSecond - (36 + 4 * i)));
    put(kVector + 4 + 4 * i, static_cast<std::uint32_t>(16'100 - (kVector + 4 + 4 * i)));
  }
  put(kSecond, static_cast<std::int32_t>(kSecond - 4));
  put(kSecond + 4, std::uint32_t{4});
  put(kVector, std::uint32_t{2'000});
  put(16'100, std::int32_t{16'096});
  put(16'104, std::uint32_t{4});
  try {
    verify_flatbuffer(bytes, kTypes, 0);
    ADD_FAILURE() << "four million tables in 16 KiB";
  } catch (const FlatBufferFault& fault) {
    EXPECT_STREQ(fault.what, "too many tables");
  }
}

TEST(ArrowTypes, AnEmptyFooterIsWhole) {
  std::vector<std::byte> bytes(16);
  store_le(bytes.data(), std::uint32_t{8});
  store_le(bytes.data() + 4, std::uint16_t{4});
  store_le(bytes.data() + 6, std::uint16_t{4});
  store_le(bytes.data() + 8, std::int32_t{4});
  EXPECT_NO_THROW(verify_arrow_footer(bytes));
  EXPECT_NO_THROW(verify_arrow_message(bytes));
}

}  // namespace
}  // namespace alknet::tensor
