#include "alknet/call/bytes_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "alknet/base/base64.h"
#include "alknet/call/error.h"

namespace alknet::call {

namespace {

constexpr std::string_view kBytesKind = "TypeDef:Bytes";

/// Keywords whose value is data and no schema.
constexpr std::array<std::string_view, 4> kData{"const", "enum", "default", "examples"};
/// Keywords whose value is an object of schemas.
constexpr std::array<std::string_view, 5> kSchemaMaps{"properties", "patternProperties", "$defs", "definitions",
                                                      "dependentSchemas"};
/// Keywords whose schemas describe the same value as the schema they are in.
constexpr std::array<std::string_view, 7> kSameValue{"allOf", "anyOf", "oneOf", "if", "then", "else", "not"};

template <std::size_t N>
bool has(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_bytes(const JsonObject& schema) {
  const auto* kind = schema.if_contains(kBytesKind);
  return kind != nullptr && *kind != Json(false);
}

/// The number in `{"$bytes": n}`, or nothing.
std::optional<std::uint64_t> reference_of(const Json& value) {
  const auto* object = value.if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  const auto* number = object->if_contains(kBytesKey);
  if (number == nullptr) return std::nullopt;
  if (number->is_uint64()) return number->get_uint64();
  if (number->is_int64() && number->get_int64() >= 0) return static_cast<std::uint64_t>(number->get_int64());
  return std::nullopt;
}

Json replaced(const Json& schema) {
  if (const auto* array = schema.if_array()) {
    JsonArray all;
    for (const Json& item : *array) all.push_back(replaced(item));
    return all;
  }
  const auto* object = schema.if_object();
  if (object == nullptr) return schema;
  if (is_bytes(*object)) {
    return JsonObject{{"type", "object"},
                      {"properties", JsonObject{{kBytesKey, JsonObject{{"type", "integer"}, {"minimum", 0}}}}},
                      {"required", JsonArray{Json(kBytesKey)}},
                      {"additionalProperties", false}};
  }
  JsonObject copy;
  for (const auto& [key, value] : *object) {
    if (has(kData, key)) {
      copy.emplace(key, value);
    } else if (has(kSchemaMaps, key) && value.is_object()) {
      JsonObject members;
      for (const auto& [name, member] : value.get_object()) members.emplace(name, replaced(member));
      copy.emplace(key, std::move(members));
    } else {
      copy.emplace(key, replaced(value));
    }
  }
  return copy;
}

}  // namespace

struct BytesPlaces::Node {
  bool bytes = false;
  std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max();
  std::map<std::string, std::uint32_t, std::less<>> members;
  std::vector<std::uint32_t> other_members;
  std::vector<std::uint32_t> prefix_items;
  std::vector<std::uint32_t> items;
  std::vector<std::uint32_t> same;  ///< schemas of the same value
};

/// Makes nodes of a document, each schema once, so that recursive schemas end. Work is queued, not recursed: a chain of
/// references may be longer than the stack.
class BytesPlaces::Builder {
 public:
  explicit Builder(const Json& document) : document_(document) {
    add(document);
    for (std::size_t id = 0; id < schemas_.size(); ++id) nodes_.push_back(node_of(*schemas_[id]));
  }

  bool found() const { return found_; }
  std::vector<Node> take() { return std::move(nodes_); }

 private:
  std::uint32_t add(const Json& schema) {
    const auto [known, fresh] = ids_.try_emplace(&schema, static_cast<std::uint32_t>(schemas_.size()));
    if (fresh) schemas_.push_back(&schema);
    return known->second;
  }

  Node node_of(const Json& schema) {
    Node node;
    const auto* object = schema.if_object();
    if (object == nullptr) return node;
    if (is_bytes(*object)) {
      found_ = node.bytes = true;
      if (const auto* kind = object->at(kBytesKind).if_object()) {
        const auto* most = kind->if_contains("maxBytes");
        if (most != nullptr && most->is_int64()) node.max_bytes = static_cast<std::uint64_t>(most->get_int64());
      }
    }
    for (const auto& [key, value] : *object) add_keyword(node, key, value);
    return node;
  }

