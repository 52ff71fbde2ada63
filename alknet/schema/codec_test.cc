// What encode and decode do beyond the table of tests/codec_cases.json, which codec_cases_test.cc goes through.
#include "alknet/schema/codec.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/bytes.h"
#include "alknet/base/testing.h"
#include "alknet/schema/access.h"
#include "alknet/schema/timestamp.h"

namespace alknet::schema {
namespace {

/// A schema with its layout.
struct Codec {
  explicit Codec(std::string_view text, LayoutMode mode = LayoutMode::kAligned)
      : schema(Schema::parse(text)), layout(alknet::schema::layout(schema, mode)) {}
  std::vector<std::byte> encode(std::string_view value, const EncodeOptions& options = {}) const {
    return alknet::schema::encode(layout, parse_json(value), options);
  }
  Error error(std::string_view value, const EncodeOptions& options = {}) const {
    return error_of([&] { encode(value, options); });
  }
  std::string code(std::string_view value) const { return error(value).code_name(); }
  std::string instance_path(std::string_view value) const {
    return std::string(error(value).details().at("instance_path").as_string());
  }

  Schema schema;
  Layout layout;
};

constexpr std::string_view kPerson = R"({"TypeDef:Struct":true,"required":["id","name"],"properties":{
    "id":{"TypeDef:Int64":true},"name":{"TypeDef:String":{"maxBytes":8}},"tags":{"TypeDef:Array":true,"minItems":2,"maxItems":2,
    "items":{"TypeDef:Enum":true,"enum":["red","green"]}}}})";

TEST(Encode, ErrorsNameTheInstanceAndTheNode) {
  const Codec codec(kPerson);
  const auto error = codec.error(R"({"id":1,"name":"x","tags":["red","gren"]})");
  EXPECT_EQ(error.code_name(), "bad_enum");
  EXPECT_EQ(error.details().at("instance_path"), "/tags/1");
  EXPECT_EQ(error.details().at("pointer"), "/properties/tags/items");
  EXPECT_NE(error.message().find("did you mean green"), std::string::npos) << error.message();
  EXPECT_EQ(codec.instance_path(R"({"id":1.5,"name":"x"})"), "/id");
  EXPECT_EQ(codec.instance_path(R"({"id":1,"name":"ninechars"})"), "/name");
  EXPECT_EQ(codec.instance_path(R"({"id":1})"), "");
  EXPECT_EQ(codec.instance_path(R"({"id":1,"name":"x","nam/e~":1})"), "/nam~1e~0");
  EXPECT_NE(codec.error(R"({"id":1,"nam":"x"})").message().find("\"name\""), std::string::npos);
}

TEST(Encode, RefusesTextThatIsNotUtf8) {
  const Codec text(R"({"TypeDef:String":true})", LayoutMode::kPacked);
  EXPECT_EQ(code_of([&] { encode(text.layout, Json("\xC3")); }), "bad_utf8");
  const Codec keys(R"({"TypeDef:Record":{"values":{"TypeDef:Int8":true}}})", LayoutMode::kPacked);
  EXPECT_EQ(code_of([&] { encode(keys.layout, JsonObject{{"\xFF", 1}}); }), "bad_utf8");
}

TEST(Encode, RefusesNumbersThatJsonLacks) {
  const Codec codec(R"({"TypeDef:Float64":true})");
  for (const double number : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(code_of([&] { encode(codec.layout, Json(number)); }), "instance_invalid");
  }
  const Codec integer(R"({"TypeDef:Int32":true})");
  EXPECT_EQ(code_of([&] { encode(integer.layout, Json(std::numeric_limits<double>::quiet_NaN())); }),
            "instance_invalid");
  EXPECT_EQ(code_of([&] { encode(integer.layout, Json(UINT64_MAX)); }), "instance_invalid");
}

TEST(Encode, TakesUnsignedNumbersOfJson) {
  const Codec codec(R"({"TypeDef:Int8":true})");
  EXPECT_EQ(encode(codec.layout, Json(std::uint64_t{127})), std::vector{std::byte{127}});
  EXPECT_EQ(code_of([&] { encode(codec.layout, Json(std::uint64_t{128})); }), "instance_invalid");
}

