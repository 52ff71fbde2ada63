#include "alknet/schema/keyword_changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>

#include "alknet/schema/compare.h"
#include "alknet/schema/keywords.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

using Keywords = std::map<std::string_view, const Json*>;

/// Keywords that say nothing of a value.
constexpr std::array<std::string_view, 14> kNotes = {
    "$comment", "title",   "description",     "examples",         "deprecated",    "readOnly",       "writeOnly",
    "format",   "$anchor", "contentEncoding", "contentMediaType", "contentSchema", "$dynamicAnchor", "$id"};

/// Keywords that are compared as part of the structure, or that hold other schemas.
constexpr std::array<std::string_view, 9> kStructural = {"properties", "required", "items",       "default",    "$ref",
                                                         "$defs",      "$schema",  "$vocabulary", "definitions"};

bool is_any(std::string_view key, std::span<const std::string_view> list) {
  return std::ranges::find(list, key) != list.end();
}

/// Whether a keyword says the names of an Enum once more: `const` the only one, `anyOf` each as a `const`.
bool restates_names(const Node& node, std::string_view key, const Json& value) {
  if (key == "enum") return true;
  if (key == "const") return node.names.size() == 1 && value == Json(node.names.front());
  const auto* choices = key == "anyOf" ? value.if_array() : nullptr;
  const auto is_name = [](const Json& choice, const std::string& name) {
    const auto* object = choice.if_object();
    const auto* constant = object == nullptr ? nullptr : object->if_contains("const");
    return constant != nullptr && *constant == Json(name);
  };
  return choices != nullptr && std::ranges::equal(*choices, node.names, is_name);
}

/// Whether a keyword says no more than the kind does: builders emit what the kind lowers to.
bool is_lowered(const Node& node, std::string_view key, const Json& value, const JsonObject& lowered) {
  if (const auto* same = lowered.if_contains(key)) {
    if (equal_json(*same, value)) return true;
  }
  switch (node.kind) {
    case Kind::kArray: return node.count && (key == "minItems" || key == "maxItems");
    case Kind::kEnum: return restates_names(node, key, value);
    case Kind::kStruct: return key == "additionalProperties" && value == Json(false);
    case Kind::kUnion: return key == "anyOf" || key == "oneOf";
    case Kind::kRecord: return key == "additionalProperties";
    case Kind::kTensor: return key == "properties" || key == "type" || key == "additionalProperties";
    default: {
      const Node& text = node.kind == Kind::kBlob && node.items != nullptr ? *node.items : node;
      return key == "maxLength" && text.max_bytes && as_count(value) == max_text_length(text.kind, *text.max_bytes);
    }
  }
}

void split_keywords(const Node& node, Keywords& limits, Keywords& notes) {
  const auto* object = node.schema == nullptr ? nullptr : node.schema->if_object();
  if (object == nullptr) return;
  const bool item = node.kind == Kind::kBlob && node.items != nullptr;  // a Blob lowers as its item
  const Json lowered = parse_json(info(item ? node.items->kind : node.kind).lowered);
  for (const auto& [key, value] : *object) {
    const std::string_view word = key;
    if (word.starts_with(kTypeDefPrefix) || is_any(word, kStructural)) continue;
    if (is_any(word, kNotes)) {
      notes.emplace(word, &value);
    } else if (!is_lowered(node, word, value, lowered.get_object())) {
      limits.emplace(word, &value);
    }
  }
}

KeywordChanges compare_keywords(const Keywords& before, const Keywords& after) {
  KeywordChanges changes;
  for (const auto& [key, value] : after) {
    const auto old = before.find(key);
    if (old != before.end() && equal_json(*old->second, *value)) continue;
    changes.names.emplace(key);
    changes.after.emplace(key, *value);
    changes.adds = true;
  }
  for (const auto& [key, value] : before) {
    const auto now = after.find(key);
    if (now != after.end() && equal_json(*now->second, *value)) continue;
    changes.names.emplace(key);
    changes.before.emplace(key, *value);
  }
  return changes;
}

}  // namespace

KeywordChanges limit_changes(const Node& before, const Node& after) {
  Keywords old_limits, new_limits, notes;
  split_keywords(before, old_limits, notes);
  split_keywords(after, new_limits, notes);
  return compare_keywords(old_limits, new_limits);
}

KeywordChanges note_changes(const Node& before, const Node& after) {
  Keywords old_notes, new_notes, limits;
  split_keywords(before, limits, old_notes);
  split_keywords(after, limits, new_notes);
  return compare_keywords(old_notes, new_notes);
}

}  // namespace alknet::schema
