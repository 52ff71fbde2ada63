// Our native verdict and that on the lowered schema must agree, over generated schemas and instances.
#include <gtest/gtest.h>

#include <random>

#include "alknet/base/testing.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

/// Generates schemas of kinds, and instances that are nearly right.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Json schema(int depth) {
    static constexpr std::string_view kScalars[] = {"Int8",    "Uint8",  "Int16",   "Uint16",   "Int32",   "Uint32",
                                                    "Int64",   "Uint64", "Float16", "BFloat16", "Float32", "Float64",
                                                    "Boolean", "String", "Bytes",   "Timestamp"};
    const auto choice = pick(depth > 0 ? 24 : 17);
    if (choice < 16) {
      const std::string keyword = "TypeDef:" + std::string(kScalars[choice]);
      const bool text = choice >= 13;
      JsonObject node{{keyword, text && pick(2) == 0 ? Json(JsonObject{{"maxBytes", 1 + pick(30)}}) : Json(true)}};
      if (choice < 12 && pick(4) == 0) node["minimum"] = pick(100);
      return node;
    }
    if (choice == 16) return JsonObject{{"TypeDef:Enum", true}, {"enum", JsonArray{"a", "b", "NaN"}}};
    if (choice == 17) return JsonObject{{"TypeDef:Record", JsonObject{{"values", schema(depth - 1)}}}};
    if (choice == 18) {
      JsonObject node{{"TypeDef:Array", true}, {"items", schema(depth - 1)}};
      if (pick(2) == 0) {
        const auto count = pick(3);
        node["minItems"] = count;
        node["maxItems"] = count;
      }
      return node;
    }
    if (choice == 19) return JsonObject{{"TypeDef:Blob", JsonObject{{"item", pick(2) == 0 ? "String" : "Int16"}}}};
    if (choice == 20) {
      JsonObject mapping{
          {"x", structure(depth - 1)}, {"y", structure(depth - 1)}, {"z", JsonObject{{"$ref", "#/$defs/leaf"}}}};
      return JsonObject{{"TypeDef:Union", JsonObject{{"discriminator", "kind"}, {"mapping", std::move(mapping)}}}};
    }
    if (choice == 21) return JsonObject{{"$ref", "#/$defs/leaf"}};
    return structure(depth);
  }

  Json structure(int depth) {
    JsonObject properties;
    JsonArray required;
    for (const std::string_view name : {"a", "b", "c"}) {
      if (pick(4) == 0 && name != "a") continue;
      properties[name] = schema(depth - 1);
      if (pick(2) == 0) required.emplace_back(name);
    }
    return JsonObject{
        {"TypeDef:Struct", true}, {"properties", std::move(properties)}, {"required", std::move(required)}};
  }

  Json instance(int depth) {
    switch (pick(depth > 0 ? 12 : 9)) {
      case 0: return static_cast<std::int64_t>(pick(400)) - 150;
      case 1: return numbers_[pick(numbers_.size())];
      case 2: return Json(texts_[pick(texts_.size())]);
      case 3: return pick(2) == 0;
      case 4: return nullptr;
      case 5: return 0.5;
      case 6: return Json(std::string(pick(40), 'A'));
      case 7: return JsonObject{{"kind", "x"}, {"a", instance(0)}};
      case 8: return JsonObject{{"kind", pick(2) == 0 ? "y" : "z"}, {"a", instance(0)}, {"v", instance(0)}};
      case 9: {
        JsonArray out;
        for (auto i = pick(4); i > 0; --i) out.push_back(instance(depth - 1));
        return out;
      }
      default: {
        JsonObject out;
        for (const std::string_view name : {"kind", "a", "b", "c", "d"}) {
          if (pick(5) < (name == "d" || name == "kind" ? 1U : 4U)) out[name] = instance(depth - 1);
        }
        return out;
      }
    }
  }

  /// An instance that follows the schema most of the time.
  Json near_instance(const Json& schema, int depth) {
    const auto& node = schema.as_object();
    if (pick(12) == 0 || depth == 0) return instance(1);
    if (const auto* properties = node.if_contains("properties")) {
      JsonObject out;
      for (const auto& entry : properties->as_object()) {
        if (pick(6) != 0) out[entry.key()] = near_instance(entry.value(), depth - 1);
      }
      return out;
    }
    if (const auto* items = node.if_contains("items")) {
      JsonArray out;
      for (auto i = pick(3); i > 0; --i) out.push_back(near_instance(*items, depth - 1));
      return out;
    }
    if (const auto* record = node.if_contains("TypeDef:Record")) {
      return JsonObject{{"k", near_instance(record->at("values"), depth - 1)}};
    }
    if (const auto* choice = node.if_contains("TypeDef:Union")) {
      const std::string_view tag = pick(2) == 0 ? "x" : "y";
      auto out = near_instance(choice->at("mapping").at(tag), depth - 1);
      if (out.is_object()) out.as_object()["kind"] = tag;
      return out;
    }
    if (node.contains("TypeDef:Boolean")) return pick(2) == 0;
    if (node.contains("TypeDef:Enum")) return "b";
    const bool text =
        node.contains("TypeDef:String") || node.contains("TypeDef:Bytes") || node.contains("TypeDef:Timestamp");
    if (text || pick(5) == 0) return Json(texts_[pick(texts_.size())]);
    return pick(100);
  }

 private:
  std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

  std::mt19937 random_;
  const std::vector<double> numbers_ = {65504, 65505, 3.4e38, 3.5e38, -32769, 4294967296.0, 9007199254740992.0, 1e308};
  const std::vector<std::string> texts_ = {"",   "QQ==", "QUJD", "NaN", "Infinity",         "2024-02-29T00:00:00Z",
                                           "12", "-5",   "a",    "x",   "\xC3\xA9\xC3\xA9", "18446744073709551615",
                                           "b"};
};

