#include <gtest/gtest.h>

#include <string>

#include "alknet/call/engine/link_test_support.h"

// What a peer sends that belongs to nothing, and answers larger than their caller takes.

namespace alknet::call {
namespace {

const Json kReset = parse_json(R"({"reset":[0,2]})");

Json envelope(std::string_view type, std::string_view id, Json payload = JsonObject{}) {
  return JsonObject{{"type", type}, {"id", id}, {"payload", std::move(payload)}};
}

/// How many times a link that takes `limit` strays takes what `send` sends before it gives the peer up.
template <typename Send>
int taken(std::uint64_t limit, const Send& send) {
  LinkScript script({.limits = {.stray_frames = limit}, .features = {true, true}});
  int count = 0;
  while (count < 100 && !script.link.dead()) send(script, count++);
  EXPECT_EQ(script.happened().back(), kReset);
  return count;
}

TEST(LinkStrays, AreLimited) {
  for (const char* type : {"call.responded", "call.completed", "call.aborted", "call.credit", "call.error"}) {
    EXPECT_EQ(taken(4, [&](LinkScript& script, int) { script.receive(0, envelope(type, "nobody-1")); }), 5) << type;
  }
  EXPECT_EQ(taken(4, [](LinkScript& script, int) { script.receive(0, envelope("call.else", "x")); }), 5);
}

TEST(LinkStrays, AreAnswersAfterTheFirst) {
  EXPECT_EQ(taken(4,
                  [](LinkScript& script, int) {
                    script.call("a/b");
                    const std::string id = "aaaaaaaaaaaaaaaa-" + std::to_string(script.link.stats().requests_sent);
                    script.receive(0, envelope("call.responded", id));
                    script.receive(0, envelope("call.responded", id));
                  }),
            5)
      << "the first of each is none";
}

TEST(LinkStrays, AreChunksThatNobodyWaitsFor) {
  EXPECT_EQ(taken(4,
                  [](LinkScript& script, int count) {
                    if (count > 0) return script.receive_chunk(0, Chunk::kMore, 1, "x");
                    Json answer = envelope("call.responded", "nobody-1");
                    answer.as_object()["attachments"] = parse_json(R"([{"id":1,"size":18446744073709551615}])");
                    script.receive(0, answer);
                  }),
            5);
}

TEST(LinkStrays, AreNoLimitWhereCallsAreGivenUp) {
  LinkScript script({});
  for (int i = 0; i < 1000; ++i) script.receive(0, envelope("call.completed", "nobody-1"));
  EXPECT_FALSE(script.link.dead());
}

TEST(LinkAnswers, HaveNoMoreBytesThanTheirCallerTakes) {
  LinkScript script({.limits = {.attachment_bytes = 100}, .features = {true, false}});
  const auto answer = [&](std::uint64_t takes, std::uint64_t size) {
    CallOptions options;
    options.answer_bytes = takes;
    const auto number = script.call("a/b", {JsonObject{}, {}}, options);
    script.happened();
    Json responded = envelope("call.responded", "aaaaaaaaaaaaaaaa-" + std::to_string(number));
    responded.as_object()["attachments"] = JsonArray{JsonObject{{"id", number}, {"size", size}}};
    script.receive(0, responded);
    script.receive_chunk(0, Chunk::kLast, static_cast<std::uint32_t>(number), std::string(size, 'x'));
    const JsonArray happened = script.happened();
    const JsonObject& last = happened.back().as_object();
    return last.contains("failed") ? std::string(last.at("failed").at(0).as_string()) : "taken";
  };
  EXPECT_EQ(answer(10, 10), "taken");
  EXPECT_EQ(answer(10, 11), "resource_exhausted");
  EXPECT_EQ(answer(1000, 101), "resource_exhausted") << "the connection's own limit holds too";
}

}  // namespace
}  // namespace alknet::call
