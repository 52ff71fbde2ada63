#include "alknet/call/engine/link.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"
#include "alknet/call/engine/link_test_support.h"

namespace alknet::call {
namespace {

using std::chrono::milliseconds;

// --- the protocol as a table: protocol_cases.json -------------------------------------------------------------------

std::string text_at(const Json& arguments, std::size_t index) { return std::string(arguments.at(index).as_string()); }
StreamId stream_at(const Json& arguments) { return arguments.at(0).to_number<StreamId>(); }

const Json* argument(const Json& arguments, std::size_t index) {
  return index < arguments.as_array().size() ? &arguments.at(index) : nullptr;
}

Message message_at(const Json& arguments, std::size_t value, std::size_t bytes) {
  Message message{arguments.at(value), {}};
  if (const auto* text = argument(arguments, bytes)) {
    message.bytes.push_back(SharedBytes::copy(std::string_view(text->as_string())));
  }
  return message;
}

CallOptions options_at(const Json& arguments) {
  CallOptions options;
  const auto* given = argument(arguments, 2);
  if (given == nullptr) return options;
  for (const auto& [name, value] : given->as_object()) {
    if (name == "timeout_ms") options.timeout = milliseconds(value.as_int64());
    if (name == "auth_token") options.auth_token = std::string(value.as_string());
    if (name == "forwarded_for") options.forwarded_for = value;
    if (name == "parent") options.parent = std::string(value.as_string());
  }
  return options;
}

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

struct Action {
  std::string_view name;
  void (*run)(LinkScript& script, const Json& arguments);
};

/// The steps that protocol_cases.json is made of.
constexpr Action kActions[] = {
    {"receive", [](LinkScript& s, const Json& a) { s.receive(stream_at(a), a.at(1)); }},
    {"receive_text", [](LinkScript& s, const Json& a) { s.receive(stream_at(a), std::string_view(text_at(a, 1))); }},
    {"receive_hex", [](LinkScript& s, const Json& a) { s.link.received(stream_at(a), from_hex(text_at(a, 1))); }},
    {"receive_chunk",
     [](LinkScript& s, const Json& a) {
       s.receive_chunk(stream_at(a), static_cast<Chunk::Flag>(a.at(1).as_int64()), a.at(2).to_number<std::uint32_t>(),
                       text_at(a, 3));
     }},
    {"finished", [](LinkScript& s, const Json& a) { s.link.finished(a.to_number<StreamId>()); }},
    {"was_reset",
     [](LinkScript& s, const Json& a) { s.link.was_reset(stream_at(a), a.at(1).to_number<std::uint64_t>()); }},
    {"lost",
     [](LinkScript& s, const Json& a) { s.link.closed(Error(CallError::kTransport, std::string(a.as_string()))); }},
    {"call", [](LinkScript& s, const Json& a) { s.call(text_at(a, 0), message_at(a, 1, 3), options_at(a)); }},
    {"subscribe", [](LinkScript& s, const Json& a) { s.subscribe(text_at(a, 0), message_at(a, 1, 3), options_at(a)); }},
    {"abort", [](LinkScript& s, const Json& a) { s.link.abort(a.to_number<std::uint64_t>()); }},
    {"take",
     [](LinkScript& s, const Json& a) {
       auto taken = s.link.take(*s.subscriptions.at(a.to_number<std::uint64_t>()));
       if (taken.item) {
         s.log.push_back(JsonObject{{"took", taken.item->value}});
       } else if (taken.ended) {
         s.log.push_back(JsonObject{{"ended", taken.error ? Json(taken.error->code_name()) : Json(nullptr)}});
       } else {
         s.log.push_back(JsonObject{{"nothing", nullptr}});
       }
     }},
    {"respond", [](LinkScript& s,
                   const Json& a) { s.link.respond(s.calls.at(text_at(a, 0)), message_at(a, 1, 2), nullptr, true); }},
    {"item", [](LinkScript& s,
                const Json& a) { s.link.respond(s.calls.at(text_at(a, 0)), message_at(a, 1, 2), nullptr, false); }},
    {"complete", [](LinkScript& s, const Json& a) { s.link.complete(s.calls.at(std::string(a.as_string()))); }},
    {"fail",
     [](LinkScript& s, const Json& a) {
       s.link.fail(s.calls.at(text_at(a, 0)), {text_at(a, 1), text_at(a, 2), false, nullptr});
     }},
    {"room",
     [](LinkScript& s, const Json& a) {
       s.log.push_back(JsonObject{{"has_room", s.link.has_room(s.calls.at(std::string(a.as_string())))}});
     }},
    {"pass_ms",
     [](LinkScript& s, const Json& a) {
       s.pass(milliseconds(a.as_int64()));
       s.link.tick();
     }},
    {"streams", [](LinkScript& s, const Json& a) { EXPECT_EQ(s.link.streams(), a.to_number<std::size_t>()); }},
};

/// What happened, where "*" is expected for a text that may be any, and without messages that are not expected.
void forget_free_text(Json& happened, const Json& expected) {
  if (expected == Json("*")) {
    happened = "*";
  } else if (auto* object = happened.if_object(); object != nullptr && expected.is_object()) {
    if (!expected.as_object().contains("message")) object->erase("message");
    for (auto& [name, member] : *object) {
      if (const auto* wanted = expected.as_object().if_contains(name)) forget_free_text(member, *wanted);
    }
  } else if (auto* array = happened.if_array(); array != nullptr && expected.is_array()) {
    for (std::size_t i = 0; i < std::min(array->size(), expected.as_array().size()); ++i) {
      forget_free_text((*array)[i], expected.at(i));
    }
  }
}

void run_step(LinkScript& script, const Json& step) {
  for (const auto& [name, arguments] : step.as_object()) {
    if (name == "expect" || name == "ignore") continue;
    const auto* action =
        std::find_if(std::begin(kActions), std::end(kActions),
                     [&, key = std::string_view(name)](const Action& each) { return each.name == key; });
    ASSERT_NE(action, std::end(kActions)) << name;
    action->run(script, arguments);
  }
  Json happened = script.happened();
  const auto* expected = step.as_object().if_contains("expect");
  if (expected == nullptr) return;
  forget_free_text(happened, *expected);
  EXPECT_EQ(happened, *expected) << "after " << json_text(step) << "\nhappened " << json_text(happened);
}

TEST(Link, DoesWhatTheProtocolSays) {
  const Json cases = parse_json(read_file(ALKNET_SOURCE_DIR "/alknet/call/engine/protocol_cases.json", 1 << 20));
  for (const Json& each : cases.as_array()) {
    const auto& object = each.as_object();
    SCOPED_TRACE(object.at("rule").as_string().c_str());
    LinkOptions options;
    if (const auto* limits = object.if_contains("limits")) {
      options.limits.queue_items = limits->at("queue_items").to_number<std::uint32_t>();
    }
    if (const auto* names = object.if_contains("features")) {
      for (const Json& name : names->as_array()) {
        options.features.attachments |= name == Json("attachments");
        options.features.credit |= name == Json("credit");
      }
    }
    options.sandbox_link = object.contains("sandbox");
    LinkScript script(options, object.contains("framing") ? Framing::kMessage : Framing::kLengthPrefix,
                      object.contains("multiplexed"));
    for (const Json& step : object.at("steps").as_array()) run_step(script, step);
  }
}

// --- limits: each has a number, and what happens there --------------------------------------------------------------

Json request(std::string_view id, Json input = nullptr) {
  return JsonObject{{"type", "call.requested"},
                    {"id", id},
                    {"payload", JsonObject{{"operationId", "/a/b"}, {"input", std::move(input)}}}};
}

/// The `limit` that the one answer since the last look says was reached.
std::string limit_answered(LinkScript& script) {
  const JsonArray happened = script.happened();
  if (happened.size() != 1) return json_text(happened);
  const Json* error = nullptr;
  boost::json::error_code missing;
  error = happened[0].find_pointer("/send/1/payload", missing);
  if (error == nullptr || error->at("code") != Json("RESOURCE_EXHAUSTED") || error->at("retryable") != Json(true)) {
    return json_text(happened);
  }
  return std::string(error->at("details").at("limit").as_string());
}

std::string limit_thrown(const std::optional<Error>& error) {
  if (!error || error->code_name() != "resource_exhausted") return "none";
  return std::string(error->details().at("limit").as_string());
}

const Json kReset = parse_json(R"([{"reset":[0,2]}])");

TEST(LinkLimits, Frame) {
  LinkScript script({.limits = {.frame = 200}});
  EXPECT_EQ(limit_thrown(thrown_by([&] { script.call("a/b", {JsonString(300, 'x'), {}}); })), "frame");
  EXPECT_EQ(script.link.pending_calls(), 0U);
  EXPECT_TRUE(script.happened().empty()) << "nothing of it was sent";
  script.receive(0, request("r"));
  script.happened();
  script.link.respond(script.calls.at("r"), {JsonString(300, 'x'), {}}, nullptr, true);
  EXPECT_EQ(limit_answered(script), "frame");
  script.receive(0, request("s", JsonString(300, 'x')));
  EXPECT_EQ(Json(script.happened()), kReset);

  LinkScript messages({.limits = {.frame = 200}}, Framing::kMessage);
  messages.receive(0, request("s", JsonString(300, 'x')));
  EXPECT_EQ(Json(messages.happened()), kReset);
}

TEST(LinkLimits, PendingCalls) {
  LinkScript script({.limits = {.pending_calls = 2}});
  script.call("a/b");
  script.call("a/b");
  EXPECT_EQ(limit_thrown(thrown_by([&] { script.call("a/b"); })), "pending_calls");
  EXPECT_EQ(limit_thrown(thrown_by([&] { script.subscribe("a/b"); })), "pending_calls");
  script.link.abort(1);
  script.call("a/b");
}

TEST(LinkLimits, InboundCalls) {
  LinkScript script({.limits = {.inbound_calls = 2}});
  script.receive(0, request("1"));
  script.receive(0, request("2"));
  script.happened();
  script.receive(0, request("3"));
  EXPECT_EQ(limit_answered(script), "inbound_calls");
  script.link.complete(script.calls.at("1"));
  script.receive(0, request("3"));
  EXPECT_EQ(script.link.inbound_calls(), 2U);
  EXPECT_EQ(script.link.stats().refused, 1U);
}

TEST(LinkLimits, CallsPerSecond) {
  LinkScript script({.limits = {.calls_per_second = 5}});
  for (int i = 0; i < 5; ++i) script.receive(0, request(std::to_string(i)));
  script.happened();
  script.receive(0, request("x"));
  EXPECT_EQ(limit_answered(script), "calls_per_second");
  script.pass(milliseconds(250));
  script.receive(0, request("y"));
  EXPECT_EQ(script.link.inbound_calls(), 6U);
}

TEST(LinkLimits, Streams) {
  LinkScript script({.limits = {.streams = 2}}, Framing::kLengthPrefix, true);
  script.receive(1, request("1"));
  script.receive(5, request("2"));
  script.happened();
  script.receive(9, request("3"));
  EXPECT_EQ(Json(script.happened()), parse_json(R"([{"reset":[9,2]}])"));
  script.link.finished(1);
  script.link.respond(script.calls.at("1"), {}, nullptr, true);
  script.happened();
  script.receive(13, request("4"));
  EXPECT_EQ(script.link.streams(), 2U) << "an ended stream makes room";
  script.call("a/b");
  EXPECT_EQ(script.link.streams(), 3U) << "our own do not count";
}

TEST(LinkLimits, BytesInFlight) {
  LinkScript script({.limits = {.bytes_in_flight = 100}}, Framing::kLengthPrefix, true);
  const std::vector<std::byte> half(60);
  auto begun = prefixed(std::string(1000, ' '));
  begun.resize(60);
  script.link.received(1, begun);
  EXPECT_EQ(script.link.stats().bytes_in_flight, 60U);
  script.link.received(5, begun);
  EXPECT_EQ(Json(script.happened()), parse_json(R"([{"reset":[5,2]}])"));
  EXPECT_EQ(script.link.stats().bytes_in_flight, 60U);
  Json with_bytes = request("r");
  with_bytes.as_object()["attachments"] = parse_json(R"([{"id":1,"size":1000}])");
  script.receive(9, with_bytes);
  script.receive_chunk(9, Chunk::kMore, 1, std::string(50, 'x'));
  EXPECT_EQ(Json(script.happened()), parse_json(R"([{"reset":[9,2]}])"));
  EXPECT_EQ(script.link.stats().bytes_in_flight, 60U);
  EXPECT_EQ(script.link.inbound_calls(), 0U);
}

TEST(LinkLimits, BytesUnsent) {
  LinkScript script({.limits = {.bytes_unsent = 1000}, .features = {true, false}});
  script.transport.blocked = true;
  for (int i = 0; i < 30 && !script.link.dead(); ++i) {
    script.receive(0, request(std::to_string(i)));
    script.link.respond(script.calls.at(std::to_string(i)), {JsonString(100, 'x'), {}}, nullptr, true);
  }
  const JsonArray happened = script.happened();
  EXPECT_EQ(happened.back(), kReset.at(0)) << "the peer reads nothing";
  EXPECT_LT(happened.size(), 20U);

  LinkScript bytes({.limits = {.bytes_unsent = 1000}, .features = {true, false}});
  bytes.transport.blocked = true;
  bytes.receive(0, request("r"));
  bytes.happened();
  bytes.link.respond(bytes.calls.at("r"), {parse_json(R"({"$bytes":0})"), {SharedBytes::copy(std::string(1001, 'x'))}},
                     nullptr, true);
  EXPECT_EQ(limit_answered(bytes), "bytes_unsent");
}

TEST(LinkLimits, AttachmentBytes) {
  LinkScript script({.limits = {.attachment_bytes = 10}, .features = {true, false}});
  const auto of_size = [](std::string_view id, std::uint64_t size) {
    Json envelope = request(id);
    envelope.as_object()["attachments"] = JsonArray{JsonObject{{"id", 1}, {"size", size}}};
    return envelope;
  };
  script.receive(0, of_size("r", 11));
  EXPECT_EQ(limit_answered(script), "attachment_bytes");
  script.receive_chunk(0, Chunk::kLast, 1, "01234567890");
  EXPECT_TRUE(script.happened().empty()) << "its chunks may come all the same";
  EXPECT_EQ(script.link.stats().bytes_in_flight, 0U);
  script.receive(0, of_size("s", 18446744073709551615ULL));
  EXPECT_EQ(limit_answered(script), "attachment_bytes");
  script.receive_chunk(0, Chunk::kCancelled, 1, "");

  const Message large{parse_json(R"({"$bytes":0})"), {SharedBytes::copy("01234567890")}};
  EXPECT_EQ(limit_thrown(thrown_by([&] { script.call("a/b", large); })), "attachment_bytes");
  script.receive(0, request("t"));
  script.happened();
  script.link.respond(script.calls.at("t"), large, nullptr, true);
  EXPECT_EQ(limit_answered(script), "attachment_bytes");

  const auto number = script.call("a/b");
  script.happened();
  Json answer = of_size("aaaaaaaaaaaaaaaa-" + std::to_string(number), 11);
  answer.as_object()["type"] = "call.responded";
  script.receive(0, answer);
  EXPECT_EQ(script.happened().back().at("failed").at(0), Json("resource_exhausted"));
}

TEST(LinkLimits, Attachments) {
  LinkScript script({.limits = {.attachments = 2}});
  Json envelope = request("r");
  envelope.as_object()["attachments"] = parse_json(R"([{"id":1,"size":1},{"id":2,"size":1},{"id":3,"size":1}])");
  script.receive(0, envelope);
  EXPECT_EQ(Json(script.happened()), kReset);
}

TEST(LinkLimits, Queue) {
  LinkScript script({.limits = {.queue_bytes = 300}});
  const auto subscription = script.subscribe("a/s");
  const Json item = JsonObject{{"type", "call.responded"},
                               {"id", "aaaaaaaaaaaaaaaa-1"},
                               {"payload", JsonObject{{"output", JsonString(200, 'x')}}}};
  script.receive(0, item);
  script.receive(0, item);
  EXPECT_FALSE(subscription->ended);
  script.receive(0, item);
  EXPECT_TRUE(subscription->ended);
  EXPECT_EQ(limit_thrown(subscription->error), "queue");
}

TEST(LinkLimits, StalledFramesAndAttachmentsResetTheirStream) {
  LinkScript script({}, Framing::kLengthPrefix, true);
  auto begun = prefixed(std::string(1000, ' '));
  begun.resize(60);
  script.link.received(1, begun);
  Json with_bytes = request("r");
  with_bytes.as_object()["attachments"] = parse_json(R"([{"id":1,"size":1000}])");
  script.receive(5, with_bytes);
  script.receive(9, request("waits"));
  script.happened();
  const auto tick = [&](int seconds) {
    script.pass(std::chrono::seconds(seconds));
    script.link.tick();
    return Json(script.happened());
  };
  EXPECT_EQ(tick(10), parse_json("[]"));
  script.receive_chunk(5, Chunk::kMore, 1, "x");
  EXPECT_EQ(tick(20), parse_json(R"([{"reset":[1,2]}])"));
  EXPECT_EQ(tick(10), parse_json(R"([{"reset":[5,2]}])"));
  EXPECT_EQ(tick(1000), parse_json("[]")) << "a call that runs may take its time";
  EXPECT_EQ(script.link.inbound_calls(), 1U);
}

TEST(LinkLimits, AStreamThatThePeerLeavesOpenIsResetAtLast) {
  LinkScript script({}, Framing::kLengthPrefix, true);
  script.call("a/b");
  script.receive(0, parse_json(R"({"type":"call.responded","id":"aaaaaaaaaaaaaaaa-1","payload":{"output":1}})"));
  script.happened();
  ASSERT_TRUE(script.link.next_tick());
  script.pass(std::chrono::seconds(31));
  script.link.tick();
  EXPECT_EQ(Json(script.happened()), parse_json(R"([{"reset":[0,0]}])"));
  EXPECT_EQ(script.link.streams(), 0U);
  EXPECT_EQ(script.link.next_tick(), std::nullopt);
}

// --- attachments on a slow transport --------------------------------------------------------------------------------

TEST(Link, SendsAttachmentsInTurnsAndLetsCallsPass) {
  LinkScript script({.features = {true, false}});
  const std::string large(kMaxChunkBytes + 1, 'x');
  script.transport.blocked = true;
  script.call("a/b", {parse_json(R"({"$bytes":0})"), {SharedBytes::copy(large)}});
  script.call("a/c", {parse_json(R"({"$bytes":0})"), {SharedBytes::copy("small")}});
  script.call("a/d");
  EXPECT_EQ(script.happened().size(), 3U) << "the three envelopes";
  script.transport.blocked = false;
  script.link.writable(0);
  const JsonArray chunks = script.happened();
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_EQ(chunks[0].at("chunk").at(2), Json(0));
  EXPECT_EQ(chunks[1], parse_json(R"({"chunk":[0,1,1,"small"]})"));
  EXPECT_EQ(chunks[2], parse_json(R"({"chunk":[0,1,0,"x"]})"));
  EXPECT_EQ(script.link.stats().bytes_unsent, 0U);
}

TEST(Link, CancelsTheAttachmentsOfWhatIsAborted) {
  LinkScript script({.features = {true, false}}, Framing::kLengthPrefix, true);
  script.transport.blocked = true;
  const auto number = script.call("a/b", {parse_json(R"({"$bytes":0})"), {SharedBytes::copy("bytes")}});
  script.happened();
  script.link.abort(number);
  EXPECT_EQ(Json(script.happened()),
            parse_json(R"([{"send":[0,{"type":"call.aborted","id":"aaaaaaaaaaaaaaaa-1","payload":{}}]},
                           {"chunk":[0,2,0,""]},{"finish":0}])"));

  script.receive(1, request("r"));
  script.link.respond(script.calls.at("r"), {parse_json(R"({"$bytes":0})"), {SharedBytes::copy("bytes")}}, nullptr,
                      true);
  EXPECT_EQ(script.link.inbound_calls(), 1U) << "until its bytes have left";
  script.happened();
  script.receive(1, parse_json(R"({"type":"call.aborted","id":"r","payload":{}})"));
  EXPECT_EQ(Json(script.happened()), parse_json(R"([{"chunk":[1,2,1,""]}])"));
  EXPECT_EQ(script.link.inbound_calls(), 0U);
  script.transport.blocked = false;
  script.link.writable(0);
  script.link.writable(1);
  EXPECT_EQ(script.link.stats().bytes_unsent, 0U);
}

TEST(Link, CompletesASubscriptionBehindItsLastAttachment) {
  LinkScript script({.features = {true, false}});
  script.receive(0, request("r"));
  script.transport.blocked = true;
  script.link.respond(script.calls.at("r"), {parse_json(R"({"$bytes":0})"), {SharedBytes::copy("bytes")}}, nullptr,
                      false);
  script.link.complete(script.calls.at("r"));
  script.happened();
  script.transport.blocked = false;
  script.link.writable(0);
  EXPECT_EQ(Json(script.happened()),
            parse_json(R"([{"chunk":[0,1,0,"bytes"]},{"send":[0,{"type":"call.completed","id":"r","payload":{}}]}])"));
}

TEST(Link, TellsAHandlerWhenASlowTransportHasRoom) {
  LinkScript script({});
  script.receive(0, request("r"));
  const auto call = script.calls.at("r");
  EXPECT_TRUE(script.link.has_room(call));
  script.transport.blocked = true;
  script.link.respond(call, {Json(1), {}}, nullptr, false);
  EXPECT_FALSE(script.link.has_room(call));
  script.happened();
  script.transport.blocked = false;
  script.link.writable(0);
  EXPECT_EQ(Json(script.happened()), parse_json(R"([{"room":"r"}])"));
  EXPECT_TRUE(script.link.has_room(call));
}

}  // namespace
}  // namespace alknet::call
