#include "alknet/base/hash.h"

#include <gtest/gtest.h>

#include <string_view>

namespace alknet {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update(bytes_of(text));
  return hash.hex();
}

// FIPS 180-4 examples.
TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, TakesPiecesAndGoesOnAfterADigest) {
  Sha256 hash;
  for (const std::string_view piece : {"ab", "", "c"}) hash.update(bytes_of(piece));
  const Sha256 copy = hash;
  EXPECT_EQ(hash.hex(), sha256("abc"));
  hash.update(bytes_of("d"));
  EXPECT_EQ(hash.hex(), sha256("abcd"));
  EXPECT_EQ(copy.hex(), sha256("abc"));
}

// What `xxhsum -H2` prints.
TEST(Xxh3, MatchesTheReferenceProgram) {
  EXPECT_EQ(xxh3_128_hex({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(xxh3_128_hex(bytes_of("abc")), "06b05ab6733a618578af5f94892f3950");
}

TEST(Xxh3, TakesPieces) {
  Xxh3 hash;
  EXPECT_EQ(hash.hex(), xxh3_128_hex({}));
  for (const std::string_view piece : {"ab", "", "c"}) hash.update(bytes_of(piece));
  EXPECT_EQ(hash.hex(), xxh3_128_hex(bytes_of("abc")));
  const std::string longer(10'000, 'x');
  hash.update(bytes_of(longer));
  EXPECT_EQ(hash.hex(), xxh3_128_hex(bytes_of("abc" + longer)));
}

TEST(HexText, KeepsLeadingZeros) { EXPECT_EQ(hex_text(bytes_of(std::string_view("\x00\x0F\xA0", 3))), "000fa0"); }

}  // namespace
}  // namespace alknet
