#include "alknet/schema/access.h"
#include "alknet/schema/codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "alknet/base/testing.h"

namespace alknet::schema {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

/// A schema with its layout.
struct Fixture {
  explicit Fixture(std::string_view text, LayoutMode mode = LayoutMode::kAligned)
      : schema(Schema::parse(text)), layout(alknet::schema::layout(schema, mode)) {}
  FieldAccess at(std::string_view path) const { return {layout, path}; }
  std::string json(std::span<const std::byte> record, const BlobReader& blobs = nullptr) const {
    return json_text(decode(layout, record, blobs));
  }

  Schema schema;
  Layout layout;
};

constexpr std::string_view kScore =
    R"({"TypeDef:Struct":true,"properties":{"id":{"TypeDef:Int32":true},"score":{"TypeDef:Float32":true}},"required":["id"]})";

TEST(AccessAligned, ReadsAndWritesNullableFields) {
  const Fixture fixture(kScore);
  std::vector<std::byte> record(12);
  const auto id = fixture.at("id"), score = fixture.at("score");
  EXPECT_FALSE(id.nullable());
  EXPECT_TRUE(score.nullable());
  id.set(record, std::int32_t{-2});
  EXPECT_EQ(id.get<std::int32_t>(record), -2);
  EXPECT_EQ(score.get<float>(record), std::nullopt);
  score.set(record, 1.5F);
  EXPECT_EQ(record, bytes({1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0xC0, 0x3F}));
  EXPECT_EQ(score.get<double>(record), 1.5);
  EXPECT_EQ(fixture.json(record), R"({"id":-2,"score":1.5})");
  score.clear(record);
  EXPECT_EQ(record, bytes({0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}));
  EXPECT_EQ(fixture.json(record), R"({"id":-2})");
  EXPECT_EQ(code_of([&] { id.clear(record); }), "invalid_argument");
}

TEST(AccessAligned, ChecksTypes) {
  const Fixture fixture(kScore);
  const std::vector<std::byte> record(12);
  const auto id = fixture.at("id"), score = fixture.at("score");
  EXPECT_EQ(id.get<std::int64_t>(record), 0);
  EXPECT_EQ(code_of([&] { (void)id.get<std::int16_t>(record); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { (void)id.get<std::uint32_t>(record); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { (void)id.get<float>(record); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { (void)score.get<std::string>(record); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { (void)id.get<int>(std::span(record).first(11)); }), "message_truncated");
}

TEST(AccessAligned, EveryIntegerKindKeepsItsLimits) {
  struct Limits {
    std::string_view kind;
    std::int64_t low;
    std::uint64_t high;
  };
  for (const auto& limits : std::initializer_list<Limits>{{"Int8", -128, 127},
                                                          {"Uint8", 0, 255},
                                                          {"Int16", -32768, 32767},
                                                          {"Uint16", 0, 65535},
                                                          {"Int32", INT32_MIN, INT32_MAX},
                                                          {"Uint32", 0, UINT32_MAX},
                                                          {"Int64", INT64_MIN, INT64_MAX},
                                                          {"Uint64", 0, UINT64_MAX}}) {
    const auto kind = limits.kind;
    const auto low = limits.low;
    const auto high = limits.high;
    const Fixture fixture(json_text(JsonObject{{"TypeDef:" + std::string(kind), true}}));
    std::vector<std::byte> record(*fixture.layout.size());
    const auto value = fixture.at("");
    value.set(record, low);
    EXPECT_EQ(*value.get_json(record),
              std::abs(static_cast<double>(low)) > 9e15 ? Json(std::to_string(low)) : Json(low))
        << kind;
    value.set(record, high);
    if (low < 0) {
      EXPECT_EQ(value.get<std::int64_t>(record), static_cast<std::int64_t>(high));
    }
    if (low == 0) {
      EXPECT_EQ(value.get<std::uint64_t>(record), high);
    }
    if (high < UINT64_MAX) {
      EXPECT_EQ(code_of([&] { value.set(record, high + 1); }), "invalid_argument") << kind;
    }
    if (low > INT64_MIN) {
      EXPECT_EQ(code_of([&] { value.set(record, low - 1); }), "invalid_argument") << kind;
    }
  }
}

TEST(AccessAligned, SmallFloatsRoundToNearestEven) {
  const auto stored = [](std::string_view kind, double value) {
    const Fixture fixture(json_text(JsonObject{{"TypeDef:" + std::string(kind), true}}));
    std::vector<std::byte> record(2);
    fixture.at("").set(record, value);
    return static_cast<int>(record[1]) * 256 + static_cast<int>(record[0]);
  };
  EXPECT_EQ(stored("Float16", 1), 0x3C00);
  EXPECT_EQ(stored("Float16", -2), 0xC000);
  EXPECT_EQ(stored("Float16", 65504), 0x7BFF);
  EXPECT_EQ(stored("Float16", 65519.99), 0x7BFF);
  EXPECT_EQ(stored("Float16", 0x1p-24), 1);
  EXPECT_EQ(stored("Float16", 0x1p-25), 0);  // half of the smallest: to even
  EXPECT_EQ(stored("Float16", 0x1.000002p-25), 1);
  EXPECT_EQ(stored("Float16", 1 + 0x1p-11), 0x3C00);            // a tie
  EXPECT_EQ(stored("Float16", 1 + 0x3p-11), 0x3C02);            // a tie
  EXPECT_EQ(stored("Float16", 1 + 0x1p-11 + 0x1p-40), 0x3C01);  // would tie if it went through float
  EXPECT_EQ(stored("Float16", 0x1.ffcp-15), 0x03FF + 1);        // carries into the exponent
  EXPECT_EQ(stored("Float16", std::numeric_limits<double>::infinity()), 0x7C00);
  EXPECT_EQ(stored("Float16", -0.0), 0x8000);
  EXPECT_EQ(stored("BFloat16", 1), 0x3F80);
  EXPECT_EQ(stored("BFloat16", 3.3895313892515355e38), 0x7F7F);
  EXPECT_EQ(stored("BFloat16", 1 + 0x1p-8), 0x3F80);
  EXPECT_EQ(stored("BFloat16", 1 + 0x3p-8), 0x3F82);
  const Fixture half(R"({"TypeDef:Float16":true})");
  std::vector<std::byte> record(2);
  EXPECT_EQ(code_of([&] { half.at("").set(record, 65520.0); }), "invalid_argument");
  for (int bits = 0; bits < 0x10000; ++bits) {
    const auto two = bytes({bits & 255, bits >> 8});
    const double value = *half.at("").get<double>(two);
    if (std::isnan(value)) continue;
    half.at("").set(record, value);
    ASSERT_EQ(record, two) << bits;
  }
}

TEST(AccessAligned, StringsHaveAReservation) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"required":["s","b"],"properties":{
    "s":{"TypeDef:String":{"maxBytes":5}},"b":{"TypeDef:Bytes":{"maxBytes":2}}}})");
  std::vector<std::byte> record(20);
  const auto text = fixture.at("s");
  text.set(record, "hello");
  EXPECT_EQ(text.get<std::string>(record), "hello");
  text.set(record, "\xC3\xA9");
  EXPECT_EQ(record, bytes({2, 0, 0, 0, 0xC3, 0xA9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(code_of([&] { text.set(record, "sixsix"); }), "reservation_overflow");
  EXPECT_EQ(code_of([&] { text.set(record, "\xC3"); }), "bad_utf8");
  EXPECT_EQ(text.get<std::string>(record), "\xC3\xA9");
  fixture.at("b").set(record, "\xFF\x01");
  EXPECT_EQ(fixture.json(record), "{\"s\":\"\xC3\xA9\",\"b\":\"/wE=\"}");
  record[0] = std::byte{6};
  EXPECT_EQ(code_of([&] { (void)text.get<std::string>(record); }), "bad_length");
  record[0] = std::byte{1};
  EXPECT_EQ(code_of([&] { (void)text.get<std::string>(record); }), "bad_utf8");
}

TEST(AccessAligned, BooleansEnumsAndPresenceAreChecked) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"required":["b"],"properties":{
    "b":{"TypeDef:Boolean":true},"e":{"TypeDef:Enum":true,"enum":["red","green"]}}})");
  auto record = bytes({1, 1, 0, 0, 1, 0, 0, 0});
  EXPECT_EQ(fixture.at("b").get<bool>(record), true);
  EXPECT_EQ(fixture.at("e").get<std::string>(record), "green");
  EXPECT_EQ(fixture.at("e").get<std::uint32_t>(record), 1U);
  fixture.at("e").set(record, "red");
  EXPECT_EQ(fixture.json(record), R"({"b":true,"e":"red"})");
  EXPECT_EQ(code_of([&] { fixture.at("e").set(record, "blue"); }), "bad_enum");
  EXPECT_EQ(code_of([&] { fixture.at("e").set(record, std::uint32_t{2}); }), "bad_enum");
  record[4] = std::byte{2};
  EXPECT_EQ(code_of([&] { (void)fixture.at("e").get<std::string>(record); }), "bad_enum");
  record[1] = std::byte{2};
  EXPECT_EQ(code_of([&] { (void)fixture.at("b").get<bool>(record); }), "bad_boolean");
  EXPECT_EQ(code_of([&] { fixture.json(bytes({3, 1, 0, 0, 1, 0, 0, 0})); }), "bad_presence");
}

TEST(AccessAligned, ReachesIntoStructsAndArrays) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"properties":{
    "p":{"TypeDef:Array":true,"minItems":2,"maxItems":2,"items":{"$ref":"#/$defs/p"}}},
    "$defs":{"p":{"TypeDef:Struct":true,"required":["x"],"properties":{"x":{"TypeDef:Uint16":true},"y":{"TypeDef:Uint16":true}}}}})");
  // bitmap, pad, then per item: bitmap, pad, x, y
  ASSERT_EQ(fixture.layout.size(), 14U);
  std::vector<std::byte> record(14);
  const auto y = fixture.at("p[1].y");
  EXPECT_EQ(y.get<std::uint16_t>(record), std::nullopt);
  y.set(record, std::uint16_t{7});  // marks p and y present
  EXPECT_EQ(record, bytes({1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 0}));
  EXPECT_EQ(fixture.json(record), R"({"p":[{"x":0},{"x":0,"y":7}]})");
  EXPECT_EQ(fixture.at("p[0].x").get<std::uint16_t>(record), 0U);
  EXPECT_EQ(json_text(*fixture.at("p[1]").get_json(record)), R"({"x":0,"y":7})");
  fixture.at("p").clear(record);
  EXPECT_EQ(fixture.at("p[1].y").get<std::uint16_t>(record), std::nullopt);
  const auto error = error_of([&] { fixture.at("p[0].z"); });
  EXPECT_EQ(error.code_name(), "not_found");
  EXPECT_NE(error.message().find("x, y"), std::string::npos);
  EXPECT_EQ(code_of([&] { fixture.at("p[2].x"); }), "not_found");
  EXPECT_EQ(code_of([&] { fixture.at("p.x"); }), "not_found");
}

