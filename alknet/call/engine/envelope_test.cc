#include "alknet/call/engine/envelope.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/json_print.h"
#include "alknet/base/testing.h"
#include "alknet/call/engine/features.h"

namespace alknet::call {
namespace {

TEST(Envelope, IsParsedAndUnknownMembersAreIgnored) {
  const Envelope envelope = parse_envelope(
      R"({"extra":[1],"payload":{"output":{"a":1},"more":0},"id":"x-1","type":"call.responded",
          "attachments":[{"id":4294967295,"size":18446744073709551615,"name":"n"},{"size":0,"id":0}]})");
  EXPECT_EQ(envelope.type, EventType::kResponded);
  EXPECT_EQ(envelope.id, "x-1");
  EXPECT_EQ(envelope.payload.at("output"), parse_json(R"({"a":1})"));
  EXPECT_EQ(envelope.attachments, (std::vector<AttachmentInfo>{{4294967295U, 18446744073709551615ULL}, {0, 0}}));
  EXPECT_EQ(total_size(envelope.attachments), 18446744073709551615ULL);
}

TEST(Envelope, KnowsTheTypesOfTheProtocol) {
  for (const auto& [name, type] :
       {std::pair{"call.requested", EventType::kRequested}, std::pair{"call.responded", EventType::kResponded},
        std::pair{"call.completed", EventType::kCompleted}, std::pair{"call.aborted", EventType::kAborted},
        std::pair{"call.credit", EventType::kCredit}, std::pair{"call.error", EventType::kError},
        std::pair{"call.other", EventType::kUnknown}, std::pair{"", EventType::kUnknown}}) {
    const auto text = json_text(JsonObject{{"type", name}, {"id", "1"}, {"payload", JsonObject{}}});
    EXPECT_EQ(parse_envelope(text).type, type) << name;
    EXPECT_EQ(event_name(type), type == EventType::kUnknown ? "" : name);
  }
}

TEST(Envelope, RefusesWhatIsNotOne) {
  const std::string deep = std::string(70, '[') + std::string(70, ']');
  for (const std::string& text : {
           std::string("x"),
           std::string("[]"),
           std::string("{}"),
           std::string(R"({"type":"call.aborted","id":"1"})"),
           std::string(R"({"type":"call.aborted","payload":{}})"),
           std::string(R"({"id":"1","payload":{}})"),
           std::string(R"({"type":1,"id":"1","payload":{}})"),
           std::string(R"({"type":"call.aborted","id":1,"payload":{}})"),
           std::string(R"({"type":"call.aborted","id":"","payload":{}})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":[]})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{}} {})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{},"id":"2"})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{},"attachments":{}})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{},"attachments":[{"id":1}]})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{},"attachments":[{"id":-1,"size":1}]})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{},"attachments":[{"id":4294967296,"size":1}]})"),
           std::string(R"({"type":"call.aborted","id":"1","payload":{},"attachments":[{"id":1,"size":1.5}]})"),
           R"({"type":"call.aborted","id":")" + std::string(129, 'i') + R"(","payload":{}})",
           R"({"type":"call.aborted","id":"1","payload":{"a":)" + deep + "}}",
           std::string("{\"type\":\"call.aborted\",\"id\":\"\xFF\",\"payload\":{}}"),
           std::string("{\"type\":\"call.aborted\",\"id\":\"1\",\"payload\":{\"a\":\"\xC0\xAF\"}}"),
       }) {
    EXPECT_EQ(code_of([&] { parse_envelope(text); }), "protocol_error") << text.substr(0, 100);
  }
  EXPECT_EQ(parse_envelope(R"({"type":"call.aborted","id":")" + std::string(128, 'i') + R"(","payload":{}})").id.size(),
            128U);
}

TEST(EnvelopeWriter, PrintsWhatIsParsed) {
  for (const Framing framing : {Framing::kLengthPrefix, Framing::kMessage}) {
    EnvelopeWriter writer(framing, EventType::kResponded, "quote\" \n é");
    writer.text() += R"("output":)";
    append_json(writer.text(), parse_json(R"([1,"two",{"three":3.5}])"));
    const SharedBytes frame = std::move(writer).finish(std::vector<AttachmentInfo>{{1, 2}, {3, 4}});
    const std::size_t size = envelope_size(frame, framing);
    const std::string text(frame.text().substr(frame.size() - size));
    if (framing == Framing::kLengthPrefix) {
      EXPECT_EQ(frame.text().substr(0, 4), (std::string{0, 0, 0, static_cast<char>(size)}));
    }
    const Envelope read = parse_envelope(text);
    EXPECT_EQ(read.type, EventType::kResponded);
    EXPECT_EQ(read.id, "quote\" \n é");
    EXPECT_EQ(read.payload.at("output"), parse_json(R"([1,"two",{"three":3.5}])"));
    EXPECT_EQ(read.attachments, (std::vector<AttachmentInfo>{{1, 2}, {3, 4}}));
  }
  EXPECT_EQ(EnvelopeWriter(Framing::kMessage, EventType::kCompleted, "1").finish().text(),
            R"({"type":"call.completed","id":"1","payload":{}})");
}

TEST(Features, HoldOnlyWhereBothSidesHaveThem) {
  EXPECT_EQ(Features::from_names({"credit", "unknown"}), (Features{false, true}));
  EXPECT_EQ(Features::all().names(), (std::vector<std::string>{"attachments", "credit"}));
  EXPECT_EQ(Features::all().both({true, false}), (Features{true, false}));
  EXPECT_EQ(Features::from_names({}), Features{});
}

}  // namespace
}  // namespace alknet::call
