#include "alknet/stream/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/bytes.h"
#include "alknet/base/testing.h"
#include "alknet/call/error.h"
#include "alknet/stream/limits.h"

namespace alknet::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(const SharedBytes& frame) { return std::string(frame.text().substr(4)); }

std::string refused_request(std::string_view json) {
  return code_of([&] { Request::parse(parse_json(json)); });
}

std::vector<std::byte> frame_of(std::string_view json, std::string_view behind = "") {
  std::vector<std::byte> bytes(4);
  store_be(bytes.data(), static_cast<std::uint32_t>(json.size()));
  for (const std::string_view part : {json, behind}) {
    for (const char c : part) bytes.push_back(static_cast<std::byte>(c));
  }
  return bytes;
}

TEST(StreamWire, PutsTheLengthBigEndianBeforeTheRequest) {
  const SharedBytes bytes = Request{.id = 7, .token = "abc"}.encode();
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data()), bytes.size() - 4);
  EXPECT_EQ(text_of(bytes), R"({"id":7,"token":"abc"})");
}

TEST(StreamWire, ReadsBackEveryMemberOfARequest) {
  const Request request{.id = 4294967295,
                        .token = "abc",
                        .tensors = {{{"a"}, {"b", 5, {}}, {"c", 0, 9}}},
                        .priority = {"c", "a"},
                        .zstd = true,
                        .header = false};
  const Request read = Request::parse(parse_json(text_of(request.encode())));
  EXPECT_EQ(read.id, request.id);
  EXPECT_EQ(read.token, request.token);
  EXPECT_EQ(read.tensors, request.tensors);
  EXPECT_EQ(read.priority, request.priority);
  EXPECT_TRUE(read.zstd);
  EXPECT_FALSE(read.header);
}

TEST(StreamWire, TellsNoTensorsFromAllOfThem) {
  EXPECT_FALSE(Request::parse(parse_json(R"({"id":1,"token":"t"})")).tensors);
  EXPECT_EQ(Request::parse(parse_json(R"({"id":1,"token":"t","tensors":[]})")).tensors->size(), 0U);
}

TEST(StreamWire, IgnoresMembersThatItDoesNotKnow) {
  EXPECT_EQ(Request::parse(parse_json(R"({"id":1,"token":"t","later":{},"compression":["lz9","zstd"]})")).zstd, true);
}

TEST(StreamWire, RefusesRequestsOfAnotherForm) {
  for (const std::string_view json : {"[]",
                                      "1",
                                      "null",
                                      "{}",
                                      R"({"id":1})",
                                      R"({"token":"t"})",
                                      R"({"id":-1,"token":"t"})",
                                      R"({"id":4294967296,"token":"t"})",
                                      R"({"id":1.5,"token":"t"})",
                                      R"({"id":"1","token":"t"})",
                                      R"({"id":1,"token":5})",
                                      R"({"id":1,"token":"t","tensors":"a"})",
                                      R"({"id":1,"token":"t","tensors":[1]})",
                                      R"({"id":1,"token":"t","tensors":[{}]})",
                                      R"({"id":1,"token":"t","tensors":[{"name":1}]})",
                                      R"({"id":1,"token":"t","tensors":[{"name":"a","begin":-1}]})",
                                      R"({"id":1,"token":"t","tensors":[{"name":"a","end":"9"}]})",
                                      R"({"id":1,"token":"t","priority":"a"})",
                                      R"({"id":1,"token":"t","priority":[1]})",
                                      R"({"id":1,"token":"t","compression":"zstd"})",
                                      R"({"id":1,"token":"t","header":1})"}) {
    EXPECT_EQ(refused_request(json), "invalid_input") << json;
  }
  EXPECT_EQ(refused_request(R"({"id":1,"token":")" + std::string(kMaxTokenBytes + 1, 'a') + "\"}"), "invalid_input");
}

TEST(StreamWire, SaysThatAMessageIsNotJson) {
  const std::string deep(65, '[');
  for (const std::string& text : {std::string("{"), std::string("\xff"), std::string(), deep}) {
    EXPECT_EQ(code_of([&] { parse_message(std::as_bytes(std::span(text))); }), "protocol_error") << text;
  }
}

