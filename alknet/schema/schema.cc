#include "alknet/schema/schema.h"

#include <fmt/format.h>

#include <list>

#include "alknet/schema/drafts.h"
#include "alknet/schema/lower.h"
#include "alknet/schema/places.h"
#include "alknet/schema/program.h"
#include "alknet/schema/structure.h"
#include "alknet/schema/validate.h"

namespace alknet::schema {
namespace {

// Lowering wraps kinds in a few levels of standard keywords.
constexpr std::size_t kMaxLoweredDepth = 2 * kMaxSchemaDepth;

/// Throws schema_too_deep; also bounds every later recursion over the document.
void check_depth(const Json& json, std::size_t limit) {
  if (!json.is_structured()) return;
  if (limit == 0) throw Error(SchemaError::kSchemaTooDeep, "schema: nested deeper than 64; move parts to $defs");
  if (const auto* array = json.if_array()) {
    for (const auto& item : *array) check_depth(item, limit - 1);
  } else {
    for (const auto& member : json.get_object()) check_depth(member.value(), limit - 1);
  }
}

/// How a document is to be read: what its `$schema` says, or that of the registered meta-schema which it names.
Draft draft_of(const Json& document, const SchemaOptions& options) {
  const auto named = [](const Json& json) {
    const auto* object = json.if_object();
    const auto* dialect = object == nullptr ? nullptr : object->if_contains("$schema");
    return dialect != nullptr && dialect->is_string() ? std::string_view(dialect->get_string()) : std::string_view();
  };
  const auto dialect = named(document);
  if (dialect.empty()) return options.draft;
  for (const auto& meta : options.registered) {
    if (meta.uri == dialect) return find_draft(named(meta.document)).value_or(Draft::k202012);
  }
  return find_draft(dialect).value_or(Draft::k202012);
}

}  // namespace

struct Schema::State {
  Json document;
  std::list<Json> others;  // registered documents, and translations
  bool assert_formats = false;
  Places places;
  Program program;
  Structure structure;

  BlockId block(PlaceId place) const { return program.block_of_place[place]; }

  void build(const SchemaOptions& options, std::size_t max_depth) {
    assert_formats = options.assert_formats;
    add(document, {}, options, max_depth);
    for (const auto& [uri, registered] : options.registered) {
      add(others.emplace_back(registered), uri, options, max_depth);
    }
    places.scan_documents();
    program = compile(places, assert_formats);
    structure = build_structure(places);
    check_defaults();
  }

  void add(const Json& json, const std::string& uri, const SchemaOptions& options, std::size_t max_depth) {
    check_depth(json, max_depth);
    const auto draft = draft_of(json, options);
    const bool translated = draft != Draft::k202012;
    places.add_document(translated ? others.emplace_back(translate_draft(json, draft)) : json, uri, translated);
  }

  void check_defaults() const {
    for (const auto& node : structure.nodes) {
      for (const auto& property : node.properties) {
        if (property.default_value == nullptr) continue;
        Evaluation evaluation(program, places, true, 1);
        if (evaluation.run(block(property.node->place), *property.default_value)) continue;
        throw places.invalid(node.place, "properties",
                             fmt::format("the default of \"{}\" does not conform to it: {}", property.name,
                                         evaluation.take_errors().front().message));
      }
    }
  }
};

Schema Schema::parse(std::string_view text, const SchemaOptions& options) {
  if (text.size() > kMaxSchemaText) {
    throw Error(SchemaError::kSchemaTooLarge,
                fmt::format("schema: {} bytes of text, at most {} are allowed", text.size(), kMaxSchemaText));
  }
  try {
    return from_json(parse_json(text, {.max_depth = kMaxSchemaDepth, .refuse_duplicate_keys = true}), options);
  } catch (const Error& error) {
    if (error.code().category() != base_category() || error.code() == BaseError::kUnsupported) throw;
    const bool deep = error.code() == BaseError::kJsonTooDeep;
    throw Error(deep ? SchemaError::kSchemaTooDeep : SchemaError::kSchemaInvalid, "schema: " + error.message(),
                error.details());
  }
}

Schema Schema::from_json(Json document, const SchemaOptions& options) {
  auto state = std::make_shared<State>();
  state->document = std::move(document);
  state->build(options, kMaxSchemaDepth);
  return Schema(std::move(state));
}

const Json& Schema::document() const { return state_->document; }

const Node& Schema::root() const { return *state_->structure.root; }

std::vector<ValidationError> Schema::validate(const Json& instance, const ValidateOptions& options) const {
  if (is_valid(instance)) return {};
  Evaluation evaluation(state_->program, state_->places, true, options.max_errors);
  if (evaluation.run(state_->block(state_->places.root()), instance)) return {};
  return evaluation.take_errors();
}

std::vector<ValidationError> Schema::validate(const Node& part, const Json& instance,
                                              const ValidateOptions& options) const {
  Evaluation evaluation(state_->program, state_->places, true, options.max_errors);
  if (evaluation.run(state_->block(part.place), instance)) return {};
  return evaluation.take_errors();
}

bool Schema::is_valid(const Json& instance) const {
  return Evaluation(state_->program, state_->places, false, 0).run(state_->block(state_->places.root()), instance);
}

Json Schema::lowered() const { return lower_document(state_->places); }

Schema Schema::lower() const {
  auto state = std::make_shared<State>();
  state->document = lowered();
  SchemaOptions options;
  options.assert_formats = state_->assert_formats;
  state->build(options, kMaxLoweredDepth);
  return Schema(std::move(state));
}

}  // namespace alknet::schema
