#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/net/import/http_endpoint.h"
#include "alknet/net/import/schema_translator.h"
#include "alknet/net/openapi_import.h"

namespace alknet::net {

/// A value of a document and where it is. Borrows the document.
struct DocumentPlace {
  const Json* value = nullptr;  ///< null: there is none
  std::string pointer;

  explicit operator bool() const { return value != nullptr; }
};

/// Reads an OpenAPI document: follows references, and says where it is malformed (`schema_parse`).
class OpenApiDocument {
 public:
  /// Throws for a document of another version.
  explicit OpenApiDocument(const Json& root);

  const Json& root() const { return root_; }
  DocumentPlace root_place() const { return {&root_, ""}; }
  bool is_3_0() const { return is_3_0_; }

  /// Where `place` leads after its references. Throws for endless and remote ones.
  DocumentPlace follow(DocumentPlace place) const;

  /// A member, followed; nothing when it is absent. Throws unless `place` is an object.
  DocumentPlace member(const DocumentPlace& place, std::string_view name) const;

  /// A member as it is written: its references are not followed. Nothing when it is absent. Throws unless `place` is an
  /// object.
  DocumentPlace written(const DocumentPlace& place, std::string_view name) const;

  /// The members of an object, or nothing when `place` is nothing; references are not followed.
  std::vector<std::pair<std::string, DocumentPlace>> members(const DocumentPlace& place) const;

  /// The items of an array, followed, or nothing when `place` is nothing.
  std::vector<DocumentPlace> items(const DocumentPlace& place) const;

  /// A string member; empty when it is absent.
  std::string text(const DocumentPlace& place, std::string_view name) const;

  /// Whether a member is true.
  bool flag(const DocumentPlace& place, std::string_view name) const;

  [[noreturn]] static void fail(const std::string& pointer, std::string_view what);

 private:
  const Json& root_;
  bool is_3_0_ = false;
};

/// Where the requests of one operation go: scheme, host and first part of the path. `servers` is the nearest array of
/// servers, or nothing. Throws `discovery_failed` when there is none.
std::string server_base(const OpenApiDocument& document, const DocumentPlace& servers, const OpenApiOptions& options);

/// The alternatives of secrets that `security`, an array of requirements, asks for.
std::vector<std::vector<HttpCredential>> security_of(const OpenApiDocument& document, const DocumentPlace& security,
                                                     ImportWork& work);

/// Header fields that a document may not set by a parameter or a key: they frame the message, or have places of their
/// own.
bool is_reserved_header(std::string_view name);

}  // namespace alknet::net
