#include "alknet/schema/schema.h"

#include <fmt/format.h>

#include <list>

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

}  // namespace

struct Schema::State {
  Json document;
  std::list<Json> registered;
  Places places;
  Program program;
  Structure structure;

  BlockId block(PlaceId place) const { return program.block_of_place[place]; }

  void build(const SchemaOptions& options, std::size_t max_depth) {
    check_depth(document, max_depth);
    places.add_document(document, {});
    for (const auto& [uri, text] : options.registered) {
      check_depth(text, max_depth);
      places.add_document(registered.emplace_back(text), uri);
    }
    program = compile(places);
    structure = build_structure(places);
    check_defaults();
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
  state->build({}, kMaxLoweredDepth);
  return Schema(std::move(state));
}

}  // namespace alknet::schema
