#include "alknet/stream/compression.h"

#include <gtest/gtest.h>

#include <random>

#include "alknet/base/testing.h"

namespace alknet::stream {
namespace {

std::vector<std::byte> some_bytes(std::size_t size, bool random) {
  std::minstd_rand source(5);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random ? source() >> 8 : 7);
  return bytes;
}

std::vector<std::byte> decompressed(std::span<const std::byte> bytes, std::size_t at_once) {
  Decompressor decompressor;
  std::vector<std::byte> result;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(at_once, bytes.size()))) {
    decompressor.decompress(bytes.first(std::min(at_once, bytes.size())), [&](std::span<const std::byte> more) {
      result.insert(result.end(), more.begin(), more.end());
    });
  }
  EXPECT_TRUE(decompressor.ended());
  return result;
}

TEST(StreamCompression, GivesBackTheSameBytesFromPiecesOfAnySize) {
  for (const bool random : {false, true}) {
    const auto bytes = some_bytes(300'000, random);
    Compressor compressor(1);
    std::vector<std::byte> packed = compressor.compress(std::span(bytes).first(100'000), false);
    const auto rest = compressor.compress(std::span(bytes).subspan(100'000), true);
    packed.insert(packed.end(), rest.begin(), rest.end());
    EXPECT_LT(packed.size(), random ? 301'000U : 1000U);
    EXPECT_EQ(decompressed(packed, 1'000'000), bytes);
    EXPECT_EQ(decompressed(packed, 999), bytes);
  }
  const auto nothing = Compressor(1).compress({}, true);
  EXPECT_TRUE(decompressed(nothing, 1).empty());
}

TEST(StreamCompression, RefusesWhatIsNoFrameOrFollowsOne) {
  const auto take = [](std::span<const std::byte>) {};
  Decompressor garbage;
  EXPECT_EQ(code_of([&] { garbage.decompress(some_bytes(100, true), take); }), "protocol_error");
  auto packed = Compressor(1).compress(some_bytes(100, true), true);
  packed.push_back(std::byte{1});
  Decompressor behind;
  EXPECT_EQ(code_of([&] { behind.decompress(packed, take); }), "protocol_error");
}

TEST(StreamCompression, StopsWhenTheTakerHasEnough) {
  const auto packed = Compressor(1).compress(some_bytes(std::size_t{64} << 20, false), true);
  EXPECT_LT(packed.size(), 100'000U);
  std::size_t taken = 0;
  Decompressor bomb;
  const auto take = [&](std::span<const std::byte> more) {
    taken += more.size();
    if (taken > 1000) throw Error(BaseError::kAborted, "enough");
  };
  EXPECT_EQ(code_of([&] { bomb.decompress(packed, take); }), "aborted");
  EXPECT_LE(taken, std::size_t{256} << 10);
}

}  // namespace
}  // namespace alknet::stream