TEST(Encode, ATensorHasNoValueInPlace) {
  for (const auto mode : {LayoutMode::kPacked, LayoutMode::kAligned}) {
    const Codec codec(R"({"TypeDef:Tensor":{"dtype":"F32","shape":[1]}})", mode);
    EXPECT_EQ(codec.code(R"({"$tensor":"t","dtype":"F32","shape":[1]})"), "schema_invalid");
    EXPECT_EQ(code_of([&] { decode(codec.layout, std::vector<std::byte>(4)); }), "schema_invalid");
  }
}

TEST(Encode, MessagesHaveALimit) {
  const Codec fixed(R"({"TypeDef:String":{"maxBytes":4000000000}})");
  EXPECT_EQ(fixed.error("\"\"", {.max_bytes = 1000}).code_name(), "bad_length");
  const Codec packed(R"({"TypeDef:Array":true,"items":{"TypeDef:Uint16":true}})", LayoutMode::kPacked);
  EXPECT_EQ(packed.encode("[1,2]", {.max_bytes = 8}).size(), 8U);
  EXPECT_EQ(packed.error("[1,2,3]", {.max_bytes = 8}).code_name(), "bad_length");
  const Codec heap(R"({"TypeDef:String":{"encoding":"offset-indirect"}})");
  EXPECT_EQ(heap.encode("\"ab\"", {.max_bytes = 10}).size(), 10U);
  EXPECT_EQ(heap.error("\"abc\"", {.max_bytes = 10}).code_name(), "bad_length");
}

