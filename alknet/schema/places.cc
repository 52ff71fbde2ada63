#include "alknet/schema/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alknet/schema/error.h"
#include "alknet/schema/keywords.h"

namespace alknet::schema {
namespace {

constexpr std::size_t kMaxSchemas = 1'000'000;

std::string_view text_of(const JsonString& text) { return {text.data(), text.size()}; }

}  // namespace

PlaceId Places::add(const Json& json, PlaceId parent, std::string_view name, std::uint32_t index) {
  const auto id = static_cast<PlaceId>(places_.size());
  Place place;
  place.json = &json;
  place.parent = parent;
  place.name = name;
  place.index = index;
  if (parent != kNoPlace) {
    place.resource = places_[parent].resource;
    place.document = places_[parent].document;
  }
  places_.push_back(place);
  by_json_.emplace(&json, id);
  return id;
}

std::uint32_t Places::add_resource(PlaceId root, Uri base) {
  const auto index = static_cast<std::uint32_t>(resources_.size());
  base.has_fragment = false;
  base.fragment.clear();
  resource_by_uri_.emplace(base.text(), index);
  resources_.push_back({std::move(base), root, {}});
  return index;
}

PlaceId Places::add_document(const Json& document, const std::string& uri) {
  const PlaceId root = add(document, kNoPlace, {}, kNoPlace);
  documents_.push_back({uri, root});
  places_[root].document = static_cast<std::uint32_t>(documents_.size() - 1);
  places_[root].resource = add_resource(root, Uri::parse(uri));
  scan(root, documents_.size() == 1);
  return root;
}

PlaceId Places::child(PlaceId parent, std::string_view name) {
  const auto& object = places_[parent].json->as_object();
  const auto* member = object.find(name);
  if (const auto known = by_json_.find(&member->value()); known != by_json_.end()) return known->second;
  return add(member->value(), parent, member->key(), kNoPlace);
}

PlaceId Places::child(PlaceId parent, std::uint32_t index) {
  const auto& element = places_[parent].json->as_array()[index];
  if (const auto known = by_json_.find(&element); known != by_json_.end()) return known->second;
  return add(element, parent, {}, index);
}

PlaceId Places::expand(PlaceId id, Json schema) {
  if (const auto known = expansion_of_.find(id); known != expansion_of_.end()) return known->second;
  const PlaceId parent = places_[id].parent;
  const std::string_view name = places_[id].name;
  const PlaceId expansion = add(expansions_.emplace_back(std::move(schema)), parent, name, kNoPlace);
  expansion_of_.emplace(id, expansion);
  scan(expansion, false);
  return expansion;
}

// Recursion is bounded by the depth of the text.
void Places::scan(PlaceId id, bool standard) {
  const Json& json = *places_[id].json;
  if (!json.is_object() && !json.is_bool()) throw invalid(id, {}, "a schema is an object, true or false");
  if (places_[id].scanned) return;
  places_[id].scanned = true;
  places_[id].standard = standard;
  if (schemas_.size() >= kMaxSchemas) {
    throw error(SchemaError::kSchemaTooLarge, id, {}, fmt::format("there are more than {} subschemas", kMaxSchemas));
  }
  schemas_.push_back(id);
  const auto* object = json.if_object();
  if (object == nullptr) return;
  scan_names(id, *object);
  for (const auto& [key, value] : *object) {
    const auto holds = keyword_holds(key);
    if (holds != Holds::kNothing) scan_held(child(id, key), holds, standard);
  }
  const auto type = find_typedef(*object);
  if (type.object == nullptr) return;
  const PlaceId holder = child(id, type.keyword);
  for (const auto& [key, value] : *type.object) {
    const auto holds = typedef_holds(type.kind, key);
    if (holds != Holds::kNothing && !value.is_string()) scan_held(child(holder, key), holds, false);
  }
}

void Places::scan_held(PlaceId holder, Holds holds, bool standard) {
  const Json& json = *places_[holder].json;
  if (holds == Holds::kSchema) {
    if (json.is_array())
      throw invalid(holder, {}, "a schema is an object, true or false; for a list of items write prefixItems");
    scan(holder, standard);
  } else if (holds == Holds::kList) {
    const auto* list = json.if_array();
    if (list == nullptr || list->empty()) throw invalid(holder, {}, "must be an array of at least one schema");
    for (std::uint32_t i = 0; i < list->size(); ++i) scan(child(holder, i), standard);
  } else {
    const auto* map = json.if_object();
    if (map == nullptr) throw invalid(holder, {}, "must be an object whose members are schemas");
    for (const auto& [key, value] : *map) scan(child(holder, std::string_view(key)), standard);
  }
}

void Places::scan_names(PlaceId id, const JsonObject& schema) {
  if (const auto* value = schema.if_contains("$id")) {
    if (!value->is_string()) throw invalid(id, "$id", "must be a string");
    const auto uri = Uri::parse(text_of(value->get_string()));
    if (uri.has_fragment && !uri.fragment.empty()) {
      throw invalid(id, "$id", "must have no fragment; name a part of a document with $anchor");
    }
    auto base = resolve_uri(resources_[places_[id].resource].base, uri);
    const auto known = resource_by_uri_.find(base.text());
    if (known != resource_by_uri_.end() && resources_[known->second].root != id) {
      throw invalid(id, "$id", "another schema has this $id");
    }
    if (known == resource_by_uri_.end()) {
      if (places_[id].parent == kNoPlace) {  // a document keeps the URI it was registered by
        resource_by_uri_.emplace(base.text(), places_[id].resource);
        resources_[places_[id].resource].base = std::move(base);
      } else {
        places_[id].resource = add_resource(id, std::move(base));
      }
    }
  }
  if (const auto* value = schema.if_contains("$anchor")) {
    const auto valid = [](std::string_view name) {
      return !name.empty() && name.find_first_of("#/ ") == std::string_view::npos &&
             !(name[0] >= '0' && name[0] <= '9');
    };
    if (!value->is_string() || !valid(text_of(value->get_string())))
      throw invalid(id, "$anchor", "must be a plain name");
    const std::string name(text_of(value->get_string()));
    if (!resources_[places_[id].resource].anchors.emplace(name, id).second) {
      throw invalid(id, "$anchor", fmt::format("another schema of this document has the anchor \"{}\"", name));
    }
  }
}

PlaceId Places::resolve(PlaceId from, std::string_view reference) {
  const auto uri = Uri::parse(reference);
  const std::uint32_t here = places_[from].resource;
  PlaceId target = kNoPlace;
  const bool same = !uri.has_scheme && !uri.has_authority && uri.path.empty() && !uri.has_query;
  const auto absolute = resolve_uri(resources_[here].base, uri);
  const auto known = same ? resource_by_uri_.end() : resource_by_uri_.find(absolute.text());
  if (same || known != resource_by_uri_.end()) {
    const std::uint32_t resource = same ? here : known->second;
    const auto fragment = percent_decode(uri.fragment);
    if (fragment.empty()) {
      target = resources_[resource].root;
    } else if (fragment.starts_with('/')) {
      target = walk_pointer(from, resource, fragment);
    } else if (const auto anchor = resources_[resource].anchors.find(fragment);
               anchor != resources_[resource].anchors.end()) {
      target = anchor->second;
    }
  } else if (!uri.has_scheme && !uri.has_fragment) {
    target = find_in_defs(from, percent_decode(reference));
  }
  if (target == kNoPlace) {
    throw invalid(from, "$ref",
                  fmt::format("\"{}\" names nothing in this document or the registered schemas", reference));
  }
  const bool standard = places_[target].standard;
  scan(target, standard);
  return target;
}

PlaceId Places::walk_pointer(PlaceId from, std::uint32_t resource, std::string_view pointer) {
  PlaceId at = resources_[resource].root;
  std::size_t begin = 1;
  while (begin <= pointer.size()) {
    const auto end = std::min(pointer.find('/', begin), pointer.size());
    const auto token = unescape_pointer_token(pointer.substr(begin, end - begin));
    begin = end + 1;
    const Json& json = *places_[at].json;
    if (const auto* object = json.if_object()) {
      if (!object->contains(token)) return kNoPlace;
      at = child(at, std::string_view(token));
    } else if (const auto* array = json.if_array()) {
      std::uint32_t index = 0;
      const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
      if (read.ec != std::errc() || read.ptr != token.data() + token.size() || index >= array->size()) return kNoPlace;
      at = child(at, index);
    } else {
      return kNoPlace;
    }
  }
  const Json& json = *places_[at].json;
  if (!json.is_object() && !json.is_bool()) throw invalid(from, "$ref", fmt::format("\"#{}\" is no schema", pointer));
  return at;
}

PlaceId Places::find_in_defs(PlaceId from, const std::string& name) {
  // From the innermost resource outwards: bundled schemas name their neighbours in the outer document.
  PlaceId at = resources_[places_[from].resource].root;
  while (true) {
    if (const auto* object = places_[at].json->if_object()) {
      const auto* defs = object->if_contains("$defs");
      if (defs != nullptr && defs->is_object() && defs->get_object().contains(name)) {
        return child(child(at, std::string_view("$defs")), std::string_view(name));
      }
    }
    const PlaceId parent = places_[at].parent;
    if (parent == kNoPlace) return kNoPlace;
    at = resources_[places_[parent].resource].root;
  }
}

std::string Places::pointer(PlaceId id) const {
  std::vector<PlaceId> chain;
  for (PlaceId at = id; places_[at].parent != kNoPlace; at = places_[at].parent) chain.push_back(at);
  std::string out;
  if (places_[id].document != 0) out = documents_[places_[id].document].uri + "#";
  for (auto step = chain.rbegin(); step != chain.rend(); ++step) {
    const auto& place = places_[*step];
    out += '/';
    out += place.index == kNoPlace ? escape_pointer_token(place.name) : std::to_string(place.index);
  }
  return out;
}

std::string Places::pointer(PlaceId id, std::string_view keyword) const {
  auto out = pointer(id);
  if (!keyword.empty()) out += "/" + escape_pointer_token(keyword);
  return out;
}

Error Places::error(std::error_code code, PlaceId id, std::string_view keyword, std::string_view message) const {
  const auto where = pointer(id, keyword);
  return {code, fmt::format("schema: {}: {}", where.empty() ? "root" : where, message), JsonObject{{"pointer", where}}};
}

Error Places::invalid(PlaceId id, std::string_view keyword, std::string_view message) const {
  return error(SchemaError::kSchemaInvalid, id, keyword, message);
}

}  // namespace alknet::schema
