#include "alknet/schema/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "alknet/base/bytes.h"
#include "alknet/schema/compare.h"
#include "alknet/schema/error.h"
#include "alknet/schema/keyword_changes.h"
#include "alknet/schema/path.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

template <typename Names>
JsonArray names_json(const Names& names) {
  return JsonArray(names.begin(), names.end());
}

/// How a field is there: "required", "with a default" or "nullable".
std::string_view presence(const Property& property) {
  if (property.required) return "required";
  return property.default_value != nullptr ? "defaulted" : "nullable";
}

std::string kind_text(const Node& node) {
  if (node.kind == Kind::kNone) return "a schema without kind";
  if (node.kind == Kind::kBlob) {
    return fmt::format("Blob of {}", node.items == nullptr ? "Json" : schema::name(node.items->kind));
  }
  if (node.kind == Kind::kTensor) {
    if (node.tensor.dtype) return std::string(schema::name(*node.tensor.dtype));
    if (is_any_tensor(node.tensor)) return "any tensor";
    return node.tensor.element->kind == Kind::kBlob ? "a blob tensor" : "a struct tensor";
  }
  return std::string(schema::name(node.kind));
}

/// The names that both lists have, in the order of `list`.
std::vector<std::string_view> common(const std::vector<std::string_view>& list,
                                     const std::vector<std::string_view>& other) {
  const std::set<std::string_view> known(other.begin(), other.end());
  std::vector<std::string_view> out;
  std::ranges::copy_if(list, std::back_inserter(out), [&](std::string_view name) { return known.contains(name); });
  return out;
}

/// The elements of an Array of Arrays, or nothing when a count is missing.
std::optional<std::uint64_t> elements(const Node& array, const Node** leaf) {
  std::optional<std::uint64_t> total = 1;
  const Node* node = &array;
  while (node->kind == Kind::kArray && total) {
    total = node->count ? checked_mul(*total, *node->count) : std::nullopt;
    node = node->items;
  }
  *leaf = node;
  return total;
}

/// The product of a shape, without a first dimension of -1.
std::optional<std::uint64_t> known_elements(std::span<const std::int64_t> shape) {
  std::optional<std::uint64_t> total = 1;
  for (const auto size : shape) {
    if (size >= 0 && total) total = checked_mul(*total, static_cast<std::uint64_t>(size));
  }
  return total;
}

bool is_open(std::span<const std::int64_t> shape) { return !shape.empty() && shape.front() == -1; }

class Comparison {
 public:
  Diff run(const Node& before, const Node& after) {
    node(before, after, {});
    return std::move(diff_);
  }

 private:
  template <typename Before = Json, typename After = Json>
  void add(ChangeType type, Conversion conversion, const std::string& path, std::string message,
           const Before& before = {}, const After& after = {}) {
    if (diff_.changes.size() >= kMaxChanges) {
      throw Error(SchemaError::kSchemaTooLarge,
                  fmt::format("diff: the schemas differ in more than {} places", kMaxChanges));
    }
    diff_.changes.push_back({type, std::move(conversion), path, std::move(message), Json(before), Json(after)});
  }

  // Recursion ends: a pair that is open is not entered again, and a pair without changes is looked at once.
  void node(const Node& before, const Node& after, const std::string& path) {
    const std::pair key(&before, &after);
    if (open_.contains(key) || equal_.contains(key)) return;
    if (open_.size() >= kMaxSchemaDepth) {
      throw Error(SchemaError::kSchemaTooDeep, fmt::format("diff: {}: the schemas are nested deeper than 64", path));
    }
    open_.insert(key);
    const auto found = diff_.changes.size();
    parts(before, after, path);
    if (diff_.changes.size() == found) equal_.insert(key);
    open_.erase(key);
  }

  void parts(const Node& before, const Node& after, const std::string& path) {
    if (before.kind != after.kind) {
      return add(ChangeType::kRetyped, conversion(before, after), path,
                 fmt::format("{} became {}", kind_text(before), kind_text(after)), kind_text(before), kind_text(after));
    }
    if (before.kind == Kind::kNone) return plain(before, after, path);
    switch (info(before.kind).form) {
      case KindForm::kStruct: members(before, after, path); break;
      case KindForm::kArray: array(before, after, path); break;
      case KindForm::kUnion: variants(before, after, path); break;
      case KindForm::kRecord: node(*before.items, *after.items, path + "[]"); break;
      case KindForm::kTensor: tensor(before, after, path); break;
      case KindForm::kBlob: blob(before, after, path); break;
      case KindForm::kEnum: enumeration(before, after, path); break;
      default: break;
    }
    annotations(before, after, path);
  }