TEST(StreamWire, PutsTheStreamHeaderBigEndian) {
  const StreamHeader header{0x01020304, 0x05060708, 0x090a0b0c0d0e0f10};
  const auto bytes = header.encode();
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], static_cast<std::byte>(i + 1));
  StreamHeaderReader reader;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    std::span<const std::byte> one(&bytes[i], 1);
    EXPECT_FALSE(reader.read(one));
    EXPECT_TRUE(one.empty());
  }
  const std::vector<std::byte> last = {bytes.back(), std::byte{0xaa}};
  std::span<const std::byte> rest(last);
  const auto read = reader.read(rest);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->request, header.request);
  EXPECT_EQ(read->index, header.index);
  EXPECT_EQ(read->offset, header.offset);
  EXPECT_THAT(rest, ElementsAre(std::byte{0xaa}));
}

TEST(StreamWire, ReadsReplyAndHeaderFromPiecesOfAnySize) {
  const auto bytes = frame_of(R"({"ok":true,"header_bytes":3,"file_bytes":50})", "abc");
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    ReplyReader reader(100);
    bool whole = false;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      EXPECT_FALSE(whole);
      whole = reader.read(std::span(bytes).subspan(at, std::min(size, bytes.size() - at)));
    }
    ASSERT_TRUE(whole) << size;
    EXPECT_EQ(reader.reply().file_bytes, 50U);
    EXPECT_THAT(reader.take_header(), ElementsAre(std::byte{'a'}, std::byte{'b'}, std::byte{'c'}));
  }
}

TEST(StreamWire, GivesTheErrorThatAServerAnswers) {
  const SharedBytes refusal = encode_refusal(Error(call::CallError::kForbidden, "not yours"));
  EXPECT_EQ(text_of(refusal), R"({"error":{"code":"FORBIDDEN","message":"not yours"}})");
  ReplyReader reader(100);
  const Error error = error_of([&] { reader.read(refusal.span()); });
  EXPECT_EQ(error.code_name(), "forbidden");
  EXPECT_EQ(error.message(), "not yours");
}

TEST(StreamWire, RefusesRepliesThatAreMalformedOrTooLong) {
  for (const std::string_view json :
       {"[]", "{}", R"({"ok":false,"header_bytes":1,"file_bytes":1})", R"({"ok":true,"header_bytes":1})",
        R"({"ok":true,"header_bytes":-1,"file_bytes":1})", R"({"ok":true,"header_bytes":101,"file_bytes":1})",
        R"({"ok":true,"header_bytes":1,"file_bytes":18446744073709551615})", R"({"error":5})",
        R"({"error":{"code":"X"}})", R"({"ok":true,"header_bytes":0,"file_bytes":1,"compression":"lz9"})", "{"}) {
    ReplyReader reader(100);
    EXPECT_EQ(code_of([&] { reader.read(frame_of(json)); }), "protocol_error") << json;
  }
  for (const std::uint32_t length : {0U, static_cast<std::uint32_t>(kMaxReplyBytes + 1), 4294967295U}) {
    std::vector<std::byte> prefix(4);
    store_be(prefix.data(), length);
    ReplyReader reader(100);
    EXPECT_EQ(code_of([&] { reader.read(prefix); }), "protocol_error") << length;
  }
  ReplyReader reader(100);
  EXPECT_EQ(code_of([&] { reader.read(frame_of(R"({"ok":true,"header_bytes":1,"file_bytes":1})", "ab")); }),
            "protocol_error");
}

TEST(StreamWire, ReadsBackAPriorityUpdate) {
  const PriorityUpdate read = PriorityUpdate::parse(parse_json(text_of(PriorityUpdate{9, {"a", "b"}}.encode())));
  EXPECT_EQ(read.id, 9U);
  EXPECT_THAT(read.priority, ElementsAre("a", "b"));
  EXPECT_EQ(code_of([] { PriorityUpdate::parse(Json(5)); }), "invalid_input");
}

}  // namespace
}  // namespace alknet::stream
