#include "alknet/schema/lower.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "alknet/schema/compare.h"
#include "alknet/schema/drafts.h"
#include "alknet/schema/keywords.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

/// A struct as the variant of a union: it also has the discriminator.
struct Variant {
  std::string discriminator, tag;
  bool empty() const { return discriminator.empty(); }
  auto operator<=>(const Variant&) const = default;
};

class Lowering {
 public:
  explicit Lowering(const Places& places) : places_(places) {}

  Json run() {
    if (const auto* object = places_.at(places_.root()).json->if_object()) {
      if (const auto* defs = object->if_contains("$defs")) taken_ = &defs->as_object();
    }
    Json root = lower(places_.root(), {});
    JsonObject moved;
    while (done_ < hoisted_.size()) {
      const auto [place, variant, name] = hoisted_[done_++];
      moved.emplace(name, lower(place, variant));
    }
    if (!moved.empty()) {
      auto& defs = root.as_object()["$defs"];
      if (!defs.is_object()) defs = JsonObject();
      for (auto& member : moved) defs.as_object().insert(std::move(member));
    }
    return root;
  }

 private:
  struct Hoisted {
    PlaceId place;
    Variant variant;
    std::string name;
  };

  Json lower(PlaceId place, const Variant& variant) {
    const auto* schema = places_.at(place).json->if_object();
    if (schema == nullptr) return *places_.at(place).json;
    const auto type = find_typedef(*schema);
    JsonObject out;
    for (const auto& [key, value] : *schema) {
      const std::string_view keyword = key;
      const bool named =
          keyword == "$anchor" || keyword == "$dynamicAnchor" || (keyword == "$id" && place != places_.root());
      if (named || keyword.starts_with(kTypeDefPrefix) || keyword == kSetAside) continue;
      const bool standard = keyword != "$schema" || find_draft(value.get_string());
      if (!standard || (find_keyword(keyword) != nullptr && places_.keyword(place, keyword) == nullptr)) continue;
      if (type.kind == Kind::kStruct && keyword == "additionalProperties") continue;
      if (keyword == "format" && (places_.vocabularies(place) & kFormatAssertion) != 0) {
        throw places_.error(BaseError::kUnsupported, place, keyword,
                            "is asserted by a vocabulary: it has no lowered form");
      }
      if (keyword == "$ref") {
        add(out, "$ref", Json(reference_to(places_.resolve(place, std::string_view(value.as_string())), variant)));
      } else if (keyword == "$dynamicRef") {
        add(out, "$ref", Json(reference_to(resolve_dynamic(place, value.as_string()), {})));
      } else {
        out[keyword] = lower_held(place, keyword, value);
      }
    }
    if (type.kind != Kind::kNone) lower_kind(place, type, variant, out);
    return out;
  }

  Json lower_held(PlaceId place, std::string_view keyword, const Json& value) {
    const auto* known = find_keyword(keyword);
    const auto holds = known == nullptr ? Holds::kNothing : known->holds;
    if (holds == Holds::kNothing) return value;
    const PlaceId holder = places_.child(place, keyword);
    if (holds == Holds::kSchema) return lower(holder, {});
    if (const auto* list = value.if_array()) {
      JsonArray out;
      for (std::uint32_t i = 0; i < list->size(); ++i) out.push_back(lower(places_.child(holder, i), {}));
      return out;
    }
    JsonObject out;
    for (const auto& entry : value.as_object()) {
      out[entry.key()] = lower(places_.child(holder, std::string_view(entry.key())), {});
    }
    return out;
  }

  /// Adds a keyword; one that is there already with another value gets company in `allOf`.
  static void add(JsonObject& out, std::string_view keyword, Json value) {
    const auto* present = out.if_contains(keyword);
    if (present == nullptr) {
      out[keyword] = std::move(value);
    } else if (!equal_json(*present, value)) {
      auto& all = out["allOf"];
      if (!all.is_array()) all = JsonArray();
      all.as_array().push_back(JsonObject{{keyword, std::move(value)}});
    }
  }
  static void add_all(JsonObject& out, Json keywords) {
    if (keywords.is_bool()) {
      if (!keywords.get_bool()) add(out, "not", JsonObject());
      return;
    }
    for (auto& [keyword, value] : keywords.as_object()) add(out, keyword, std::move(value));
  }

