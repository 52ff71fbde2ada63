// The table of tests/codec_cases.py, whose bytes come from an encoder written from the specification alone.
#include <gtest/gtest.h>

#include <charconv>
#include <set>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/compare.h"

namespace alknet::schema {
namespace {

const JsonArray& table() {
  static const Json cases =
      parse_json(read_file(ALKNET_SOURCE_DIR "/tests/codec_cases.json", 1 << 26), {.max_depth = 128});
  return cases.get_array();
}

std::string_view text_of(const Json& value) { return value.as_string(); }

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    unsigned value = 0;
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, value, 16);
    bytes[i] = static_cast<std::byte>(value);
  }
  return bytes;
}

/// Calls `check` with the schema, its layout and each case. A layout that is refused has cases that say so.
template <typename Check>
void for_cases(const Check& check) {
  for (const Json& row : table()) {
    SCOPED_TRACE(json_text(row.at("name")) + " " + json_text(row.at("mode")));
    const auto schema = Schema::from_json(row.at("schema"));
    const auto mode = row.at("mode") == "packed" ? LayoutMode::kPacked : LayoutMode::kAligned;
    try {
      const auto measured = layout(schema, mode);
      for (const Json& each : row.at("cases").as_array()) check(schema, measured, each.as_object());
    } catch (const Error& error) {
      for (const Json& each : row.at("cases").as_array()) EXPECT_EQ(each.at("error"), Json(error.code_name()));
    }
  }
}

TEST(CodecCases, HaveEveryKindAndEveryErrorOfValues) {
  std::set<std::string, std::less<>> seen;
  for (const Json& row : table()) {
    const auto text = json_text(row.at("schema"));
    for (const auto& kind : kinds()) {
      if (text.find("\"TypeDef:" + std::string(kind.name) + "\"") != std::string::npos) seen.emplace(kind.name);
    }
    for (const Json& each : row.at("cases").as_array()) {
      if (const auto* code = each.as_object().if_contains("error")) seen.emplace(text_of(*code));
    }
  }
  for (const auto& kind : kinds()) {
    const bool stored = kind.form != KindForm::kNone && kind.form != KindForm::kTensor && kind.form != KindForm::kBlob;
    if (stored && kind.kind != Kind::kJson) {
      EXPECT_TRUE(seen.contains(kind.name)) << kind.name;
    }
  }
  for (const auto* code : {"bad_boolean", "bad_enum", "bad_presence", "bad_utf8", "bad_length", "reservation_overflow",
                           "message_truncated", "instance_invalid", "schema_too_deep"}) {
    EXPECT_TRUE(seen.contains(code)) << code;
  }
}

TEST(CodecCases, EncodeToTheSameBytesOrTheSameError) {
  for_cases([](const Schema&, const Layout& measured, const JsonObject& each) {
    if (!each.contains("value")) return;
    const Json& value = each.at("value");
    if (each.contains("error")) {
      EXPECT_EQ(code_of([&] { encode(measured, value); }), text_of(each.at("error"))) << value;
    } else {
      EXPECT_EQ(encode(measured, value), from_hex(text_of(each.at("bytes")))) << value;
    }
  });
}

TEST(CodecCases, DecodeToTheSameValueOrTheSameError) {
  for_cases([](const Schema&, const Layout& measured, const JsonObject& each) {
    if (!each.contains("bytes")) return;
    const auto bytes = from_hex(text_of(each.at("bytes")));
    if (each.contains("error")) {
      EXPECT_EQ(code_of([&] { decode(measured, bytes); }), text_of(each.at("error"))) << each.at("bytes");
      return;
    }
    const Json& expected = each.contains("decoded") ? each.at("decoded") : each.at("value");
    const auto found = decode(measured, bytes);
    EXPECT_TRUE(equal_json(found, expected)) << found << " instead of " << expected;
    EXPECT_NO_THROW(check_value(measured, bytes));
  });
}

TEST(CodecCases, WhatEncodesIsValidAndWhatIsValidEncodes) {
  // Beyond the schema are: the exact range of 64-bit text, the bytes of a reservation, a depth of 64.
  const std::set<std::string_view> beyond = {"reservation_overflow", "schema_too_deep"};
  for_cases([&](const Schema& schema, const Layout&, const JsonObject& each) {
    if (!each.contains("value")) return;
    const auto* error = each.if_contains("error");
    const Json& value = each.at("value");
    if (error == nullptr) {
      EXPECT_TRUE(schema.is_valid(value)) << value;
    } else if (!beyond.contains(text_of(*error)) && schema.is_valid(value)) {
      EXPECT_TRUE(value.is_string() && value.get_string().size() >= 19) << value;
    }
  });
}

}  // namespace
}  // namespace alknet::schema
