#include "alknet/call/engine/inbound.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"

namespace alknet::call {
namespace {

using std::chrono::milliseconds;

InboundRequest parse(std::string_view payload) {
  Json value = parse_json(payload);
  return parse_request("id", value.as_object());
}

TEST(InboundRequest, HasWhatThePayloadSays) {
  const auto request = parse(R"({"operationId":"/a/b","input":[1],"auth_token":"t","forwarded_for":{"id":"x"},
                                 "timeout_ms":1500,"parent":"p","other":true})");
  EXPECT_EQ(request.call.operation, "/a/b");
  EXPECT_EQ(request.call.id, "id");
  EXPECT_EQ(request.call.input.value, parse_json("[1]"));
  EXPECT_EQ(request.call.auth_token, "t");
  EXPECT_EQ(request.call.forwarded_for, parse_json(R"({"id":"x"})"));
  EXPECT_EQ(request.call.timeout, milliseconds(1500));
  EXPECT_EQ(request.parent, "p");

  const auto plain = parse(R"({"operationId":"a/b"})");
  EXPECT_TRUE(plain.call.input.value.is_null());
  EXPECT_FALSE(plain.call.auth_token || plain.call.timeout || plain.parent);
}

TEST(InboundRequest, RefusesMistypedMembers) {
  for (const auto* payload : {R"({})", R"({"operationId":1})", R"({"operationId":"a/b","auth_token":1})",
                              R"({"operationId":"a/b","timeout_ms":"1"})", R"({"operationId":"a/b","timeout_ms":0})",
                              R"({"operationId":"a/b","timeout_ms":-5})", R"({"operationId":"a/b","parent":[]})"}) {
    EXPECT_EQ(code_of([&] { parse(payload); }), "invalid_input") << payload;
  }
  EXPECT_GT(parse(R"({"operationId":"a/b","timeout_ms":1e300})").call.timeout, milliseconds(1));
}

TEST(InboundCalls, RefuseARunningIdAndAllowItAgainAfterwards) {
  InboundCalls calls;
  const auto first = calls.add("x", 4, {}, {});
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(calls.add("x", 8, {}, {}), nullptr);
  EXPECT_EQ(calls.find("x"), first);
  EXPECT_EQ(calls.all_on(4).size(), 1U);
  EXPECT_TRUE(calls.all_on(8).empty());
  calls.remove(*first);
  const auto second = calls.add("x", 8, {}, {});
  ASSERT_NE(second, nullptr);
  calls.remove(*first);
  EXPECT_EQ(calls.find("x"), second) << "an old call does not remove a new one of its id";
}

TEST(CallRate, AdmitsABurstAndThenARate) {
  CallRate rate(10);
  const auto at = [](int ms) { return Executor::Clock::time_point(milliseconds(ms)); };
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(rate.admit(at(0)));
  EXPECT_FALSE(rate.admit(at(0)));
  EXPECT_FALSE(rate.admit(at(50)));
  EXPECT_TRUE(rate.admit(at(101)));
  EXPECT_FALSE(rate.admit(at(101)));
  EXPECT_FALSE(rate.admit(at(0))) << "a clock that goes back gives nothing";
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(rate.admit(at(60'000)));
  EXPECT_FALSE(rate.admit(at(60'000)));
}

}  // namespace
}  // namespace alknet::call