TEST(AccessAligned, FollowsIndirectFields) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"required":["s","v"],"properties":{
    "s":{"TypeDef:String":{"encoding":"offset-indirect"}},
    "v":{"TypeDef:Array":{"encoding":"offset-indirect"},"items":{"TypeDef:Uint16":true}}}})");
  auto message = bytes({16, 0, 0, 0, 2, 0, 0, 0, 18, 0, 0, 0, 4, 0, 0, 0, 'h', 'i', 1, 0, 2, 0});
  EXPECT_EQ(fixture.json(message), R"({"s":"hi","v":[1,2]})");
  EXPECT_EQ(fixture.at("v[1]").get<std::uint16_t>(message), 2U);
  EXPECT_EQ(code_of([&] { (void)fixture.at("v[2]").get<std::uint16_t>(message); }), "not_found");
  EXPECT_NO_THROW(check_value(fixture.layout, message));
  EXPECT_EQ(fixture.json(std::vector<std::byte>(16)), R"({"s":"","v":[]})");
  message[12] = std::byte{3};
  EXPECT_EQ(code_of([&] { fixture.json(message); }), "bad_length");
  message[12] = std::byte{6};
  EXPECT_EQ(code_of([&] { fixture.json(message); }), "message_truncated");
  message[0] = std::byte{4};
  EXPECT_EQ(code_of([&] { fixture.json(message); }), "bad_length");
}

