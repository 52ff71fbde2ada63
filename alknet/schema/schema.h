#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/error.h"
#include "alknet/schema/node.h"

namespace alknet::schema {

constexpr std::size_t kMaxSchemaText = std::size_t{32} << 20;    ///< bytes
constexpr std::size_t kMaxSchemaDepth = 64;                      ///< nesting of the text
constexpr std::size_t kMaxPatternText = std::size_t{64} << 10;   ///< bytes
constexpr std::size_t kMaxPatternMemory = std::size_t{8} << 20;  ///< bytes RE2 may use for one pattern
constexpr std::size_t kMaxPatterns = 1'024;      ///< distinct ones of a schema; beyond the first 64, each may use 1 MiB
constexpr std::size_t kMaxEvaluationDepth = 64;  ///< references that one value may be inside of

/// A document that `$ref` may name by URI. Nothing is ever fetched.
struct RegisteredSchema {
  std::string uri;
  Json document;
};

/// A version of JSON Schema.
enum class Draft : std::uint8_t { k6, k7, k202012 };

struct SchemaOptions {
  std::vector<RegisteredSchema> registered;

  /// How a document is read whose `$schema` does not say it.
  Draft draft = Draft::k202012;

  /// Whether `format` is checked; otherwise it is an annotation. Formats not in formats.h stay annotations.
  bool assert_formats = false;
};

/// One reason why an instance does not conform.
struct ValidationError {
  std::string instance_path;  ///< JSON pointer into the instance, "" for the whole
  std::string schema_path;    ///< JSON pointer of the keyword; after "URI#" when it is in a registered document
  std::string message;
};

struct ValidateOptions {
  /// The list stops here (a last error says so), so that a hostile instance cannot fill the memory.
  std::size_t max_errors = 10'000;
};

/// A compiled JSON Schema 2020-12 document with `TypeDef:*` kinds. Immutable, cheap to copy (copies share), safe to use
/// from several threads.
///
/// `$schema` chooses the dialect of a document: 2020-12, draft 7, draft 6 (both read through a translation), or a
/// registered meta-schema, whose `$vocabulary` says which keywords have a meaning. The standard's own meta-schemas need
/// no registration. `contentEncoding`, `contentMediaType` and `contentSchema` are annotations.
class Schema {
 public:
  /// Parses and compiles `text`. Throws `schema_too_large`, `schema_too_deep`, `schema_invalid` (also for text that is
  /// not JSON, duplicate keys, a reference that resolves to nothing), `bad_order`, `pattern_too_large`,
  /// `pattern_unsupported`, `unsupported`; details has `pointer` (or `byte` when the text is not JSON).
  static Schema parse(std::string_view text, const SchemaOptions& options = {});

  /// The same from a JSON value.
  static Schema from_json(Json document, const SchemaOptions& options = {});

  /// The document as given; its members are in order.
  const Json& document() const;

  /// The structure; lives as long as any copy of this Schema. A schema without kinds has a root of Kind::kNone.
  const Node& root() const;

  Endian endian() const { return root().endian; }

  /// All reasons why `instance` does not conform; empty when it does.
  std::vector<ValidationError> validate(const Json& instance, const ValidateOptions& options = {}) const;

  /// The same for an instance of `part`, one of this schema's nodes: a record of a file, say.
  std::vector<ValidationError> validate(const Node& part, const Json& instance,
                                        const ValidateOptions& options = {}) const;

  /// The verdict alone; stops at the first reason.
  bool is_valid(const Json& instance) const;

  /// The same schema in standard keywords only: any 2020-12 validator gives the same verdict with it. References to
  /// registered documents become `$defs`. Throws `unsupported` when a `$dynamicRef` may lead to more than one schema,
  /// or a vocabulary asserts a `format`.
  Json lowered() const;
  Schema lower() const;

 private:
  struct State;
  explicit Schema(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace alknet::schema