TEST(Lower, GivesTheVerdictOfTheKindsOverGeneratedInstances) {
  const JsonObject leaf{{"TypeDef:Struct", true},
                        {"properties", JsonObject{{"v", JsonObject{{"TypeDef:Uint8", true}}}}}};
  std::size_t valid = 0, total = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    Generator generate(seed);
    Json document = generate.schema(3);
    document.as_object()["$defs"] = JsonObject{{"leaf", leaf}};
    const auto schema = Schema::from_json(document);
    const auto lowered = schema.lower();
    for (int i = 0; i < 60; ++i) {
      const Json instance = i % 4 == 0 ? generate.instance(3) : generate.near_instance(document, 5);
      const bool verdict = schema.is_valid(instance);
      ASSERT_EQ(schema.validate(instance).empty(), verdict) << json_text(document) << "\n" << json_text(instance);
      ASSERT_EQ(lowered.is_valid(instance), verdict) << json_text(document) << "\n"
                                                     << json_text(lowered.document()) << "\n"
                                                     << json_text(instance);
      valid += verdict ? 1 : 0;
      ++total;
    }
  }
  // The comparison means something only when both verdicts occur.
  EXPECT_GT(valid, total / 10);
  EXPECT_LT(valid, total * 9 / 10);
}

TEST(Lower, WritesWhatTheTableSays) {
  const auto lowered = [](std::string_view text) { return json_text(Schema::parse(text).lowered()); };
  EXPECT_EQ(lowered(R"({"TypeDef:Uint8":true})"), R"({"type":"integer","minimum":0,"maximum":255})");
  EXPECT_EQ(lowered(R"({"TypeDef:String":{"maxBytes":7}})"), R"({"type":"string","maxLength":7})");
  EXPECT_EQ(lowered(R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Boolean":true}},"required":["a"]})"),
            R"({"properties":{"a":{"type":"boolean"}},"required":["a"],"type":"object","additionalProperties":false})");
  EXPECT_EQ(lowered(R"({"TypeDef:Blob":{"item":true}})"), "{}");
  EXPECT_EQ(
      lowered(
          R"({"TypeDef:Union":{"discriminator":"k","mapping":{"a":{"TypeDef:Struct":true,"properties":{"v":{"TypeDef:Boolean":true}}}}}})"),
      R"({"type":"object","anyOf":[{"properties":{"k":{"const":"a"},"v":{"type":"boolean"}},"type":"object",)"
      R"("required":["k"],"additionalProperties":false}]})");
}

TEST(Lower, KeepsAStricterSibling) {
  const auto schema = Schema::parse(R"({"TypeDef:Uint8":true,"maximum":10})").lowered();
  EXPECT_EQ(json_text(schema), R"({"maximum":10,"type":"integer","minimum":0,"allOf":[{"maximum":255}]})");
}

TEST(Lower, LeavesPlainSchemasAlone) {
  const std::string text = R"({"$id":"http://x/y","properties":{"a":{"enum":[{"TypeDef:Int8":true}]}},"if":true})";
  EXPECT_EQ(json_text(Schema::parse(text).lowered()), text);
}

}  // namespace
}  // namespace alknet::schema
