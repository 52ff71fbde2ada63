#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"

namespace alknet::net {

/// The place `pointer`, a JSON pointer or the fragment of a reference ("#/a/b"), of a document. Null when there is
/// none.
const Json* find_place(const Json& document, std::string_view pointer);

/// `pointer` with one more step, escaped.
std::string pointer_step(std::string_view pointer, std::string_view step);

/// For whom a schema of an HTTP API is read: requests leave `readOnly` members out, answers `writeOnly` ones.
enum class SchemaSide { kRequest, kAnswer };

/// What the importers of one document share: the document, notes for its reader, and a budget, so that a small document
/// cannot make endless schemas.
struct ImportWork {
  const Json& document;
  bool openapi_3_0 = false;               ///< the schemas are those of OpenAPI 3.0, not of JSON Schema
  std::size_t schema_nodes = 20'000'000;  ///< how many more may be written
  std::set<std::string> notes = {};       ///< what was left out, each once

  void note(std::string text);
  void spend(std::size_t nodes);
};

/// Makes self-contained JSON Schema 2020-12 documents of the schemas in an OpenAPI document or an MCP tool: references
/// into the document become `$defs`, what OpenAPI 3.0 and older drafts say otherwise is translated, and what is no
/// keyword (or a keyword that is malformed, or a pattern that cannot run in linear time) is left out with a note. So
/// foreign documents cannot name `TypeDef:*` kinds.
class SchemaTranslator {
 public:
  /// The work must outlive the translator. One translator makes one document.
  SchemaTranslator(ImportWork& work, SchemaSide side) : work_(work), side_(side) {}

  /// The schema at `pointer`. Throws `schema_parse` with details `pointer` for references that lead nowhere or out of
  /// the document, and for what is no schema.
  Json translate(const Json& schema, const std::string& pointer);

  /// Completes what the translated schemas refer to: `root` with `$defs`.
  Json finish(Json root);

 private:
  static constexpr std::size_t kMaxDefinitions = 3'000;

  Json translate_object(const JsonObject& schema, const std::string& pointer);
  void translate_keyword(const JsonObject& schema, std::string_view name, const Json& value, JsonObject& out,
                         const std::string& pointer);
  std::string reference(const Json& target, const std::string& pointer);
  void apply_nullable(const JsonObject& schema, JsonObject& out) const;
  void relax_required(const JsonObject& schema, JsonObject& out) const;

  ImportWork& work_;
  SchemaSide side_;
  std::map<std::string, std::string> names_;  // pointer in the source -> name in $defs
  std::set<std::string> used_names_;
  std::deque<std::string> pending_;
  JsonObject definitions_;
};

}  // namespace alknet::net
