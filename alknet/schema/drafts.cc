#include "alknet/schema/drafts.h"

#include <algorithm>
#include <array>

#include "alknet/schema/keywords.h"

namespace alknet::schema {
namespace {

struct DraftUri {
  std::string_view uri;
  Draft draft;
};
constexpr std::array<DraftUri, 3> kDraftUris = {{
    {"https://json-schema.org/draft/2020-12/schema", Draft::k202012},
    {"http://json-schema.org/draft-07/schema", Draft::k7},
    {"http://json-schema.org/draft-06/schema", Draft::k6},
}};

// Keywords of 2020-12 that came after a draft, which ignores them. `$defs` is let through: no draft gives it another
// meaning, and tools write it into draft 7.
struct Newcomer {
  std::string_view name;
  Draft last_without;
};
constexpr std::array<Newcomer, 21> kNewcomers = {{
    {"$anchor", Draft::k7},
    {"$comment", Draft::k6},
    {"$dynamicAnchor", Draft::k7},
    {"$dynamicRef", Draft::k7},
    {"$vocabulary", Draft::k7},
    {"contentEncoding", Draft::k6},
    {"contentMediaType", Draft::k6},
    {"contentSchema", Draft::k7},
    {"dependentRequired", Draft::k7},
    {"dependentSchemas", Draft::k7},
    {"deprecated", Draft::k7},
    {"else", Draft::k6},
    {"if", Draft::k6},
    {"maxContains", Draft::k7},
    {"minContains", Draft::k7},
    {"prefixItems", Draft::k7},
    {"readOnly", Draft::k6},
    {"then", Draft::k6},
    {"unevaluatedItems", Draft::k7},
    {"unevaluatedProperties", Draft::k7},
    {"writeOnly", Draft::k6},
}};

bool came_after(Draft draft, std::string_view keyword) {
  const auto row =
      std::find_if(kNewcomers.begin(), kNewcomers.end(), [&](const Newcomer& it) { return it.name == keyword; });
  return row != kNewcomers.end() && draft <= row->last_without;
}

class Translation {
 public:
  Translation(const JsonObject& schema, Draft draft) : in_(schema), draft_(draft) {}

  Json run(bool is_root) {
    const auto* reference = in_.if_contains("$ref");
    const bool only_reference = reference != nullptr && reference->is_string();
    const auto* items = in_.if_contains("items");
    has_tuple_ = items != nullptr && items->is_array();
    for (const auto& [key, value] : in_) {
      const bool kept = key == "$ref" || key == "definitions" || key == "$defs" || (is_root && key == "$id");
      if (came_after(draft_, key) || (only_reference && !kept)) {
        if (key != "$id") aside_[key] = copy(value);
      } else {
        member(key, value);
      }
    }
    if (!aside_.empty()) out_[kSetAside] = std::move(aside_);
    return std::move(out_);
  }

 private:
  /// Every object inside is read as a schema: a reference may lead there.
  Json copy(const Json& value) const {
    if (value.is_object()) return translate(value, false);
    const auto* list = value.if_array();
    if (list == nullptr) return value;
    JsonArray out;
    for (const auto& item : *list) out.push_back(copy(item));
    return out;
  }

  Json translate(const Json& schema, bool is_root) const {
    const auto* object = schema.if_object();
    return object == nullptr ? schema : Translation(*object, draft_).run(is_root);
  }

  /// Values of another form than the keyword's stay as they are: the compiler says what is wrong with them.
  Json held(Holds holds, const Json& value) const {
    if (holds == Holds::kSchema) return translate(value, false);
    if (const auto* list = value.if_array(); list != nullptr && holds == Holds::kList) {
      JsonArray out;
      for (const auto& schema : *list) out.push_back(translate(schema, false));
      return out;
    }
    if (const auto* map = value.if_object(); map != nullptr && holds == Holds::kMap) {
      JsonObject out;
      for (const auto& [name, schema] : *map) out[name] = translate(schema, false);
      return out;
    }
    return value;
  }

  void member(std::string_view key, const Json& value) {
    if (key == "$schema" || key == kSetAside) return;
    if (key == "$id" && value.is_string()) return id(value.get_string());
    if (key == "items" && value.is_array()) {
      if (!value.get_array().empty()) out_["prefixItems"] = held(Holds::kList, value);
    } else if (key == "additionalItems") {
      if (has_tuple_) {
        out_["items"] = translate(value, false);
      } else {
        aside_[key] = copy(value);
      }
    } else if (key == "dependencies" && value.is_object()) {
      dependencies(value.get_object());
    } else if (const auto* keyword = find_keyword(key)) {
      out_[key] = held(keyword->holds, value);
    } else {
      const bool data = key == "default" || key == "examples" || key.starts_with(kTypeDefPrefix);
      out_[key] = data ? value : copy(value);
    }
  }

  void id(std::string_view uri) {
    const auto hash = std::min(uri.find('#'), uri.size());
    if (hash > 0) out_["$id"] = uri.substr(0, hash);
    const auto fragment = uri.substr(std::min(hash + 1, uri.size()));
    if (!fragment.empty() && !fragment.starts_with('/')) out_["$anchor"] = fragment;
  }

  void dependencies(const JsonObject& value) {
    for (const auto& [name, dependency] : value) {
      const bool names = dependency.is_array();
      auto& target = out_[names ? "dependentRequired" : "dependentSchemas"];
      if (!target.is_object()) target = JsonObject();
      target.get_object()[name] = names ? dependency : translate(dependency, false);
    }
  }

  const JsonObject& in_;
  Draft draft_;
  bool has_tuple_ = false;
  JsonObject out_, aside_;
};

}  // namespace

std::optional<Draft> find_draft(std::string_view uri) {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  for (const auto& row : kDraftUris) {
    if (row.uri == uri) return row.draft;
  }
  return std::nullopt;
}

Json translate_draft(const Json& schema, Draft draft) {
  const auto* object = schema.if_object();
  return object == nullptr ? schema : Translation(*object, draft).run(true);
}

std::string_view translated_name(const JsonObject& schema, std::string_view name, std::string_view below) {
  if (name == "items" && schema.contains("prefixItems")) return "prefixItems";
  if (name == "additionalItems" && schema.contains("prefixItems") && schema.contains("items")) return "items";
  if (name == "dependencies") {
    const auto* schemas = schema.if_contains("dependentSchemas");
    if (schemas != nullptr && schemas->is_object() && schemas->get_object().contains(below)) return "dependentSchemas";
  }
  return schema.contains(name) ? name : kSetAside;
}

std::string_view draft_name(const JsonObject& schema, std::string_view name) {
  if (name == "prefixItems") return "items";
  if (name == "items" && schema.contains("prefixItems")) return "additionalItems";
  if (name == "dependentRequired" || name == "dependentSchemas") return "dependencies";
  return name;
}

}  // namespace alknet::schema
