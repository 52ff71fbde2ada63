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

}  // namespace
}  // namespace alknet::runtime
