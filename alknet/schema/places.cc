#include "alknet/schema/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alknet/schema/drafts.h"
#include "alknet/schema/error.h"
#include "alknet/schema/keywords.h"
#include "alknet/schema/meta_schemas.h"

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
  resources_.push_back({std::move(base), root, kStandardVocabularies, {}, {}});
  return index;
}

PlaceId Places::add_document(const Json& document, const std::string& uri, bool translated) {
  const PlaceId root = add(document, kNoPlace, {}, kNoPlace);
  documents_.push_back({uri, root, translated, false});
  places_[root].document = static_cast<std::uint32_t>(documents_.size() - 1);
  places_[root].resource = add_resource(root, Uri::parse(uri));
  const auto* object = document.if_object();
  if (const auto* id = object == nullptr ? nullptr : object->if_contains("$id")) scan_id(root, *id);
  return root;
}

void Places::scan_documents() {
  for (; scanned_ < documents_.size(); ++scanned_) scan(documents_[scanned_].root, scanned_ == 0);
}

const Keyword* Places::keyword(PlaceId id, std::string_view name) const {
  const auto* found = find_keyword(name);
  return found != nullptr && (found->vocabularies & vocabularies(id)) != 0 ? found : nullptr;
}

PlaceId Places::child(PlaceId parent, std::string_view name) {
  return child(parent, *places_[parent].json->as_object().find(name));
}

PlaceId Places::child(PlaceId parent, std::uint32_t index) {
  return child(parent, places_[parent].json->as_array()[index], {}, index);
}

PlaceId Places::child(PlaceId parent, const Json& json, std::string_view name, std::uint32_t index) {
  const auto known = by_json_.find(&json);
  return known != by_json_.end() ? known->second : add(json, parent, name, index);
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
  for (const auto& member : *object) {
    const auto* known = keyword(id, member.key());
    if (known != nullptr && known->holds != Holds::kNothing) scan_held(child(id, member), known->holds, standard);
  }
  const auto type = find_typedef(*object);
  if (type.object == nullptr) return;
  const PlaceId holder = child(id, type.keyword);
  for (const auto& member : *type.object) {
    const auto holds = typedef_holds(type.kind, member.key());
    if (holds != Holds::kNothing && !member.value().is_string()) scan_held(child(holder, member), holds, false);
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
    for (const auto& member : *map) scan(child(holder, member), standard);
  }
}

void Places::scan_names(PlaceId id, const JsonObject& schema) {
  if (const auto* value = schema.if_contains("$id")) scan_id(id, *value);
  if (const auto* value = schema.if_contains("$schema")) scan_dialect(id, *value);
  for (const std::string_view keyword : {"$anchor", "$dynamicAnchor"}) {
    if (const auto* value = schema.if_contains(keyword)) scan_anchor(id, keyword, *value);
  }
}

void Places::scan_id(PlaceId id, const Json& value) {
  if (!value.is_string()) throw invalid(id, "$id", "must be a string");
  const auto uri = Uri::parse(text_of(value.get_string()));
  if (uri.has_fragment && !uri.fragment.empty()) {
    throw invalid(id, "$id", "must have no fragment; name a part of a document with $anchor");
  }
  const bool is_document = places_[id].parent == kNoPlace;
  if (is_document && places_[id].scanned) return;  // add_document did it
  const auto outer = places_[id].resource;
  auto base = resolve_uri(resources_[outer].base, uri);
  const auto known = resource_by_uri_.find(base.text());
  if (known != resource_by_uri_.end() && resources_[known->second].root != id) {
    throw invalid(id, "$id", "another schema has this $id");
  }
  if (known != resource_by_uri_.end()) return;
  if (is_document) {  // it keeps the URI it was registered by
    resource_by_uri_.emplace(base.text(), outer);
    resources_[outer].base = std::move(base);
  } else {
    places_[id].resource = add_resource(id, std::move(base));
    resources_.back().vocabularies = resources_[outer].vocabularies;
  }
}