  void add_keyword(Node& node, std::string_view key, const Json& value) {
    if (key == "properties" && value.is_object()) {
      for (const auto& [name, member] : value.get_object()) node.members.emplace(name, add(member));
    } else if (key == "patternProperties" && value.is_object()) {
      for (const auto& [pattern, member] : value.get_object()) node.other_members.push_back(add(member));
    } else if (key == "additionalProperties" || key == "unevaluatedProperties") {
      node.other_members.push_back(add(value));
    } else if (key == "TypeDef:Record" && value.is_object() && value.get_object().contains("values")) {
      node.other_members.push_back(add(value.get_object().at("values")));
    } else if (key == "TypeDef:Union" && value.is_object()) {
      if (const auto* mapping = value.get_object().if_contains("mapping"); mapping != nullptr && mapping->is_object()) {
        for (const auto& [tag, variant] : mapping->get_object()) node.same.push_back(add(variant));
      }
    } else if (key == "items" || key == "unevaluatedItems" || key == "additionalItems" || key == "contains") {
      if (value.is_array()) {
        for (const Json& item : value.get_array()) node.prefix_items.push_back(add(item));
      } else {
        node.items.push_back(add(value));
      }
    } else if (key == "prefixItems" && value.is_array()) {
      for (const Json& item : value.get_array()) node.prefix_items.push_back(add(item));
    } else if (key == "dependentSchemas" && value.is_object()) {
      for (const auto& [name, schema] : value.get_object()) node.same.push_back(add(schema));
    } else if (has(kSameValue, key)) {
      if (value.is_array()) {
        for (const Json& item : value.get_array()) node.same.push_back(add(item));
      } else {
        node.same.push_back(add(value));
      }
    } else if ((key == "$ref" || key == "$dynamicRef") && value.is_string()) {
      if (const Json* target = resolve(value.get_string())) node.same.push_back(add(*target));
    }
  }

  /// What a reference inside the document leads to: a JSON pointer, or a name of `$defs`.
  const Json* resolve(std::string_view reference) const {
    if (reference == "#") return &document_;
    boost::system::error_code failed;
    if (reference.starts_with("#/")) return document_.find_pointer(reference.substr(1), failed);
    const auto* object = document_.if_object();
    const auto* definitions = object == nullptr ? nullptr : object->if_contains("$defs");
    return definitions == nullptr || !definitions->is_object() ? nullptr
                                                               : definitions->get_object().if_contains(reference);
  }

  const Json& document_;
  std::vector<Node> nodes_;
  std::vector<const Json*> schemas_;  // those of nodes_, and then those that wait
  std::unordered_map<const Json*, std::uint32_t> ids_;
  bool found_ = false;
};

/// Visits every place of one instance.
class BytesPlaces::Walk {
 public:
  using Visit = FunctionRef<void(Json& value, std::uint64_t max_bytes, const std::string& path)>;
  static constexpr std::size_t kMany = 32;

  Walk(const std::vector<Node>& nodes, Visit visit) : nodes_(nodes), visit_(visit) {}