  void plain(const Node& before, const Node& after, const std::string& path) {
    if (before.schema == nullptr || after.schema == nullptr || equal_json(*before.schema, *after.schema)) return;
    const auto found = diff_.changes.size();
    annotations(before, after, path);
    if (diff_.changes.size() != found) return;
    add(ChangeType::kAnnotation, {ChangeClass::kNeedsConverter, false, "the schemas have no kinds to compare"}, path,
        "the schema changed", *before.schema, *after.schema);
  }

  void members(const Node& before, const Node& after, const std::string& path) {
    std::vector<std::string_view> old_names, new_names;
    for (const auto& property : before.properties) old_names.push_back(property.name);
    for (const auto& property : after.properties) new_names.push_back(property.name);
    for (const auto& property : after.properties) {
      auto inner = path;
      append_step(inner, property.name);
      const auto* old = before.property(property.name);
      if (old == nullptr) {
        added(property, inner);
      } else {
        node(*old->node, *property.node, inner);
        presence_changes(*old, property, inner);
      }
    }
    for (const auto& property : before.properties) {
      if (after.property(property.name) != nullptr) continue;
      auto inner = path;
      append_step(inner, property.name);
      add(ChangeType::kRemoved, {ChangeClass::kNeedsConverter, false, "its data would be lost: convert it by `drop`"},
          inner, fmt::format("{} was removed", kind_text(*property.node)), kind_text(*property.node));
    }
    if (!before.holds_tensor && !after.holds_tensor) order(old_names, new_names, path, "the fields");
  }

  void order(const std::vector<std::string_view>& before, const std::vector<std::string_view>& after,
             const std::string& path, std::string_view what) {
    const auto old_common = common(before, after);
    const auto new_common = common(after, before);
    if (old_common == new_common) return;
    add(ChangeType::kReordered, {}, path, fmt::format("{} are in another order", what), names_json(before),
        names_json(after));
  }

  void added(const Property& property, const std::string& path) {
    const bool tensor = property.node->kind == Kind::kTensor || property.node->holds_tensor;
    Conversion conversion;
    if (!property.required) {
      conversion = {ChangeClass::kDefaultable, false, {}};
    } else {
      conversion = {
          ChangeClass::kNeedsConverter, false,
          tensor ? "old files have no such entry" : "old data have no value for it: convert it by `constant`"};
    }
    add(ChangeType::kAdded, std::move(conversion), path,
        fmt::format("{} was added, {}", kind_text(*property.node), presence(property)), {}, kind_text(*property.node));
  }

  void presence_changes(const Property& before, const Property& after, const std::string& path) {
    if (presence(before) != presence(after)) {
      Conversion conversion;
      if (before.nullable() && after.required) {
        conversion = {ChangeClass::kNeedsConverter, true, "it may be absent in old data"};
      } else if (before.nullable()) {
        conversion = {ChangeClass::kDefaultable, false, {}};
      }
      add(ChangeType::kAnnotation, std::move(conversion), path,
          fmt::format("{} became {}", presence(before), presence(after)), presence(before), presence(after));
    }
    const Json* old_default = before.default_value;
    const Json* new_default = after.default_value;
    if (old_default == nullptr || new_default == nullptr || equal_json(*old_default, *new_default)) return;
    add(ChangeType::kAnnotation, {}, path, "the default changed", *old_default, *new_default);
  }

  void array(const Node& before, const Node& after, const std::string& path) {
    if (before.count == after.count) return node(*before.items, *after.items, path + "[]");
    const auto count_json = [](const Node& array) { return array.count ? Json(*array.count) : Json(nullptr); };
    const auto report = [&](Conversion conversion) {
      const auto text = [](const Node& array) {
        return array.count ? fmt::format("{} items", *array.count) : std::string("any count");
      };
      add(ChangeType::kReshaped, std::move(conversion), path, fmt::format("{} became {}", text(before), text(after)),
          count_json(before), count_json(after));
    };
    const Node *old_leaf = nullptr, *new_leaf = nullptr;
    const auto old_total = elements(before, &old_leaf);
    const auto new_total = elements(after, &new_leaf);
    if (!after.count) {
      report({});
    } else if (!before.count) {
      report({ChangeClass::kNeedsConverter, true, "the array may have another count"});
    } else if (old_total && old_total == new_total) {
      report({ChangeClass::kNeedsConverter, true, "the items are taken in row-major order"});
      return node(*old_leaf, *new_leaf, path + "[]");
    } else {
      report({ChangeClass::kNeedsConverter, false, "it has another number of items: convert it by `resize`"});
    }
    node(*before.items, *after.items, path + "[]");
  }

