#include "alknet/base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"

namespace alknet {
namespace {

TEST(Bytes, LoadsAndStoresBothByteOrdersUnaligned) {
  std::array<std::byte, 9> buffer{};
  store_le<std::uint32_t>(buffer.data() + 1, 0x01020304);
  EXPECT_EQ(buffer[1], std::byte{4});
  EXPECT_EQ(buffer[4], std::byte{1});
  EXPECT_EQ(load_be<std::uint32_t>(buffer.data() + 1), 0x04030201U);
  store_be<std::uint64_t>(buffer.data() + 1, 0x0102030405060708);
  EXPECT_EQ(buffer[1], std::byte{1});
  EXPECT_EQ(load_le<std::uint64_t>(buffer.data() + 1), 0x0807060504030201U);
  store_le(buffer.data() + 1, 1.5F);
  EXPECT_EQ(load_le<float>(buffer.data() + 1), 1.5F);
}

TEST(Bytes, ChecksArithmetic) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(checked_add<std::uint64_t>(kMost, 0), kMost);
  EXPECT_EQ(checked_add<std::uint64_t>(kMost, 1), std::nullopt);
  EXPECT_EQ(checked_mul<std::uint64_t>(1ULL << 32, 1ULL << 31), 1ULL << 63);
  EXPECT_EQ(checked_mul<std::uint64_t>(1ULL << 32, 1ULL << 32), std::nullopt);
  EXPECT_EQ(checked_mul<std::int64_t>(std::numeric_limits<std::int64_t>::min(), -1), std::nullopt);
  EXPECT_EQ(align_up<std::uint64_t>(0, 64), 0U);
  EXPECT_EQ(align_up<std::uint64_t>(65, 64), 128U);
  EXPECT_EQ(align_up<std::uint64_t>(kMost, 64), std::nullopt);
}

TEST(SharedBytes, KeepsItsOwnerAsLongAsASliceLives) {
  const auto owner = std::make_shared<std::array<std::byte, 4>>();
  (*owner)[2] = std::byte{7};
  auto bytes = SharedBytes::wrap(*owner, owner);
  auto slice = bytes.slice(2, 1);
  bytes = {};
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(slice.data(), owner->data() + 2);
  slice = {};
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(SharedBytes, RefusesSlicesThatAreNotInside) {
  const auto bytes = SharedBytes::copy("abcd");
  EXPECT_EQ(bytes.slice(4, 0).size(), 0U);
  EXPECT_EQ(bytes.slice(1, 2).text(), "bc");
  EXPECT_THROW(bytes.slice(5, 0), Error);
  EXPECT_THROW(bytes.slice(1, 4), Error);
  EXPECT_THROW(bytes.slice(1, std::numeric_limits<std::size_t>::max()), Error);
}

TEST(Error, SaysWhatItIsToProgramsAndPeople) {
  const Error error(BaseError::kNotFound, "no model \"x\": see `model list`", JsonObject{{"name", "x"}});
  const Error copy = error;
  EXPECT_EQ(copy.code(), BaseError::kNotFound);
  EXPECT_EQ(copy.code_name(), "not_found");
  EXPECT_STREQ(copy.what(), "no model \"x\": see `model list`");
  EXPECT_EQ(json_text(copy.details()), R"({"name":"x"})");
  EXPECT_STREQ(copy.code().category().name(), "base");
}

TEST(Error, NamesEveryCodeOfItsEnum) {
  EXPECT_EQ(Error(BaseError::kInvalidArgument, "").code_name(), "invalid_argument");
  EXPECT_EQ(Error(BaseError::kJsonDuplicateKey, "").code_name(), "duplicate_key");
  EXPECT_EQ(Error(BaseError::kInternal, "").code_name(), "internal");
  EXPECT_EQ(base_category().message(11), "unknown");
  EXPECT_EQ(base_category().message(0), "unknown");
}

TEST(Error, OfASystemCallNamesThePathAndTheReason) {
  const auto error = io_error("open", "/some/file", ENOENT);
  EXPECT_EQ(error.message(), "open: /some/file: No such file or directory");
  EXPECT_EQ(error.details().at("errno").as_int64(), ENOENT);
}

}  // namespace
}  // namespace alknet
