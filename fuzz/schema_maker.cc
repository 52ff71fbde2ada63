#include "fuzz/schema_maker.h"

#include <array>
#include <cstdlib>
#include <limits>
#include <vector>

#include "alknet/base/base64.h"
#include "alknet/schema/keywords.h"
#include "alknet/schema/kind.h"

namespace alknet::fuzz {
namespace {

using schema::Kind;
using schema::KindForm;

constexpr std::size_t kMaxDepth = 4;
constexpr std::size_t kMaxNodes = 24;  // then only leaves: what is wrong with many nodes is wrong with these
constexpr std::array kLeaves = {Kind::kInt8,    Kind::kUint8,    Kind::kInt16,   Kind::kUint16,  Kind::kInt32,
                                Kind::kUint32,  Kind::kInt64,    Kind::kUint64,  Kind::kFloat16, Kind::kBFloat16,
                                Kind::kFloat32, Kind::kFloat64,  Kind::kBoolean, Kind::kEnum,    Kind::kString,
                                Kind::kBytes,   Kind::kTimestamp};
constexpr std::array kBranches = {Kind::kStruct, Kind::kStruct, Kind::kArray,
                                  Kind::kArray,  Kind::kRecord, Kind::kUnion};

class SchemaMaker {
 public:
  explicit SchemaMaker(Choices& choices) : choices_(choices) {}

  Json run() {
    JsonObject defs;
    const auto count = choices_.below(3);
    for (std::uint32_t i = 0; i < count; ++i) {
      defs["d" + std::to_string(i)] = structure(1);
      ++defs_;
    }
    Json root = choices_.one_in(6) ? node(0) : structure(0);
    if (root.as_object().contains("$ref")) root = structure(0);
    if (choices_.one_in(8)) set_option(root.as_object(), "endian", "big");
    if (!defs.empty()) root.as_object()["$defs"] = std::move(defs);
    return root;
  }

 private:
  static void set_option(JsonObject& object, std::string_view option, Json value) {
    auto& type = object.begin()->value();  // the TypeDef is the first member
    if (!type.is_object()) type = JsonObject();
    type.as_object()[option] = std::move(value);
  }

  Json node(std::size_t depth) {
    if (choices_.one_in(10)) return reference();
    Kind kind = kLeaves[choices_.below(kLeaves.size())];
    if (depth < kMaxDepth && ++nodes_ < kMaxNodes && choices_.one_in(3))
      kind = kBranches[choices_.below(kBranches.size())];
    if (kind == Kind::kStruct) return structure(depth);
    JsonObject object{{"TypeDef:" + std::string(name(kind)), true}};
    if (choices_.one_in(8)) set_option(object, "align", 1U << choices_.below(7));
    switch (kind) {
      case Kind::kEnum: object["enum"] = JsonArray{"red", "green", "blue"}; break;
      case Kind::kString:
      case Kind::kBytes:
      case Kind::kTimestamp:
        if (!choices_.one_in(4)) set_option(object, "maxBytes", 1 + choices_.below(40));
        if (choices_.one_in(4)) set_option(object, "encoding", "offset-indirect");
        break;
      case Kind::kRecord: set_option(object, "values", node(depth + 1)); break;
      case Kind::kArray: array(object, depth); break;
      case Kind::kUnion: {
        JsonObject mapping;
        const auto count = 1 + choices_.below(3);
        for (std::uint32_t i = 0; i < count; ++i) mapping["v" + std::to_string(i)] = structure(depth + 1);
        set_option(object, "discriminator", "tag");
        set_option(object, "mapping", std::move(mapping));
        break;
      }
      default: break;
    }
    return object;
  }

  Json reference() {
    const auto which = choices_.below(defs_ + 1);
    return JsonObject{{"$ref", which == defs_ ? "#" : "#/$defs/d" + std::to_string(which)}};
  }

  void array(JsonObject& object, std::size_t depth) {
    object["items"] = node(depth + 1);
    if (choices_.one_in(3)) {
      if (choices_.one_in(2)) set_option(object, "encoding", "offset-indirect");
      return;
    }
    const auto count = choices_.below(5);
    object["minItems"] = count;
    object["maxItems"] = count;
  }

  Json structure(std::size_t depth) {
    JsonObject object{{"TypeDef:Struct", true}}, properties;
    JsonArray required, order;
    const auto most = nodes_ >= kMaxNodes ? 1 : choices_.one_in(8) ? 20 : 5;
    const auto count = 1 + choices_.below(static_cast<std::uint32_t>(most));
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto name = "f" + std::to_string(i);
      Json property = node(depth + 1);
      if (choices_.one_in(2)) {
        required.emplace_back(name);
      } else if (choices_.one_in(3)) {
        add_default(property.as_object());
      }
      properties[name] = std::move(property);
      order.insert(choices_.one_in(2) ? order.begin() : order.end(), Json(name));
    }
    if (choices_.one_in(8)) set_option(object, "align", 1U << choices_.below(7));
    if (choices_.one_in(4)) set_option(object, "order", std::move(order));
    object["properties"] = std::move(properties);
    object["required"] = std::move(required);
    return object;
  }