TEST(Encode, DefaultsThatMultiplyStopAtTheLimit) {
  JsonObject defs{
      {"d0", parse_json(R"({"TypeDef:Struct":true,"properties":{"s":{"TypeDef:String":true,"default":""}}})")}};
  for (int i = 1; i < 30; ++i) {
    const Json two = JsonObject{{"TypeDef:Array", true},
                                {"items", JsonObject{{"$ref", "#/$defs/d" + std::to_string(i - 1)}}},
                                {"default", JsonArray{JsonObject(), JsonObject()}}};
    defs["d" + std::to_string(i)] = JsonObject{{"TypeDef:Struct", true}, {"properties", JsonObject{{"a", two}}}};
  }
  const auto schema = Schema::from_json(JsonObject{{"$ref", "#/$defs/d29"}, {"$defs", std::move(defs)}});
  const auto packed = layout(schema, LayoutMode::kPacked);
  EXPECT_EQ(code_of([&] { encode(packed, JsonObject(), {.max_bytes = 10'000}); }), "bad_length");
}

TEST(EncodeInto, WritesARecordOrZeros) {
  const Codec codec(kPerson);
  std::vector<std::byte> record(*codec.layout.size(), std::byte{0xEE});
  encode_into(codec.layout, parse_json(R"({"id":7,"name":"ann"})"), record);
  EXPECT_EQ(record, codec.encode(R"({"id":7,"name":"ann"})"));
  EXPECT_EQ(code_of([&] { encode_into(codec.layout, parse_json(R"({"id":7,"name":5})"), record); }),
            "instance_invalid");
  EXPECT_EQ(record, std::vector<std::byte>(record.size()));
  EXPECT_EQ(code_of([&] { encode_into(codec.layout, JsonObject(), std::span(record).first(3)); }), "invalid_argument");
  const Codec heap(R"({"TypeDef:String":{"encoding":"offset-indirect"}})"), packed(kPerson, LayoutMode::kPacked);
  EXPECT_EQ(code_of([&] { encode_into(heap.layout, "", std::span(record).first(8)); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { encode_into(packed.layout, "", record); }), "invalid_argument");
}

/// A store in memory.
struct Store {
  EncodeOptions options() {
    return {.blobs = [this](std::span<const std::byte> content, std::uint64_t align) {
      EXPECT_FALSE(content.empty());
      bytes.resize(*align_up<std::uint64_t>(bytes.size(), align));
      bytes.insert(bytes.end(), content.begin(), content.end());
      ++calls;
      return BlobRange{bytes.size() - content.size(), content.size()};
    }};
  }
  BlobReader reader() {
    return [this](BlobRange range) { return std::span<const std::byte>(bytes).subspan(range.offset, range.bytes); };
  }
  std::vector<std::byte> bytes;
  int calls = 0;
};

constexpr std::string_view kBlobs = R"({"TypeDef:Struct":true,"required":["s","b","r","j"],"properties":{
    "s":{"TypeDef:Blob":{"item":"String"}},"b":{"TypeDef:Blob":{"item":"Bytes"}},
    "r":{"TypeDef:Blob":{"item":{"TypeDef:Struct":true,"required":["a"],"properties":{"a":{"TypeDef:Uint8":true},"d":{"TypeDef:Float64":true}}}}},
    "j":{"TypeDef:Blob":{"item":true}},"n":{"TypeDef:Blob":{"item":"Int16"}},"last":{"TypeDef:Uint8":true}}})";

TEST(Encode, BlobsGoThroughTheirWriterAndBack) {
  for (const auto mode : {LayoutMode::kAligned, LayoutMode::kPacked}) {
    const Codec codec(kBlobs, mode);
    Store store;
    const auto value = parse_json(R"({"s":"hi","b":"AQID","r":[{"a":1,"d":0.5},{"a":2}],"j":{"k":[1,null]},"last":9})");
    const auto record = encode(codec.layout, value, store.options());
    EXPECT_EQ(store.calls, 4);
    EXPECT_EQ(FieldAccess(codec.layout, "s").get<BlobRange>(record), (BlobRange{0, 2}));
    EXPECT_EQ(FieldAccess(codec.layout, "b").get<BlobRange>(record), (BlobRange{2, 3}));
    EXPECT_EQ(FieldAccess(codec.layout, "r").get<BlobRange>(record), (BlobRange{8, 32}));  // a multiple of 8
    EXPECT_EQ(FieldAccess(codec.layout, "j").get<BlobRange>(record), (BlobRange{40, 14}));
    EXPECT_EQ(json_text(decode(codec.layout, record, store.reader())), json_text(value));
    EXPECT_NO_THROW(check_value(codec.layout, record));
  }
}

TEST(Encode, EmptyBlobsAreZeros) {
  const Codec codec(kBlobs);
  Store store;
  const auto value = parse_json(R"({"s":"","b":"","r":[],"j":null,"n":[]})");
  const auto record = encode(codec.layout, value, store.options());
  EXPECT_EQ(store.calls, 1);  // null is text: `null`
  EXPECT_EQ(FieldAccess(codec.layout, "r").get<BlobRange>(record), (BlobRange{0, 0}));
  EXPECT_EQ(json_text(decode(codec.layout, record, store.reader())), json_text(value));
}

TEST(Encode, NothingReachesTheStoreOfAWrongValue) {
  const Codec codec(kBlobs);
  Store store;
  for (const std::string_view wrong :
       {R"({"s":"hi","b":"AQID","r":[],"j":1,"last":256})", R"({"s":"hi","b":"AQI","r":[],"j":1})",
        R"({"s":"hi","b":"","r":[{"a":1},{"d":1}],"j":1})"}) {
    EXPECT_EQ(codec.error(wrong, store.options()).code_name(), "instance_invalid") << wrong;
  }
  EXPECT_EQ(store.calls, 0);
  EXPECT_EQ(codec.code(R"({"s":"","b":"","r":[],"j":1})"), "invalid_argument");
}

TEST(Decode, NoByteOfTheHeapCountsTwice) {
  // Forty references to the same megabyte would make forty of it.
  const Codec codec(
      R"({"TypeDef:Array":true,"minItems":40,"maxItems":40,"items":{"TypeDef:Bytes":{"encoding":"offset-indirect"}}})");
  std::vector<std::byte> message(320 + 1'000'000);
  for (std::size_t i = 0; i < 40; ++i) {
    store_le<std::uint32_t>(message.data() + 8 * i, 320);
    store_le<std::uint32_t>(message.data() + 8 * i + 4, 1'000'000);
  }
  EXPECT_EQ(code_of([&] { decode(codec.layout, message); }), "bad_length");
}

TEST(CheckValue, GapsInTheHeapAreZero) {
  const Codec codec(R"({"TypeDef:Struct":true,"required":["s","v"],"properties":{
    "s":{"TypeDef:String":{"encoding":"offset-indirect"}},
    "v":{"TypeDef:Array":{"encoding":"offset-indirect"},"items":{"TypeDef:Uint32":true}}}})");
  auto message = codec.encode(R"({"s":"abc","v":[1]})");
  ASSERT_EQ(message.size(), 24U);
  EXPECT_NO_THROW(check_value(codec.layout, message));
  message[19] = std::byte{1};
  EXPECT_EQ(code_of([&] { check_value(codec.layout, message); }), "nonzero_padding");
  EXPECT_NO_THROW(decode(codec.layout, message));
}

TEST(Encode, ReadsBackThroughFieldAccess) {
  const Codec aligned(kPerson), packed(kPerson, LayoutMode::kPacked);
  const std::string_view value = R"({"id":"-9223372036854775808","name":"Zo\u00eb","tags":["green","red"]})";
  for (const auto* codec : {&aligned, &packed}) {
    const auto record = codec->encode(value);
    EXPECT_EQ(FieldAccess(codec->layout, "id").get<std::int64_t>(record), INT64_MIN);
    EXPECT_EQ(FieldAccess(codec->layout, "name").get<std::string>(record), "Zo\xC3\xAB");
    EXPECT_EQ(FieldAccess(codec->layout, "tags[0]").get<std::string>(record), "green");
  }
}

/// A Struct whose member `p` is the reference, with all that it may lead to in `$defs`.
std::string point_by(std::string_view reference) {
  return R"({"$id":"https://example.com/root.json","TypeDef:Struct":true,"required":["p"],"properties":{"p":{"$ref":")" +
         std::string(reference) +
         R"("}},"$defs":{"spot":{"$anchor":"here","TypeDef:Struct":true,"required":["x"],"properties":{"x":{"TypeDef:Int16":true}}},
         "far":{"$id":"far.json","$ref":"root.json#here"},"with space":{"$ref":"spot"}}})";
}