  void enumeration(const Node& before, const Node& after, const std::string& path) {
    if (before.names == after.names) return;
    const std::vector<std::string_view> old_names(before.names.begin(), before.names.end());
    const std::vector<std::string_view> new_names(after.names.begin(), after.names.end());
    const auto kept = common(old_names, new_names).size();
    if (kept == old_names.size() && kept == new_names.size()) return order(old_names, new_names, path, "the names");
    add(ChangeType::kRetyped, conversion(before, after), path,
        fmt::format("{} of {} names were removed, {} added", old_names.size() - kept, old_names.size(),
                    new_names.size() - kept),
        names_json(before.names), names_json(after.names));
  }

  void variants(const Node& before, const Node& after, const std::string& path) {
    if (before.discriminator != after.discriminator) {
      add(ChangeType::kRetyped, {ChangeClass::kNeedsConverter, false, "the variant is named by another member"}, path,
          fmt::format("the discriminator \"{}\" became \"{}\"", before.discriminator, after.discriminator),
          before.discriminator, after.discriminator);
    }
    std::map<std::string_view, const Node*> old_variants;
    std::vector<std::string_view> old_tags, new_tags;
    for (const auto& variant : before.variants) {
      old_variants.emplace(variant.tag, variant.node);
      old_tags.push_back(variant.tag);
    }
    for (const auto& variant : after.variants) {
      new_tags.push_back(variant.tag);
      auto inner = path;
      append_step(inner, variant.tag);
      const auto old = old_variants.find(variant.tag);
      if (old == old_variants.end()) {
        add(ChangeType::kAdded, {}, inner, "the variant was added", {}, variant.tag);
      } else {
        node(*old->second, *variant.node, inner);
        old_variants.erase(old);
      }
    }
    for (const auto& variant : before.variants) {
      if (!old_variants.contains(variant.tag)) continue;
      auto inner = path;
      append_step(inner, variant.tag);
      add(ChangeType::kRemoved, {ChangeClass::kNeedsConverter, false, "old data may have it"}, inner,
          "the variant was removed", variant.tag);
    }
    order(old_tags, new_tags, path, "the variants");
  }

  void blob(const Node& before, const Node& after, const std::string& path) {
    const bool json = before.items == nullptr && after.items == nullptr;
    if (json) return;
    if (before.items == nullptr || after.items == nullptr || before.items->kind != after.items->kind) {
      Conversion rule = conversion(before, after);
      if (before.items != nullptr && after.items != nullptr && is_ragged_item(before.items->kind) &&
          is_ragged_item(after.items->kind)) {
        rule = conversion(*before.items, *after.items);
      }
      return add(ChangeType::kRetyped, std::move(rule), path,
                 fmt::format("{} became {}", kind_text(before), kind_text(after)), kind_text(before), kind_text(after));
    }
    node(*before.items, *after.items, path + "[]");
  }

  void tensor(const Node& before, const Node& after, const std::string& path) {
    const auto& old_spec = before.tensor;
    const auto& new_spec = after.tensor;
    if (is_any_tensor(old_spec) && is_any_tensor(new_spec)) return;
    if (old_spec.dtype && new_spec.dtype) {
      if (*old_spec.dtype != *new_spec.dtype) {
        add(ChangeType::kRetyped, conversion(*old_spec.dtype, *new_spec.dtype), path,
            fmt::format("{} became {}", kind_text(before), kind_text(after)), kind_text(before), kind_text(after));
      }
    } else if (old_spec.dtype || new_spec.dtype || is_any_tensor(old_spec) || is_any_tensor(new_spec) ||
               old_spec.element->kind != new_spec.element->kind) {
      return add(ChangeType::kRetyped,
                 {ChangeClass::kNeedsConverter, false, "entries keep being flat, structs or blobs: write it again"},
                 path, fmt::format("{} became {}", kind_text(before), kind_text(after)), kind_text(before),
                 kind_text(after));
    } else {
      node(*old_spec.element, *new_spec.element, path);
    }
    shape(before, after, path);
  }