void Places::scan_anchor(PlaceId id, std::string_view keyword, const Json& value) {
  const auto valid = [](std::string_view name) {
    return !name.empty() && name.find_first_of("#/ ") == std::string_view::npos && !(name[0] >= '0' && name[0] <= '9');
  };
  if (!value.is_string() || !valid(text_of(value.get_string()))) throw invalid(id, keyword, "must be a plain name");
  const std::string name(text_of(value.get_string()));
  auto& resource = resources_[places_[id].resource];
  if (resource.anchors.emplace(name, id).first->second != id) {
    throw invalid(id, keyword, fmt::format("another schema of this document has the anchor \"{}\"", name));
  }
  if (keyword == "$dynamicAnchor") resource.dynamic_anchors.emplace(name, id);
}

/// `$schema` chooses the vocabularies of its resource: those of the meta-schema that it names.
void Places::scan_dialect(PlaceId id, const Json& value) {
  if (!value.is_string()) throw invalid(id, "$schema", "must be a string");
  const auto uri = Uri::parse(text_of(value.get_string())).text();
  const auto unsupported = [&](std::string_view why) {
    return error(BaseError::kUnsupported, id, "$schema", fmt::format("the dialect \"{}\" {}", uri, why));
  };
  if (const auto draft = find_draft(uri)) {
    if (*draft == Draft::k202012) return;
    throw unsupported("cannot be that of a part of a document; register the part as a document of its own");
  }
  const auto found = find_resource(uri);
  if (found == kNoPlace) throw unsupported("is not supported; write the schema in 2020-12 or register its meta-schema");
  const auto* meta = places_[resources_[found].root].json->if_object();
  const auto* declared = meta == nullptr ? nullptr : meta->if_contains("$vocabulary");
  if (declared == nullptr || resources_[places_[id].resource].root != id) return;
  if (!declared->is_object()) throw invalid(resources_[found].root, "$vocabulary", "must be an object");
  Vocabularies vocabularies = kCore;
  for (const auto& [name, required] : declared->get_object()) {
    const auto vocabulary = find_vocabulary(name);
    if (vocabulary) {
      vocabularies |= *vocabulary;
    } else if (required.is_bool() && required.get_bool()) {
      throw unsupported(fmt::format("requires the vocabulary \"{}\", which is unknown", std::string_view(name)));
    }
  }
  resources_[places_[id].resource].vocabularies = vocabularies;
}

/// The resource of an absolute URI; a meta-schema of the standard joins the documents when it is asked for.
std::uint32_t Places::find_resource(const std::string& uri) {
  if (const auto known = resource_by_uri_.find(uri); known != resource_by_uri_.end()) return known->second;
  const auto text = find_meta_schema(uri);
  if (text.empty()) return kNoPlace;
  const auto draft = find_draft(uri).value_or(Draft::k202012);
  const bool translated = draft != Draft::k202012;
  Json document = parse_json(text);
  if (translated) document = translate_draft(document, draft);
  const PlaceId root = add_document(meta_schemas_.emplace_back(std::move(document)), uri, translated);
  documents_.back().known_to_all = !translated;
  scan(root, false);
  return places_[root].resource;
}

