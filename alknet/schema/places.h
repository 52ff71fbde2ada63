#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/schema/keywords.h"
#include "alknet/schema/uri.h"

namespace alknet::schema {

using PlaceId = std::uint32_t;
constexpr PlaceId kNoPlace = UINT32_MAX;

/// A value inside a schema document that the compiler has looked at.
struct Place {
  const Json* json = nullptr;
  PlaceId parent = kNoPlace;       ///< kNoPlace: the root of a document
  std::string_view name;           ///< the member's name in the parent, when `index` is none
  std::uint32_t index = kNoPlace;  ///< the element's index in the parent
  std::uint32_t resource = 0;
  std::uint32_t document = 0;
  bool scanned = false;   ///< it is a schema, and what it holds was scanned
  bool standard = false;  ///< a schema that standard keywords lead to from the root of the main document
};

/// The documents of one schema: their subschemas, the URIs and anchors that name them, and where a `$ref` leads.
/// The documents must outlive it and not change. Built by one thread, then immutable.
class Places {
 public:
  /// Adds a document; the first one is the main document. `translated`: it is translate_draft's. All are added before
  /// anything else is asked. Throws `schema_invalid`.
  PlaceId add_document(const Json& document, const std::string& uri, bool translated = false);

  /// Finds the schemas of every document added. Throws `schema_invalid`, `schema_too_large`, `unsupported`.
  void scan_documents();

  const Place& at(PlaceId id) const { return places_[id]; }
  PlaceId root() const { return documents_.front().root; }

  /// Every schema found so far, in document order.
  const std::vector<PlaceId>& schemas() const { return schemas_; }

  /// The place of a member or an element, made when it is not known yet; it must exist.
  PlaceId child(PlaceId parent, std::string_view name);
  PlaceId child(PlaceId parent, std::uint32_t index);

  /// The same for a member of the object at `parent`.
  PlaceId child(PlaceId parent, const JsonObject::value_type& member) {
    return child(parent, member.value(), member.key(), kNoPlace);
  }

  /// The schema that a `$ref` (or another `keyword`) in the schema at `from` names. Throws `schema_invalid` when
  /// nothing has that name.
  PlaceId resolve(PlaceId from, std::string_view reference, std::string_view keyword = "$ref");

  /// The name of the `$dynamicAnchor` through which `reference` leads to `target`; empty when it is by another way.
  std::string_view dynamic_anchor(PlaceId target, std::string_view reference) const;

  /// The schemas of one resource that have a `$dynamicAnchor`, by its name.
  using Anchors = std::map<std::string, PlaceId, std::less<>>;
  const Anchors& dynamic_anchors(std::uint32_t resource) const { return resources_[resource].dynamic_anchors; }
  std::size_t resource_count() const { return resources_.size(); }

  /// The keyword of that name in the dialect of the schema at `id`; null when it has no meaning there.
  const Keyword* keyword(PlaceId id, std::string_view name) const;

  /// Whether it is in a meta-schema of 2020-12, which every validator knows.
  bool is_known_to_all(PlaceId id) const { return documents_[places_[id].document].known_to_all; }

  /// The vocabularies of its dialect.
  Vocabularies vocabularies(PlaceId id) const { return resources_[places_[id].resource].vocabularies; }

  /// The schema `schema`, which the text at `id` is short for; the same place for every call.
  PlaceId expand(PlaceId id, Json schema);

  /// JSON pointer, after "URI#" outside the main document; into the document before any translation.
  std::string pointer(PlaceId id) const;
  std::string pointer(PlaceId id, std::string_view keyword) const;

  /// The same into the document that was added.
  std::string actual_pointer(PlaceId id) const;

  /// An Error that says where in the schema it is.
  [[nodiscard]] Error error(std::error_code code, PlaceId id, std::string_view keyword, std::string_view message) const;
  [[nodiscard]] Error invalid(PlaceId id, std::string_view keyword, std::string_view message) const;

 private:
  struct Document {
    std::string uri;
    PlaceId root;
    bool translated;
    bool known_to_all;
  };
  struct Resource {
    Uri base;
    PlaceId root;
    Vocabularies vocabularies = kStandardVocabularies;
    Anchors anchors, dynamic_anchors;
  };

  PlaceId child(PlaceId parent, const Json& json, std::string_view name, std::uint32_t index);
  PlaceId add(const Json& json, PlaceId parent, std::string_view name, std::uint32_t index);
  std::uint32_t add_resource(PlaceId root, Uri base);
  void scan(PlaceId id, bool standard);
  void scan_held(PlaceId holder, Holds holds, bool standard);
  void scan_names(PlaceId id, const JsonObject& schema);
  void scan_id(PlaceId id, const Json& value);
  void scan_anchor(PlaceId id, std::string_view keyword, const Json& value);
  void scan_dialect(PlaceId id, const Json& value);
  std::uint32_t find_resource(const std::string& uri);
  bool is_translated_schema(PlaceId id) const;
  std::string pointer(PlaceId id, bool as_written) const;
  void append_step(std::string& out, PlaceId parent, std::string_view step, bool as_written) const;
  PlaceId walk_pointer(std::uint32_t resource, std::string_view pointer);
  PlaceId find_in_defs(PlaceId from, const std::string& name);

  std::vector<Place> places_;
  std::unordered_map<const Json*, PlaceId> by_json_;
  std::vector<PlaceId> schemas_;
  std::vector<Document> documents_;
  std::vector<Resource> resources_;
  std::map<std::string, std::uint32_t> resource_by_uri_;
  std::deque<Json> expansions_, meta_schemas_;
  std::size_t scanned_ = 0;  // documents
  std::unordered_map<PlaceId, PlaceId> expansion_of_;
};

}  // namespace alknet::schema