TEST(EncodeThroughReferences, ResolvesEveryFormOfThem) {
  const auto other = parse_json(
      R"({"$defs":{"spot":{"TypeDef:Struct":true,"required":["x"],"properties":{"x":{"TypeDef:Int16":true}}}}})");
  for (const std::string_view reference :
       {"#/$defs/spot", "#here", "root.json#here", "https://example.com/root.json#/$defs/spot", "far.json", "spot",
        "#/$defs/with%20space", "https://other.example/points#/$defs/spot"}) {
    const auto schema = Schema::parse(point_by(reference), {.registered = {{"https://other.example/points", other}}});
    for (const auto mode : {LayoutMode::kPacked, LayoutMode::kAligned}) {
      const auto measured = layout(schema, mode);
      const auto value = parse_json(R"({"p":{"x":258}})");
      const auto bytes = encode(measured, value);
      EXPECT_EQ(bytes, (std::vector{std::byte{2}, std::byte{1}})) << reference;
      EXPECT_EQ(decode(measured, bytes), value) << reference;
    }
  }
}

TEST(EncodeThroughReferences, RecursionIsPackedAndThroughWhatMayEnd) {
  const auto refused = [](std::string_view text, LayoutMode mode) {
    const auto schema = Schema::parse(text);
    try {
      layout(schema, mode);
      return std::string("none");
    } catch (const Error& error) {
      return error.code_name();
    }
  };
  constexpr std::string_view kEnding[] = {
      R"({"TypeDef:Struct":true,"properties":{"next":{"$ref":"#"}}})",
      R"({"TypeDef:Struct":true,"required":["all"],"properties":{"all":{"TypeDef:Array":true,"items":{"$ref":"#"}}}})",
      R"({"TypeDef:Record":{"values":{"$ref":"#"}}})",
      R"({"TypeDef:Union":{"discriminator":"k","mapping":{"a":{"TypeDef:Struct":true,"required":["n"],"properties":{"n":{"$ref":"#"}}},
          "b":{"TypeDef:Struct":true,"properties":{"x":{"TypeDef:Int8":true}}}}}})"};
  for (const auto text : kEnding) {
    EXPECT_EQ(refused(text, LayoutMode::kPacked), "none") << text;
    EXPECT_EQ(refused(text, LayoutMode::kAligned), "schema_invalid") << text;
  }
  constexpr std::string_view kEndless[] = {
      R"({"TypeDef:Struct":true,"required":["next"],"properties":{"next":{"$ref":"#"}}})",
      R"({"TypeDef:Array":true,"minItems":2,"maxItems":2,"items":{"$ref":"#"}})",
      R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Struct":true,"required":["b"],"properties":{"b":{"$ref":"#/properties/a"}}}}})"};
  for (const auto text : kEndless) {
    EXPECT_EQ(refused(text, LayoutMode::kPacked), "schema_invalid") << text;
    EXPECT_EQ(refused(text, LayoutMode::kAligned), "schema_invalid") << text;
  }
}

