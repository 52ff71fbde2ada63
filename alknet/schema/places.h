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
  /// Adds a document and scans it. The first one is the main document. Throws `schema_invalid`, `schema_too_large`.
  PlaceId add_document(const Json& document, const std::string& uri);

  const Place& at(PlaceId id) const { return places_[id]; }
  PlaceId root() const { return documents_.front().root; }

  /// Every schema found so far, in document order.
  const std::vector<PlaceId>& schemas() const { return schemas_; }

  /// The place of a member or an element, made when it is not known yet; it must exist.
  PlaceId child(PlaceId parent, std::string_view name);
  PlaceId child(PlaceId parent, std::uint32_t index);

  /// The schema that a `$ref` in the schema at `from` names. Throws `schema_invalid` when nothing has that name.
  PlaceId resolve(PlaceId from, std::string_view reference);

  /// The schema `schema`, which the text at `id` is short for; the same place for every call.
  PlaceId expand(PlaceId id, Json schema);

  /// JSON pointer, after "URI#" outside the main document.
  std::string pointer(PlaceId id) const;
  std::string pointer(PlaceId id, std::string_view keyword) const;

  /// An Error that says where in the schema it is.
  [[nodiscard]] Error error(std::error_code code, PlaceId id, std::string_view keyword, std::string_view message) const;
  [[nodiscard]] Error invalid(PlaceId id, std::string_view keyword, std::string_view message) const;

 private:
  struct Document {
    std::string uri;
    PlaceId root;
  };
  struct Resource {
    Uri base;
    PlaceId root;
    std::map<std::string, PlaceId, std::less<>> anchors;
  };

  PlaceId add(const Json& json, PlaceId parent, std::string_view name, std::uint32_t index);
  std::uint32_t add_resource(PlaceId root, Uri base);
  void scan(PlaceId id, bool standard);
  void scan_held(PlaceId holder, Holds holds, bool standard);
  void scan_names(PlaceId id, const JsonObject& schema);
  PlaceId walk_pointer(PlaceId from, std::uint32_t resource, std::string_view pointer);
  PlaceId find_in_defs(PlaceId from, const std::string& name);

  std::vector<Place> places_;
  std::unordered_map<const Json*, PlaceId> by_json_;
  std::vector<PlaceId> schemas_;
  std::vector<Document> documents_;
  std::vector<Resource> resources_;
  std::map<std::string, std::uint32_t> resource_by_uri_;
  std::deque<Json> expansions_;
  std::unordered_map<PlaceId, PlaceId> expansion_of_;
};

}  // namespace alknet::schema
