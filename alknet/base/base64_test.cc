#include "alknet/base/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace alknet {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Base64, GivesTheVectorsOfTheRfc) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kVectors = {{{"", ""},
                                                                                      {"f", "Zg=="},
                                                                                      {"fo", "Zm8="},
                                                                                      {"foo", "Zm9v"},
                                                                                      {"foob", "Zm9vYg=="},
                                                                                      {"fooba", "Zm9vYmE="},
                                                                                      {"foobar", "Zm9vYmFy"}}};
  for (const auto& [plain, encoded] : kVectors) {
    EXPECT_EQ(base64_text(bytes_of(plain)), encoded);
    const auto decoded = parse_base64(encoded);
    ASSERT_TRUE(decoded.has_value()) << encoded;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(decoded->data()), decoded->size()), plain);
  }
}

TEST(Base64, RefusesMalformedText) {
  for (const auto* text : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9=", "Zh==", "Zm 9", "Zm-_", "=Zg="}) {
    EXPECT_FALSE(parse_base64(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace alknet