TEST(AccessAligned, ReadsBlobsThroughTheirReader) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"required":["s","r","j"],"properties":{
    "s":{"TypeDef:Blob":{"item":"String"}},"r":{"TypeDef:Blob":{"item":"Int16"}},"j":{"TypeDef:Blob":{"item":true}}}})");
  std::vector<std::byte> record(48);
  fixture.at("s").set(record, BlobRange{0, 2});
  fixture.at("r").set(record, BlobRange{2, 4});
  fixture.at("j").set(record, BlobRange{6, 3});
  EXPECT_EQ(fixture.at("r").get<BlobRange>(record), (BlobRange{2, 4}));
  const auto store = bytes({'h', 'i', 1, 0, 0xFF, 0xFF, '[', '1', ']'});
  const BlobReader reader = [&](BlobRange range) { return std::span(store).subspan(range.offset, range.bytes); };
  EXPECT_EQ(fixture.json(record, reader), R"({"s":"hi","r":[1,-1],"j":[1]})");
  EXPECT_EQ(code_of([&] { fixture.json(record); }), "invalid_argument");
  fixture.at("r").set(record, BlobRange{2, 3});
  EXPECT_EQ(code_of([&] { fixture.json(record, reader); }), "bad_length");
}

TEST(CheckValue, FindsWhatIsNotZero) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"required":["a","s"],"properties":{
    "a":{"TypeDef:Uint8":true},"s":{"TypeDef:String":{"maxBytes":3}},"n":{"TypeDef:Uint8":true}}})");
  // bitmap 0, a 1, pad 2-3, s 4-11 (length, 3 bytes, pad), n 12, pad 13-15
  ASSERT_EQ(fixture.layout.size(), 16U);
  const auto good = bytes({1, 9, 0, 0, 2, 0, 0, 0, 'h', 'i', 0, 0, 5, 0, 0, 0});
  EXPECT_NO_THROW(check_value(fixture.layout, good));
  for (const std::size_t at : {2U, 3U, 10U, 11U, 13U, 15U}) {
    auto bad = good;
    bad[at] = std::byte{1};
    EXPECT_EQ(code_of([&] { check_value(fixture.layout, bad); }), "nonzero_padding") << at;
    EXPECT_NO_THROW(fixture.json(bad));  // reading tolerates it
  }
  auto absent = good;
  absent[0] = std::byte{0};
  EXPECT_EQ(code_of([&] { check_value(fixture.layout, absent); }), "nonzero_padding");
  absent[0] = std::byte{3};
  EXPECT_EQ(code_of([&] { check_value(fixture.layout, absent); }), "bad_presence");
  EXPECT_EQ(code_of([&] { check_value(fixture.layout, std::span(good).first(15)); }), "message_truncated");
}

