#include "alknet/call/engine/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "alknet/base/testing.h"

namespace alknet::call {
namespace {

std::vector<std::byte> framed(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::vector<std::byte> bytes{std::byte(size >> 24), std::byte(size >> 16 & 0xFF), std::byte(size >> 8 & 0xFF),
                               std::byte(size & 0xFF)};
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(FrameReader, FindsTheSameFramesHoweverTheBytesAreSplit) {
  std::vector<std::byte> stream;
  const std::vector<std::string> frames{"a", "bcd", std::string(300, 'x'), "e"};
  for (const auto& frame : frames) {
    const auto bytes = framed(frame);
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    FrameReader reader(1000);
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.read(std::span(stream).subspan(at, std::min(piece, stream.size() - at)), [&](auto frame) {
        seen.push_back(text_of(frame));
        return true;
      });
    }
    ASSERT_EQ(seen, frames) << "pieces of " << piece;
    EXPECT_EQ(reader.buffered(), 0U);
  }
}

TEST(FrameReader, DoesNotCopyAFrameThatLiesWhole) {
  const auto bytes = framed("whole");
  FrameReader reader(100);
  reader.read(bytes, [&](auto frame) {
    EXPECT_EQ(frame.data(), bytes.data() + kLengthPrefixBytes);
    return true;
  });
}

TEST(FrameReader, PausesAndGoesOn) {
  std::vector<std::byte> stream;
  for (const char c : {'a', 'b', 'c'}) {
    const auto bytes = framed(std::string(1, c));
    stream.insert(stream.end(), bytes.begin(), bytes.end());
  }
  FrameReader reader(100);
  std::string seen;
  const auto one = [&](std::span<const std::byte> frame) {
    seen += text_of(frame);
    return false;
  };
  reader.read(stream, one);
  EXPECT_EQ(seen, "a");
  EXPECT_EQ(reader.buffered(), 10U);
  reader.read(framed("d"), one);
  EXPECT_EQ(seen, "ab");
  reader.read({}, one);
  reader.read({}, one);
  EXPECT_EQ(seen, "abcd");
  EXPECT_EQ(reader.buffered(), 0U);
  reader.read({}, one);
  EXPECT_EQ(seen, "abcd");
}

TEST(FrameReader, RefusesEmptyAndOversizeFramesByTheirPrefix) {
  const auto read = [](std::vector<std::byte> bytes) {
    FrameReader reader(100);
    return code_of([&] { reader.read(bytes, [](auto) { return true; }); });
  };
  auto prefix = [](std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return std::vector{std::byte{a}, std::byte{b}, std::byte{c}, std::byte{d}};
  };
  EXPECT_EQ(read(prefix(0, 0, 0, 0)), "protocol_error");
  EXPECT_EQ(read(prefix(0, 0, 0, 101)), "resource_exhausted");
  EXPECT_EQ(read(prefix(255, 255, 255, 255)), "resource_exhausted");
  EXPECT_EQ(read(prefix(0, 0, 0, 100)), "no error");
}

TEST(FrameReader, HoldsOnlyWhatCame) {
  FrameReader reader(std::size_t{16} << 20);
  const std::vector<std::byte> announced{std::byte{0}, std::byte{0xFF}, std::byte{0}, std::byte{0}, std::byte{1}};
  reader.read(announced, [](auto) { return true; });
  EXPECT_EQ(reader.buffered(), 5U);
}

TEST(Chunk, IsReadAsItWasWritten) {
  const std::vector<std::byte> data{std::byte{7}, std::byte{8}};
  auto bytes = chunk_header({Chunk::kLast, 0x01020304, data}, true);
  EXPECT_EQ(bytes, (std::vector{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{8}, std::byte{0}, std::byte{1},
                                std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}}));
  auto frame = chunk_header({Chunk::kLast, 0x01020304, data}, false);
  frame.insert(frame.end(), data.begin(), data.end());
  EXPECT_TRUE(is_chunk(frame));
  const Chunk chunk = parse_chunk(frame);
  EXPECT_EQ(chunk.flag, Chunk::kLast);
  EXPECT_EQ(chunk.id, 0x01020304U);
  EXPECT_EQ(std::vector(chunk.data.begin(), chunk.data.end()), data);
}

TEST(Chunk, RefusesWhatItsFormDoesNotAllow) {
  const auto parse = [](std::size_t size, std::uint8_t flags) {
    std::vector<std::byte> frame(size);
    if (size > 1) frame[1] = std::byte{flags};
    return code_of([&] { (void)parse_chunk(frame); });
  };
  EXPECT_EQ(parse(5, 0), "protocol_error");
  EXPECT_EQ(parse(6, 0), "no error");
  EXPECT_EQ(parse(6, 3), "protocol_error");
  EXPECT_EQ(parse(6, 4), "protocol_error");
  EXPECT_EQ(parse(6, 0x80), "protocol_error");
  EXPECT_EQ(parse(6 + kMaxChunkBytes, 1), "no error");
  EXPECT_EQ(parse(7 + kMaxChunkBytes, 1), "protocol_error");
}

}  // namespace
}  // namespace alknet::call