  static void add_default(JsonObject& object) {
    const std::string_view keyword = object.begin()->key();
    if (!keyword.starts_with(schema::kTypeDefPrefix)) return;  // a reference
    const auto kind = schema::parse_kind(keyword.substr(schema::kTypeDefPrefix.size()));
    switch (info(kind.value_or(Kind::kNone)).form) {
      case KindForm::kInteger:
      case KindForm::kFloat: object["default"] = 1; break;
      case KindForm::kBoolean: object["default"] = true; break;
      case KindForm::kEnum: object["default"] = "green"; break;
      default: break;
    }
  }

  Choices& choices_;
  std::uint32_t defs_ = 0;
  std::size_t nodes_ = 0;
};

class InstanceMaker {
 public:
  explicit InstanceMaker(Choices& choices) : choices_(choices) {}

  std::optional<Json> run(const schema::Node& node) {
    Json out = make(node, 0);
    return left_ == 0 ? std::nullopt : std::optional(std::move(out));
  }

 private:
  static constexpr std::size_t kTired = 12;  // from this depth on the way to the end is taken
  static constexpr std::size_t kDeepest = 60;

  Json make(const schema::Node& node, std::size_t depth) {
    if (left_ == 0 || depth > kDeepest) {
      left_ = 0;
      return nullptr;
    }
    --left_;
    const bool end = depth > kTired || choices_.empty();
    switch (info(node.kind).form) {
      case KindForm::kInteger: return integer(node.kind);
      case KindForm::kFloat: return number();
      case KindForm::kBoolean: return choices_.one_in(2);
      case KindForm::kEnum: return Json(node.names[choices_.below(static_cast<std::uint32_t>(node.names.size()))]);
      case KindForm::kText: return text(node);
      case KindForm::kArray: return items(*node.items, node.count ? *node.count : end ? 0 : choices_.below(5), depth);
      case KindForm::kRecord: {
        JsonObject object;
        for (auto i = end ? 0 : choices_.below(4); i > 0; --i) {
          object["k" + std::to_string(i)] = make(*node.items, depth + 1);
        }
        return object;
      }
      case KindForm::kUnion: {
        const auto& variant = node.variants[end ? 0 : choices_.below(static_cast<std::uint32_t>(node.variants.size()))];
        return members(*variant.node, JsonObject{{node.discriminator, variant.tag}}, depth);
      }
      case KindForm::kStruct: return members(node, {}, depth);
      default: return nullptr;
    }
  }

  Json items(const schema::Node& node, std::uint64_t count, std::size_t depth) {
    JsonArray out;
    for (std::uint64_t i = 0; i < count && left_ > 0; ++i) out.push_back(make(node, depth + 1));
    return out;
  }

  Json members(const schema::Node& node, JsonObject object, std::size_t depth) {
    for (const auto& property : node.properties) {
      if (!property.required && (depth > kTired || choices_.empty() || choices_.one_in(2))) continue;
      object[property.name] = make(*property.node, depth + 1);
    }
    return object;
  }

  Json integer(Kind kind) {
    const auto& row = info(kind);
    const auto bits = choices_.bits(row.size);
    if (kind == Kind::kUint64) return Json(std::to_string(bits));
    if (row.min >= 0) return bits;
    const int unused = 64 - 8 * row.size;
    const auto value = static_cast<std::int64_t>(bits << unused) >> unused;
    return kind == Kind::kInt64 ? Json(std::to_string(value)) : Json(value);
  }

  Json number() {
    constexpr std::array kNames = {"NaN", "Infinity", "-Infinity"};
    if (choices_.one_in(8)) return kNames[choices_.below(kNames.size())];
    return static_cast<std::int8_t>(choices_.byte()) / 4.0;
  }

  Json text(const schema::Node& node) {
    if (node.kind == Kind::kTimestamp) return "2024-02-29T12:34:56Z";
    const auto size = choices_.below(node.max_bytes.value_or(20) + 1);
    std::string content;
    for (std::uint32_t i = 0; i < size; ++i) content += static_cast<char>(choices_.below(128));
    return node.kind == Kind::kBytes ? Json(base64_text(std::as_bytes(std::span(content)))) : Json(content);
  }

  Choices& choices_;
  std::size_t left_ = 2'000;  // nodes; zero when the instance does not end
};

}  // namespace

std::uint8_t Choices::byte() {
  if (input_.empty()) return 0;
  const auto first = input_.front();
  input_ = input_.subspan(1);
  return first;
}

std::uint64_t Choices::bits(std::size_t bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes; ++i) out = out << 8 | byte();
  return out;
}

Json make_schema(Choices& choices) { return SchemaMaker(choices).run(); }

std::optional<Json> make_instance(Choices& choices, const schema::Node& node) {
  return InstanceMaker(choices).run(node);
}

}  // namespace alknet::fuzz