TEST(AccessPacked, ReadsTheUnionOfTheDocument) {
  const Fixture fixture(R"({"TypeDef:Union":{"discriminator":"kind","mapping":{
    "circle":{"TypeDef:Struct":true,"properties":{"r":{"TypeDef:Float32":true}},"required":["r"]},
    "square":{"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Float32":true}},"required":["a"]}}}})",
                        LayoutMode::kPacked);
  const auto square = bytes({1, 0, 0, 0, 0x40});
  EXPECT_EQ(fixture.json(square), R"({"kind":"square","a":2.0})");
  EXPECT_EQ(fixture.at("a").get<float>(square), 2.0F);
  EXPECT_EQ(fixture.at("r").get<float>(square), std::nullopt);
  EXPECT_EQ(code_of([&] { fixture.json(bytes({2, 0, 0, 0, 0})); }), "bad_enum");
  EXPECT_EQ(code_of([&] { fixture.json(bytes({1, 0, 0, 0})); }), "message_truncated");
  EXPECT_EQ(code_of([&] { fixture.json(bytes({1, 0, 0, 0, 0, 0})); }), "bad_length");
}

constexpr std::string_view kPacked = R"({"TypeDef:Struct":true,"required":["s","m","v"],"properties":{
    "n":{"TypeDef:Int16":true},"s":{"TypeDef:String":true},"m":{"TypeDef:Record":{"values":{"TypeDef:Uint8":true}}},
    "v":{"TypeDef:Array":true,"items":{"TypeDef:Bytes":true}}}})";

