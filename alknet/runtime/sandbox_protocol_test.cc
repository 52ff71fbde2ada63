#include "alknet/runtime/sandbox_protocol.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"

namespace alknet::runtime {
namespace {

TEST(SandboxProtocol, RequestsSurviveTheWire) {
  SessionRequest request;
  request.name = "user.ts";
  request.source = "1 + 1";
  request.operations = {"tensor/*", "math/add"};
  request.limits.memory_bytes = 1 << 20;
  request.limits.timers = 3;
  request.keep = true;
  const SessionRequest read = SessionRequest::from_json(request.to_message().value);
  EXPECT_EQ(read.name, "user.ts");
  EXPECT_EQ(read.operations, request.operations);
  EXPECT_EQ(read.limits.memory_bytes, 1U << 20);
  EXPECT_EQ(read.limits.timers, 3U);
  EXPECT_EQ(read.limits.output_bytes, SandboxLimits().output_bytes);
  EXPECT_TRUE(read.keep);
}

TEST(SandboxProtocol, RequestsThatMakeNoSenseAreRefused) {
  for (const char* text :
       {"{}", R"({"source":1})", R"({"source":"","limits":{"timers":-1}})", R"({"source":"","limits":{"timers":1e10}})",
        R"({"source":"","limits":{"memory_bytes":"1"}})", R"({"source":"","operations":[1]})", "[]", "null"}) {
    EXPECT_EQ(code_of([&] { SessionRequest::from_json(parse_json(text)); }), "invalid_input") << text;
  }
}

TEST(SandboxProtocol, LimitsAreCutDownToOthers) {
  SandboxLimits wanted;
  wanted.memory_bytes = std::uint64_t{1} << 40;
  wanted.timers = 2;
  const SandboxLimits got = wanted.at_most(SandboxLimits());
  EXPECT_EQ(got.memory_bytes, SandboxLimits().memory_bytes);
  EXPECT_EQ(got.timers, 2U);
}

TEST(SandboxProtocol, EventsSurviveTheWireAndOthersAreErrors) {
  SandboxEvent event;
  event.kind = SandboxEvent::Kind::kOutput;
  event.text = "hello\n";
  event.error = true;
  const SandboxEvent read = SandboxEvent::from_json(event.to_json());
  EXPECT_EQ(read.kind, event.kind);
  EXPECT_EQ(read.text, "hello\n");
  EXPECT_TRUE(read.error);
  for (const char* text : {"{}", R"({"event":"other"})", R"({"event":1})", "3"}) {
    EXPECT_EQ(code_of([&] { SandboxEvent::from_json(parse_json(text)); }), "protocol_error") << text;
  }
}

TEST(SandboxProtocol, WrapsMessagesWithTheirBytes) {
  Message inner;
  inner.bytes.push_back(SharedBytes::copy("ab"));
  inner.bytes.push_back(SharedBytes::copy("cde"));
  inner.value = parse_json(R"({"second":{"$bytes":1},"first":{"$bytes":0}})");
  const Message outer = wrap(JsonObject{{"operation", "a/b"}}, "input", inner);
  EXPECT_EQ(outer.value.at("bytes"), parse_json(R"([{"$bytes":0},{"$bytes":1}])"));
  const Message back = unwrap(outer, "input");
  EXPECT_EQ(back.value, inner.value);
  ASSERT_EQ(back.bytes.size(), 2U);
  EXPECT_EQ(back.bytes[1].size(), 3U);
  EXPECT_EQ(code_of([&] { unwrap(outer, "output"); }), "protocol_error");
}

TEST(SessionRequest, CarriesTheFilesOfItsScript) {
  SessionRequest request;
  request.source = "1";
  request.modules = {{"/script/lib/a.ts", "a"}};
  request.left_out = {{"/b.ts", "outside"}};
  const SessionRequest read = SessionRequest::from_json(request.to_message().value);
  EXPECT_EQ(read.modules, request.modules);
  EXPECT_EQ(read.left_out, request.left_out);
  const Json given = parse_json(R"({"source":"1","modules":{"./x/../a.ts":"a"}})");
  EXPECT_EQ(SessionRequest::from_json(given).modules.begin()->first, "/script/a.ts");
  for (const char* wrong : {R"({"a.ts":"a"})", R"({"./a.ts":1})", "[]", R"({"":""})"}) {
    const Json refused = JsonObject{{"source", "1"}, {"modules", parse_json(wrong)}};
    EXPECT_EQ(code_of([&] { SessionRequest::from_json(refused); }), "invalid_input") << wrong;
  }
}

TEST(SessionRequest, BoundsItsLists) {
  const Json refused = JsonObject{{"source", "1"}, {"operations", JsonArray(10'001, "a/b")}};
  EXPECT_EQ(code_of([&] { SessionRequest::from_json(refused); }), "invalid_input");
}

TEST(SandboxEvents, CountAllThatTheySay) {
  const auto size = [](std::string_view json) { return output_size(parse_json(json)); };
  EXPECT_EQ(size(R"({"event":"output","text":"12345"})"), 5U);
  EXPECT_EQ(size(R"({"event":"output","text":"12345","error":true})"), 5U);
  EXPECT_EQ(size(R"({"event":"output","text":""})"), 1U);
  EXPECT_GE(size(R"({"event":"output","text":"1","more":"12345678901234567890123456789012345678901234567890"})"), 40U);
  EXPECT_GE(size(R"({"event":"operation","spec":{"name":"a/b"},"environment":["1234567890"]})"), 20U);
  EXPECT_GE(size(R"({"event":"ready","data":[1,2,{"x":"1234567890"}]})"), 26U);
  EXPECT_GE(size("7"), 1U);
}

}  // namespace
}  // namespace alknet::runtime
