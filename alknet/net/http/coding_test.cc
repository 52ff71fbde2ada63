#include "alknet/net/http/coding.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/testing.h"

namespace alknet::net {
namespace {

std::string decode(Coding coding, std::span<const std::byte> bytes, std::size_t step, const DecodeLimits& limits = {}) {
  BodyDecoder decoder(coding, limits);
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    decoder.set_input(SharedBytes::copy(bytes.subspan(at, std::min(step, bytes.size() - at))));
    while (const auto piece = decoder.next()) {
      EXPECT_LE(piece->size(), std::size_t{64} << 10U);
      text += piece->text();
    }
  }
  decoder.finish();
  return text;
}

std::string sample() {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919 % 10'007) + ",";
  return text;
}

TEST(Coding, AcceptEncodingIsWeighed) {
  EXPECT_EQ(choose_coding("gzip, deflate, br, zstd"), Coding::kZstd);
  EXPECT_EQ(choose_coding("gzip, deflate, br"), Coding::kGzip);
  EXPECT_EQ(choose_coding("gzip;q=1.0, zstd; q=0.5"), Coding::kGzip);
  EXPECT_EQ(choose_coding("zstd;q=0, gzip;q=0"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("*"), Coding::kZstd);
  EXPECT_EQ(choose_coding("zstd;q=0, *"), Coding::kGzip);
  EXPECT_EQ(choose_coding("GZIP"), Coding::kGzip);
  EXPECT_EQ(choose_coding("br"), Coding::kIdentity);
  EXPECT_EQ(choose_coding(""), Coding::kIdentity);
  EXPECT_EQ(choose_coding(";;q=,,,=;"), Coding::kIdentity);
}

TEST(Coding, WhatIsEncodedDecodesInPiecesOfAnySize) {
  const std::string text = sample();
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    const auto encoded = encode_body(coding, std::as_bytes(std::span(text)));
    EXPECT_LT(encoded.size(), text.size());
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, encoded.size()}) {
      EXPECT_EQ(decode(coding, encoded, step), text);
    }
  }
  EXPECT_EQ(decode(Coding::kGzip, encode_body(Coding::kGzip, {}), 1), "");
  EXPECT_EQ(decode(Coding::kGzip, {}, 1), "");
}

TEST(Coding, RefusesWhatIsCutOffOrDamaged) {
  const std::string text = sample();
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    auto encoded = encode_body(coding, std::as_bytes(std::span(text)));
    const std::span whole(encoded);
    EXPECT_EQ(code_of([&] { decode(coding, whole.first(whole.size() - 1), 512); }), "decoding_failed");
    EXPECT_EQ(code_of([&] { decode(coding, whole.first(whole.size() / 2), 512); }), "decoding_failed");
    encoded[0] ^= std::byte{0xFF};
    EXPECT_EQ(code_of([&] { decode(coding, encoded, 512); }), "decoding_failed");
  }
}

TEST(Coding, RefusesBombs) {
  const std::vector<std::byte> zeros(64U << 20U);
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    const auto bomb = encode_body(coding, zeros);
    const Error error = error_of([&] { decode(coding, bomb, bomb.size()); });
    EXPECT_EQ(error.code_name(), "decoding_failed");
    EXPECT_NE(error.message().find("bomb"), std::string::npos);
    DecodeLimits limits;
    limits.output_bytes = 1U << 20U;
    EXPECT_EQ(code_of([&] { decode(coding, bomb, bomb.size(), limits); }), "too_large");
  }
}

TEST(Coding, RefusesBytesBehindTheEnd) {
  auto encoded = encode_body(Coding::kGzip, std::as_bytes(std::span("text", 4)));
  encoded.resize(encoded.size() + 10, std::byte{7});
  EXPECT_EQ(code_of([&] { decode(Coding::kGzip, encoded, 1000); }), "decoding_failed");
}

TEST(Coding, NamesAreThoseOfTheRegistry) {
  EXPECT_EQ(parse_coding(" GZip "), Coding::kGzip);
  EXPECT_EQ(parse_coding("x-gzip"), Coding::kGzip);
  EXPECT_EQ(parse_coding(""), Coding::kIdentity);
  EXPECT_EQ(parse_coding("identity"), Coding::kIdentity);
  EXPECT_EQ(parse_coding("br"), std::nullopt);
  EXPECT_EQ(coding_name(Coding::kZstd), "zstd");
}

}  // namespace
}  // namespace alknet::net