  void run(Json& value, std::vector<std::uint32_t> ids) {
    std::unordered_set<std::uint32_t> seen;         // the ids, once they are many
    for (std::size_t i = 0; i < ids.size(); ++i) {  // grows: the schemas that describe the same value
      for (const std::uint32_t id : nodes_[ids[i]].same) {
        if (ids.size() > kMany && seen.empty()) seen.insert(ids.begin(), ids.end());
        const bool fresh = seen.empty() ? std::find(ids.begin(), ids.end(), id) == ids.end() : seen.insert(id).second;
        if (fresh) ids.push_back(id);
      }
    }
    const auto place = std::find_if(ids.begin(), ids.end(), [&](std::uint32_t id) { return nodes_[id].bytes; });
    if (place != ids.end()) return visit_(value, nodes_[*place].max_bytes, path_);
    if (auto* object = value.if_object()) {
      for (auto& [name, member] : *object) {
        std::vector<std::uint32_t> next;
        for (const std::uint32_t id : ids) {
          const Node& node = nodes_[id];
          const auto declared = node.members.find(std::string_view(name));
          if (declared != node.members.end()) {
            next.push_back(declared->second);
          } else {
            next.insert(next.end(), node.other_members.begin(), node.other_members.end());
          }
        }
        go_on(member, std::move(next), name);
      }
    } else if (auto* array = value.if_array()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        std::vector<std::uint32_t> next;
        for (const std::uint32_t id : ids) {
          const Node& node = nodes_[id];
          if (i < node.prefix_items.size()) {
            next.push_back(node.prefix_items[i]);
          } else {
            next.insert(next.end(), node.items.begin(), node.items.end());
          }
        }
        go_on((*array)[i], std::move(next), std::to_string(i));
      }
    }
  }

 private:
  void go_on(Json& value, std::vector<std::uint32_t> ids, std::string_view step) {
    if (ids.empty()) return;
    const std::size_t length = path_.size();
    path_ += '/';
    path_ += step;
    run(value, std::move(ids));
    path_.resize(length);
  }

  const std::vector<Node>& nodes_;
  Visit visit_;
  std::string path_;
};

BytesPlaces::BytesPlaces(const Json& document) {
  Builder builder(document);
  if (builder.found()) nodes_ = std::make_shared<const std::vector<Node>>(builder.take());
}

bool BytesPlaces::empty() const { return nodes_ == nullptr; }

void BytesPlaces::decode(Message& message) const {
  if (empty()) return;
  const auto refuse = [](const std::string& path, std::string_view what) {
    return Error(CallError::kInvalidInput, fmt::format("the input at \"{}\" {}", path, what),
                 JsonObject{{"violations", JsonArray{JsonObject{{"instance_path", path}, {"message", what}}}}});
  };
  // References count what came with the message, not what earlier places append here.
  const std::size_t came = message.bytes.size();
  const auto visit = [&](Json& value, std::uint64_t max_bytes, const std::string& path) {
    const bool is_text = value.is_string();
    if (is_text) {
      auto bytes = parse_base64(value.get_string());
      if (!bytes) throw refuse(path, "is not base64 (RFC 4648 section 4, padded)");
      value = attach_bytes(message, SharedBytes::take(std::move(*bytes)));
    }
    const auto reference = reference_of(value);
    if (!reference) return;  // the schema says what is wrong
    if (!is_text && *reference >= came) throw refuse(path, "names bytes that did not come with the message");
    if (message.bytes[*reference].size() > max_bytes) {
      throw refuse(path, fmt::format("has more than the {} bytes that are allowed", max_bytes));
    }
  };
  Walk(*nodes_, visit).run(message.value, {0});
}

void BytesPlaces::encode(Message& message) const {
  if (empty()) return;
  const auto visit = [&](Json& value, std::uint64_t, const std::string&) {
    const auto reference = reference_of(value);
    if (reference && *reference < message.bytes.size()) value = base64_text(message.bytes[*reference].span());
  };
  Walk(*nodes_, visit).run(message.value, {0});
  message.bytes.clear();
}

void BytesPlaces::renumber(Json& value, FunctionRef<std::uint64_t(std::uint64_t)> position) const {
  if (empty()) return;
  const auto visit = [&](Json& place, std::uint64_t, const std::string&) {
    if (const auto reference = reference_of(place)) place.get_object()[kBytesKey] = position(*reference);
  };
  Walk(*nodes_, visit).run(value, {0});
}

Json BytesPlaces::attached_form(const Json& document) { return replaced(document); }

}  // namespace alknet::call