  void shape(const Node& before, const Node& after, const std::string& path) {
    const auto& old_spec = before.tensor;
    const auto& new_spec = after.tensor;
    const auto shape_json = [](const TensorSpec& spec) { return names_json(spec.shape); };
    const auto report = [&](Conversion conversion) {
      add(ChangeType::kReshaped, std::move(conversion), path,
          fmt::format("shape {} became {}", json_text(shape_json(old_spec)), json_text(shape_json(new_spec))),
          shape_json(old_spec), shape_json(new_spec));
    };
    const auto block_json = [](const TensorSpec& spec) {
      return spec.block ? Json(JsonObject{{"values", spec.block->values}, {"axis", spec.block->axis}}) : Json();
    };
    if (block_json(old_spec) != block_json(new_spec)) {
      add(ChangeType::kReshaped, {ChangeClass::kNeedsConverter, false, "blocks of values are not regrouped"}, path,
          "the block changed", block_json(old_spec), block_json(new_spec));
    }
    if (old_spec.shape == new_spec.shape) return;
    const bool old_open = is_open(old_spec.shape), new_open = is_open(new_spec.shape);
    const auto old_rest = std::span(old_spec.shape).subspan(old_spec.shape.empty() ? 0 : 1);
    const auto new_rest = std::span(new_spec.shape).subspan(new_spec.shape.empty() ? 0 : 1);
    const auto old_known = known_elements(old_spec.shape), new_known = known_elements(new_spec.shape);
    if (new_open && !old_spec.shape.empty() && std::ranges::equal(old_rest, new_rest)) return report({});
    if (!old_open && !new_open && old_known != new_known) {
      return report({ChangeClass::kNeedsConverter, false, "it has another number of elements"});
    }
    report({ChangeClass::kNeedsConverter, true, "the elements are taken in row-major order; their number must fit"});
  }

  /// What is said of a node besides its parts.
  void annotations(const Node& before, const Node& after, const std::string& path) {
    if (before.max_bytes != after.max_bytes) {
      const auto bytes = [](const Node& node) { return node.max_bytes ? Json(*node.max_bytes) : Json(); };
      add(ChangeType::kAnnotation, conversion(before, after), path,
          fmt::format("maxBytes {} became {}", json_text(bytes(before)), json_text(bytes(after))), bytes(before),
          bytes(after));
    }
    if (before.align != after.align) {
      add(ChangeType::kAnnotation, {}, path, fmt::format("align {} became {}", before.align, after.align), before.align,
          after.align);
    }
    if (before.encoding != after.encoding) add(ChangeType::kAnnotation, {}, path, "the encoding changed");
    if (path.empty() && before.endian != after.endian) add(ChangeType::kAnnotation, {}, path, "the byte order changed");

    const KeywordChanges limits = limit_changes(before, after);
    Conversion conversion;
    if (limits.adds) {
      conversion = {ChangeClass::kNeedsConverter, true, "old values may be outside of the new limits"};
    }
    keywords(limits, std::move(conversion), path);
    keywords(note_changes(before, after), {}, path);
  }

  void keywords(const KeywordChanges& changes, Conversion conversion, const std::string& path) {
    if (changes.names.empty()) return;
    add(ChangeType::kAnnotation, std::move(conversion), path, fmt::format("{} changed", fmt::join(changes.names, ", ")),
        changes.before, changes.after);
  }

  Diff diff_;
  std::set<std::pair<const Node*, const Node*>> open_;
  std::set<std::pair<const Node*, const Node*>> equal_;
};

}  // namespace

std::string_view name(ChangeType type) {
  static constexpr std::array<std::string_view, 6> kNames = {"added",    "removed",   "retyped",
                                                             "reshaped", "reordered", "annotation changed"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view name(VersionBump bump) {
  static constexpr std::array<std::string_view, 4> kNames = {"none", "patch", "minor", "major"};
  return kNames[static_cast<std::size_t>(bump)];
}

VersionBump Diff::bump() const {
  static constexpr std::array kBumps = {VersionBump::kPatch, VersionBump::kMinor, VersionBump::kMajor};
  auto bump = VersionBump::kSame;
  for (const auto& change : changes) {
    bump = std::max(bump, kBumps[static_cast<std::size_t>(change.conversion.change_class)]);
  }
  return bump;
}

Json Diff::json() const {
  JsonArray list;
  for (const auto& change : changes) {
    JsonObject entry{{"path", change.path},
                     {"change", name(change.type)},
                     {"class", name(change.conversion.change_class)},
                     {"checked", change.conversion.checked},
                     {"message", change.message}};
    if (!change.conversion.reason.empty()) entry["reason"] = change.conversion.reason;
    entry["before"] = change.before;
    entry["after"] = change.after;
    list.push_back(std::move(entry));
  }
  return JsonObject{{"bump", name(bump())}, {"changes", std::move(list)}};
}

Diff diff(const Schema& before, const Schema& after) { return Comparison().run(before.root(), after.root()); }

}  // namespace alknet::schema