  void lower_kind(PlaceId place, const TypeDef& type, const Variant& variant, JsonObject& out) {
    add_all(out, parse_json(info(type.kind).lowered));
    const auto* most = type.object == nullptr ? nullptr : type.object->if_contains("maxBytes");
    if (most != nullptr) {
      if (const auto bytes = as_count(*most)) add(out, "maxLength", max_text_length(type.kind, *bytes));
    }
    switch (info(type.kind).form) {
      case KindForm::kStruct: return lower_struct(variant, out);
      case KindForm::kUnion: return lower_union(place, type, out);
      case KindForm::kRecord:
        add(out, "additionalProperties", lower(held_schema(places_, place, type, "values"), {}));
        return;
      case KindForm::kBlob: return lower_blob(place, type, out);
      default: return;
    }
  }

  static void lower_struct(const Variant& variant, JsonObject& out) {
    if (!variant.empty()) {
      JsonObject properties{{variant.discriminator, JsonObject{{"const", variant.tag}}}};
      for (auto& member : out.at("properties").as_object()) properties.insert(std::move(member));
      out["properties"] = std::move(properties);
      JsonArray required{Json(variant.discriminator)};
      if (const auto* own = out.if_contains("required")) {
        for (const auto& name : own->as_array()) {
          if (name != Json(variant.discriminator)) required.push_back(name);
        }
      }
      out["required"] = std::move(required);
    }
    out["additionalProperties"] = false;
  }

  void lower_union(PlaceId place, const TypeDef& type, JsonObject& out) {
    const auto& mapping = type.object->at("mapping").as_object();
    const PlaceId holder = places_.child(places_.child(place, type.keyword), std::string_view("mapping"));
    JsonArray choices;
    for (const auto& entry : mapping) {
      const Variant variant{std::string(type.object->at("discriminator").as_string()), std::string(entry.key())};
      choices.push_back(lower(places_.child(holder, std::string_view(entry.key())), variant));
    }
    add(out, "anyOf", std::move(choices));
  }

  void lower_blob(PlaceId place, const TypeDef& type, JsonObject& out) {
    const PlaceId item = held_schema(places_, place, type, "item");
    Json lowered = lower(item, {});
    if (is_ragged_item(kind_at(places_, item))) {
      add(out, "type", "array");
      add(out, "items", std::move(lowered));
    } else {
      add_all(out, std::move(lowered));
    }
  }

  /// Lowered schemas have no dynamic anchors: one resource is left of several.
  PlaceId resolve_dynamic(PlaceId from, std::string_view reference) {
    const PlaceId target = places_.resolve(from, reference);
    const auto anchor = places_.dynamic_anchor(target, reference);
    std::size_t found = 0;
    for (std::uint32_t i = 0; i < places_.resource_count(); ++i) found += places_.dynamic_anchors(i).count(anchor);
    if (anchor.empty() || found == 1) return target;
    throw places_.error(BaseError::kUnsupported, from, "$dynamicRef",
                        "may lead to several schemas: it has no lowered form");
  }

  std::string reference_to(PlaceId target, const Variant& variant) {
    const auto& place = places_.at(target);
    if (places_.is_known_to_all(target)) return places_.pointer(target);
    if (place.standard && variant.empty()) return "#" + percent_encode_fragment(places_.actual_pointer(target));
    auto& name = hoisted_names_[{target, variant}];
    if (name.empty()) {
      do name = fmt::format("ref_{}", ++counter_);
      while (taken_ != nullptr && taken_->contains(name));
      hoisted_.push_back({target, variant, name});
    }
    return "#/$defs/" + name;
  }

  Places places_;  // a copy: resolving makes places
  const JsonObject* taken_ = nullptr;
  std::map<std::pair<PlaceId, Variant>, std::string> hoisted_names_;
  std::vector<Hoisted> hoisted_;
  std::size_t done_ = 0;
  std::size_t counter_ = 0;
};

}  // namespace

Json lower_document(const Places& places) { return Lowering(places).run(); }

}  // namespace alknet::schema