TEST(AccessPacked, WalksOverWhatShifts) {
  const Fixture fixture(kPacked, LayoutMode::kPacked);
  const auto message = bytes({1, 5, 0, 2, 0,   0, 0, 'h', 'i', 2, 0, 0, 0, 1, 0, 0, 0, 'a', 7,
                              1, 0, 0, 0, 'b', 8, 2, 0,   0,   0, 0, 0, 0, 0, 1, 0, 0, 0,   0xFF});
  EXPECT_EQ(fixture.json(message), R"({"n":5,"s":"hi","m":{"a":7,"b":8},"v":["","/w=="]})");
  EXPECT_EQ(fixture.at("n").get<int>(message), 5);
  EXPECT_EQ(fixture.at("s").get<std::string>(message), "hi");
  EXPECT_EQ(fixture.at("m.b").get<std::uint8_t>(message), 8);
  EXPECT_EQ(fixture.at("m.c").get<std::uint8_t>(message), std::nullopt);
  EXPECT_EQ(fixture.at("v[1]").get<std::string>(message), "\xFF");
  EXPECT_EQ(code_of([&] { (void)fixture.at("v[2]").get<std::string>(message); }), "not_found");
  EXPECT_NO_THROW(check_value(fixture.layout, message));
  auto writable = message;
  EXPECT_EQ(code_of([&] { fixture.at("n").set(writable, std::int16_t{1}); }), "invalid_argument");
  // Every cut is an error, never a wrong value.
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(code_of([&] { fixture.json(std::span(message).first(size)); }), "message_truncated") << size;
  }
  auto bad = message;
  bad[0] = std::byte{2};
  EXPECT_EQ(code_of([&] { fixture.json(bad); }), "bad_presence");
}

TEST(AccessPacked, ReadsBigEndian) {
  const Fixture fixture(R"({"TypeDef:Struct":{"endian":"big"},"required":["n","s","f"],"properties":{
    "n":{"TypeDef:Int16":true},"s":{"TypeDef:String":true},"f":{"TypeDef:Float64":true}}})",
                        LayoutMode::kPacked);
  const auto message = bytes({0xFF, 0xFE, 0, 0, 0, 1, 'x', 0x3F, 0xF0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(fixture.json(message), R"({"n":-2,"s":"x","f":1.0})");
  EXPECT_EQ(fixture.at("n").get<std::int16_t>(message), -2);
  EXPECT_EQ(fixture.at("f").get<double>(message), 1.0);
}

// Tensors are entries of a file: neither they nor what is made of them are a record's bytes.
constexpr std::string_view kTensor = R"({"TypeDef:Tensor":{"dtype":"F32","shape":[2]}})";
constexpr std::string_view kTensors =
    R"({"TypeDef:Struct":true,"required":["w"],"properties":{"w":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]}},
        "l":{"TypeDef:Array":true,"minItems":2,"maxItems":2,"items":{"TypeDef:Struct":true,"properties":{
          "q":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]}}}}}}})";

TEST(Access, ContainersOfTensorsHaveNoBytesToReadOrWrite) {
  const std::vector<std::byte> record(64);
  for (const auto text : {kTensor, kTensors}) {
    for (const auto mode : {LayoutMode::kAligned, LayoutMode::kPacked}) {
      const Fixture fixture(text, mode);
      for (const auto& field : fixture.layout.fields()) {
        EXPECT_EQ(code_of([&] { fixture.at(field.path); }), "schema_invalid") << field.path;
      }
      const auto value = parse_json(R"({"w":{"$tensor":"t","dtype":"F32","shape":[2]}})");
      EXPECT_EQ(code_of([&] { decode(fixture.layout, record); }), "schema_invalid");
      EXPECT_EQ(code_of([&] { check_value(fixture.layout, record); }), "schema_invalid");
      EXPECT_EQ(code_of([&] { check_value(fixture.layout, {}); }), "schema_invalid");
      EXPECT_EQ(code_of([&] { encode(fixture.layout, value); }), "schema_invalid");
      std::vector<std::byte> out(8);
      EXPECT_EQ(code_of([&] { encode_into(fixture.layout, value, out); }), "schema_invalid");
    }
  }
}

TEST(AccessPacked, RefusesDeepValues) {
  const Fixture fixture(R"({"TypeDef:Struct":true,"properties":{"next":{"$ref":"#"}}})", LayoutMode::kPacked);
  std::vector<std::byte> message(10, std::byte{1});
  message.push_back(std::byte{0});
  EXPECT_NO_THROW(fixture.json(message));
  EXPECT_EQ(code_of([&] { fixture.json(std::vector<std::byte>(1'000'000, std::byte{1})); }), "schema_too_deep");
}

}  // namespace
}  // namespace alknet::schema