PlaceId Places::resolve(PlaceId from, std::string_view reference, std::string_view keyword) {
  const auto uri = Uri::parse(reference);
  const std::uint32_t here = places_[from].resource;
  PlaceId target = kNoPlace;
  const bool same = !uri.has_scheme && !uri.has_authority && uri.path.empty() && !uri.has_query;
  const auto absolute = resolve_uri(resources_[here].base, uri);
  const std::uint32_t resource = same ? here : find_resource(absolute.text());
  if (resource != kNoPlace) {
    const auto fragment = percent_decode(uri.fragment);
    if (fragment.empty()) {
      target = resources_[resource].root;
    } else if (fragment.starts_with('/')) {
      target = walk_pointer(resource, fragment);
    } else if (const auto anchor = resources_[resource].anchors.find(fragment);
               anchor != resources_[resource].anchors.end()) {
      target = anchor->second;
    }
  } else if (!uri.has_scheme && !uri.has_fragment) {
    target = find_in_defs(from, percent_decode(reference));
  }
  if (target == kNoPlace) {
    throw invalid(from, keyword,
                  fmt::format("\"{}\" names nothing in this document or the registered schemas", reference));
  }
  const Json& json = *places_[target].json;
  if (!json.is_object() && !json.is_bool()) throw invalid(from, keyword, fmt::format("\"{}\" is no schema", reference));
  const bool standard = places_[target].standard;
  scan(target, standard);
  return target;
}

std::string_view Places::dynamic_anchor(PlaceId target, std::string_view reference) const {
  const auto name = percent_decode(Uri::parse(reference).fragment);
  const auto& anchors = resources_[places_[target].resource].dynamic_anchors;
  const auto found = anchors.find(name);
  return found != anchors.end() && found->second == target ? std::string_view(found->first) : std::string_view();
}

/// Whether it is a schema object of a translated document, whose members may have had other names.
bool Places::is_translated_schema(PlaceId id) const {
  return documents_[places_[id].document].translated && places_[id].scanned && places_[id].json->is_object();
}

PlaceId Places::walk_pointer(std::uint32_t resource, std::string_view pointer) {
  PlaceId at = resources_[resource].root;
  std::size_t begin = 1;
  while (begin <= pointer.size()) {
    const auto end = std::min(pointer.find('/', begin), pointer.size());
    auto token = unescape_pointer_token(pointer.substr(begin, end - begin));
    begin = end + 1;
    if (is_translated_schema(at)) {
      const auto next = begin > pointer.size() ? std::string_view() : pointer.substr(begin);
      const auto below = unescape_pointer_token(next.substr(0, next.find('/')));
      const auto name = translated_name(places_[at].json->get_object(), token, below);
      if (name == kSetAside) {
        if (!places_[at].json->get_object().contains(name)) return kNoPlace;
        at = child(at, name);
      } else {
        token = name;
      }
    }
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

std::string Places::pointer(PlaceId id) const { return pointer(id, true); }

std::string Places::actual_pointer(PlaceId id) const { return pointer(id, false); }

std::string Places::pointer(PlaceId id, bool as_written) const {
  std::vector<PlaceId> chain;
  for (PlaceId at = id; places_[at].parent != kNoPlace; at = places_[at].parent) chain.push_back(at);
  std::string out;
  if (places_[id].document != 0) out = documents_[places_[id].document].uri + "#";
  for (auto step = chain.rbegin(); step != chain.rend(); ++step) {
    const auto& place = places_[*step];
    append_step(out, place.parent, place.index == kNoPlace ? place.name : std::to_string(place.index), as_written);
  }
  return out;
}

std::string Places::pointer(PlaceId id, std::string_view keyword) const {
  auto out = pointer(id);
  if (!keyword.empty()) append_step(out, id, keyword, true);
  return out;
}

/// "/step". As written: what a translation set aside or renamed has its old name.
void Places::append_step(std::string& out, PlaceId parent, std::string_view step, bool as_written) const {
  if (as_written && is_translated_schema(parent)) {
    if (step == kSetAside) return;
    step = draft_name(places_[parent].json->get_object(), step);
  }
  out += '/' + escape_pointer_token(step);
}

Error Places::error(std::error_code code, PlaceId id, std::string_view keyword, std::string_view message) const {
  const auto where = pointer(id, keyword);
  return {code, fmt::format("schema: {}: {}", where.empty() ? "root" : where, message), JsonObject{{"pointer", where}}};
}

Error Places::invalid(PlaceId id, std::string_view keyword, std::string_view message) const {
  return error(SchemaError::kSchemaInvalid, id, keyword, message);
}

}  // namespace alknet::schema
