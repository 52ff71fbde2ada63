#include "alknet/call/bytes_places.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/error.h"
#include "alknet/schema/schema.h"

namespace alknet::call {
namespace {

Message message(std::string_view text, std::vector<std::string> bytes = {}) {
  Message made{parse_json(text), {}};
  for (const std::string& part : bytes) made.bytes.push_back(SharedBytes::copy(std::string_view(part)));
  return made;
}

TEST(BytesPlaces, TurnBase64IntoBuffersAndBack) {
  const BytesPlaces places(parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true},"name":{"type":"string"},
      "parts":{"type":"array","items":{"TypeDef:Bytes":true}}}})"));
  Message value = message(R"({"data":"aGVsbG8=","name":"aGVsbG8=","parts":["","AAE="]})");
  places.decode(value);
  EXPECT_EQ(json_text(value.value), R"({"data":{"$bytes":0},"name":"aGVsbG8=","parts":[{"$bytes":1},{"$bytes":2}]})");
  ASSERT_EQ(value.bytes.size(), 3U);
  EXPECT_EQ(value.bytes[0].text(), "hello");
  EXPECT_EQ(value.bytes[1].size(), 0U);
  places.encode(value);
  EXPECT_EQ(json_text(value.value), R"({"data":"aGVsbG8=","name":"aGVsbG8=","parts":["","AAE="]})");
  EXPECT_TRUE(value.bytes.empty());
}

TEST(BytesPlaces, AReferenceElsewhereIsPlainData) {
  const BytesPlaces places(parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true}}})"));
  Message value = message(R"({"data":{"$bytes":7},"other":{"$bytes":7}})");
  places.renumber(value.value, [](std::uint64_t) -> std::uint64_t { return 0; });
  EXPECT_EQ(json_text(value.value), R"({"data":{"$bytes":0},"other":{"$bytes":7}})");
}

TEST(BytesPlaces, FollowReferencesUnionsAndRecursion) {
  const BytesPlaces places(parse_json(R"({"$defs":{"Node":{"type":"object","properties":{
      "payload":{"TypeDef:Bytes":true},"children":{"type":"array","items":{"$ref":"#/$defs/Node"}},
      "extra":{"anyOf":[{"type":"null"},{"$ref":"Blob"}]}}},"Blob":{"TypeDef:Bytes":true}},"$ref":"#/$defs/Node"})"));
  Message value = message(R"({"children":[{"payload":"AA==","children":[{"extra":"AQ=="},{"extra":null}]}]})");
  places.decode(value);
  EXPECT_EQ(json_text(value.value),
            R"({"children":[{"payload":{"$bytes":0},"children":[{"extra":{"$bytes":1}},{"extra":null}]}]})");
  EXPECT_TRUE(BytesPlaces(parse_json(R"({"$ref":"#"})")).empty());
}

TEST(BytesPlaces, FollowChainsOfReferencesOfAnyLength) {
  constexpr int kLength = 200'000;
  JsonObject definitions;
  for (int i = 0; i < kLength; ++i) {
    definitions.emplace(std::to_string(i), JsonObject{{"$ref", "#/$defs/" + std::to_string(i + 1)}});
  }
  definitions.emplace(std::to_string(kLength), JsonObject{{"TypeDef:Bytes", true}});
  const BytesPlaces places(JsonObject{{"$ref", "#/$defs/0"}, {"$defs", std::move(definitions)}});
  Message value = message(R"("aGVsbG8=")");
  places.decode(value);
  ASSERT_EQ(value.bytes.size(), 1U);
  EXPECT_EQ(value.bytes[0].text(), "hello");
}

TEST(BytesPlaces, RefuseWhatIsNotBase64MissingOrTooLong) {
  const BytesPlaces places(parse_json(R"({"items":{"TypeDef:Bytes":{"maxBytes":2}}})"));
  for (const char* text : {R"(["a"])", R"(["AAEC"])", R"([{"$bytes":0}])"}) {
    Message value = message(text);
    EXPECT_EQ(code_of([&] { places.decode(value); }), "invalid_input") << text;
  }
  // The text before it becomes a buffer, but not one that came with the message.
  Message after_text = message(R"(["AA==",{"$bytes":1}])", {"a"});
  EXPECT_EQ(error_of([&] { places.decode(after_text); }).details().at_pointer("/violations/0/instance_path"), "/1");
  Message value = message(R"([{"$bytes":0}])", {"abc"});
  const Error error = error_of([&] { places.decode(value); });
  EXPECT_EQ(error.details().at_pointer("/violations/0/instance_path"), "/0");
}

TEST(BytesPlaces, TheAttachedFormTakesReferencesAndNothingElse) {
  const Json document = parse_json(R"({"type":"object","TypeDef:Struct":true,"properties":{"id":{"TypeDef:Int32":true},
      "data":{"TypeDef:Bytes":{"maxBytes":4}}},"required":["id","data"]})");
  const auto schema = schema::Schema::from_json(BytesPlaces::attached_form(document));
  EXPECT_TRUE(schema.is_valid(parse_json(R"({"id":1,"data":{"$bytes":0}})")));
  for (const char* text : {R"({"id":1,"data":"AA=="})", R"({"id":1,"data":{"$bytes":-1}})", R"({"id":1})",
                           R"({"id":1,"data":{"$bytes":0,"more":1}})"}) {
    EXPECT_FALSE(schema.is_valid(parse_json(text))) << text;
  }
}

}  // namespace
}  // namespace alknet::call