TEST(EncodeThroughReferences, DepthEndsAt64BothWays) {
  const Codec codec(R"({"TypeDef:Array":true,"items":{"$ref":"#"}})", LayoutMode::kPacked);
  Json value = JsonArray();
  for (int depth = 1; depth < 64; ++depth) value = JsonArray{std::move(value)};
  const auto bytes = encode(codec.layout, value);
  EXPECT_EQ(decode(codec.layout, bytes), value);
  EXPECT_EQ(code_of([&] { encode(codec.layout, JsonArray{value}); }), "schema_too_deep");
  auto deeper = std::vector<std::byte>{std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0}};
  deeper.insert(deeper.end(), bytes.begin(), bytes.end());
  EXPECT_EQ(code_of([&] { decode(codec.layout, deeper); }), "schema_too_deep");
}

TEST(IsTimestamp, AgreesWithThePatternThatTimestampLowersTo) {
  const auto lowered = Schema::parse(R"({"TypeDef:Timestamp":true})").lower();
  const std::string sample = "2024-02-29T12:34:56.5+01:59";
  const std::string_view alphabet = "0123456789-:.+TtZzx ";
  int valid = 0;
  const auto compare = [&](const std::string& text) {
    EXPECT_EQ(is_timestamp(text), lowered.is_valid(Json(text))) << text;
    valid += is_timestamp(text) ? 1 : 0;
  };
  for (std::size_t at = 0; at < sample.size(); ++at) {
    for (const char c : alphabet) {
      auto changed = sample;
      changed[at] = c;
      compare(changed);
      compare(changed.substr(0, at + 1));
      compare(sample.substr(0, at) + c + sample.substr(at));
    }
    compare(sample.substr(0, at) + sample.substr(at + 1));
  }
  for (int month = 0; month <= 13; ++month) {
    for (int day = 0; day <= 32; ++day) {
      auto text = sample;
      for (const auto& [at, number] : {std::pair(5U, month), std::pair(8U, day)}) {
        text[at] = static_cast<char>('0' + number / 10);
        text[at + 1] = static_cast<char>('0' + number % 10);
      }
      compare(text);
    }
  }
  EXPECT_GT(valid, 366);
}

TEST(TakesAnyBytes, IsTrueOfNumbersWithoutPadding) {
  const auto takes = [](const char* text) {
    const Schema schema = Schema::parse(text);
    return takes_any_bytes(layout(schema, LayoutMode::kAligned));
  };
  EXPECT_TRUE(takes(R"({"TypeDef:Struct":{"order":["d","m","qs"]},"required":["d","m","qs"],"properties":{
    "d":{"TypeDef:Float16":true},"m":{"TypeDef:Float16":true},
    "qs":{"TypeDef:Array":true,"minItems":16,"maxItems":16,"items":{"TypeDef:Uint8":true}}}})"));
  EXPECT_FALSE(takes(R"({"TypeDef:Struct":{"order":["a","b"]},"required":["a","b"],"properties":{
    "a":{"TypeDef:Uint8":true},"b":{"TypeDef:Int32":true}}})"))
      << "padding must be zero";
  EXPECT_FALSE(takes(R"({"TypeDef:Struct":{"order":["a"]},"properties":{"a":{"TypeDef:Uint8":true}}})"))
      << "unused bits must be zero";
  EXPECT_FALSE(takes(R"({"TypeDef:Boolean":true})"));
  EXPECT_FALSE(takes(R"({"TypeDef:Enum":true,"enum":["a"]})"));
  EXPECT_FALSE(takes(R"({"TypeDef:String":{"maxBytes":8}})"));
}

}  // namespace
}  // namespace alknet::schema
