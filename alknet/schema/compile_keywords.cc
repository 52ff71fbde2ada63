#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "alknet/schema/compare.h"
#include "alknet/schema/compiler.h"
#include "alknet/schema/error.h"
#include "alknet/schema/formats.h"
#include "alknet/schema/name_table.h"

namespace alknet::schema {

const Compiler::Rule* Compiler::find_rule(std::string_view keyword) {
  using C = Compiler;
  // Op::kCount: the keyword is checked for its form only.
  static constexpr std::array<Rule, 47> kRules = {{
      {"$comment", Op::kCount, &C::text},
      {"$dynamicRef", Op::kDynamicRef, &C::dynamic_reference},
      {"$ref", Op::kRef, &C::reference},
      {"$vocabulary", Op::kCount, &C::vocabulary},
      {"additionalProperties", Op::kAdditionalProperties, &C::additional_properties},
      {"allOf", Op::kAllOf, &C::schema_list},
      {"anyOf", Op::kAnyOf, &C::schema_list},
      {"const", Op::kConst, &C::constant},
      {"contains", Op::kContains, &C::contains},
      {"contentEncoding", Op::kCount, &C::text},
      {"contentMediaType", Op::kCount, &C::text},
      {"dependentRequired", Op::kDependentRequired, &C::dependent_required},
      {"dependentSchemas", Op::kDependentSchemas, &C::schema_map},
      {"deprecated", Op::kCount, &C::flag},
      {"description", Op::kCount, &C::text},
      {"enum", Op::kEnum, &C::enumeration},
      {"exclusiveMaximum", Op::kExclusiveMaximum, &C::number},
      {"exclusiveMinimum", Op::kExclusiveMinimum, &C::number},
      {"format", Op::kFormat, &C::format},
      {"if", Op::kIf, &C::condition},
      {"items", Op::kItems, &C::items},
      {"maxContains", Op::kCount, &C::count},
      {"maxItems", Op::kMaxItems, &C::count},
      {"maxLength", Op::kMaxLength, &C::count},
      {"maxProperties", Op::kMaxProperties, &C::count},
      {"maximum", Op::kMaximum, &C::number},
      {"minContains", Op::kCount, &C::count},
      {"minItems", Op::kMinItems, &C::count},
      {"minLength", Op::kMinLength, &C::count},
      {"minProperties", Op::kMinProperties, &C::count},
      {"minimum", Op::kMinimum, &C::number},
      {"multipleOf", Op::kMultipleOf, &C::number},
      {"not", Op::kNot, &C::schema},
      {"oneOf", Op::kOneOf, &C::schema_list},
      {"pattern", Op::kPattern, &C::pattern},
      {"patternProperties", Op::kPatternProperties, &C::pattern_properties},
      {"prefixItems", Op::kPrefixItems, &C::schema_list},
      {"properties", Op::kProperties, &C::schema_map},
      {"propertyNames", Op::kPropertyNames, &C::schema},
      {"readOnly", Op::kCount, &C::flag},
      {"required", Op::kRequired, &C::names},
      {"title", Op::kCount, &C::text},
      {"type", Op::kType, &C::type},
      {"unevaluatedItems", Op::kUnevaluatedItems, &C::unevaluated},
      {"unevaluatedProperties", Op::kUnevaluatedProperties, &C::unevaluated},
      {"uniqueItems", Op::kUniqueItems, &C::unique_items},
      {"writeOnly", Op::kCount, &C::flag},
  }};
  static const NameTable kByName = NameTable::of(kRules);
  const auto row = kByName.find(keyword);
  return row == NameTable::kNotFound ? nullptr : &kRules[row];
}

void Compiler::text(const Rule& rule, const Json& value) {
  if (!value.is_string()) throw invalid(rule.name, "must be a string");
}

void Compiler::flag(const Rule& rule, const Json& value) {
  if (!value.is_bool()) throw invalid(rule.name, "must be true or false");
}

void Compiler::vocabulary(const Rule& rule, const Json& value) {
  const auto* map = value.if_object();
  const bool formed =
      map != nullptr && std::all_of(map->begin(), map->end(), [](const auto& it) { return it.value().is_bool(); });
  if (!formed) throw invalid(rule.name, "must be an object whose members are true or false");
}

void Compiler::type(const Rule& rule, const Json& value) {
  std::uint64_t mask = 0;
  const auto add = [&](const Json& name) {
    const auto bit = name.is_string() ? type_bit(name.get_string()) : 0;
    if (bit == 0) throw invalid(rule.name, fmt::format("must be one of {}", type_names(~std::uint64_t{0})));
    if ((mask & bit) != 0) throw invalid(rule.name, "names a type twice");
    mask |= bit;
  };
  if (const auto* list = value.if_array()) {
    if (list->empty()) throw invalid(rule.name, "names no type");
    for (const auto& name : *list) add(name);
  } else {
    add(value);
  }
  emit(rule.op, rule.name, value).number = mask;
}

void Compiler::enumeration(const Rule& rule, const Json& value) {
  const auto* list = value.if_array();
  if (list == nullptr) throw invalid(rule.name, "must be an array");
  auto& values = program_.values;
  const auto first = values.size();
  for (const auto& item : *list) values.push_back(&item);
  std::sort(values.begin() + static_cast<std::ptrdiff_t>(first), values.end(),
            [](const Json* a, const Json* b) { return compare_json(*a, *b) < 0; });
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = static_cast<std::uint32_t>(first);
  instruction.count = static_cast<std::uint32_t>(list->size());
}

void Compiler::constant(const Rule& rule, const Json& value) { emit(rule.op, rule.name, value); }

void Compiler::number(const Rule& rule, const Json& value) {
  if (!value.is_number()) throw invalid(rule.name, "must be a number");
  if (rule.op == Op::kMultipleOf && !(compare_numbers(value, Json(0)) > 0)) throw invalid(rule.name, "must be above 0");
  emit(rule.op, rule.name, value);
}

void Compiler::count(const Rule& rule, const Json& value) {
  const auto limit = as_count(value);
  if (!limit) throw invalid(rule.name, "must be an integer of at least 0");
  if (rule.op != Op::kCount) emit(rule.op, rule.name, value).number = *limit;
}

void Compiler::pattern(const Rule& rule, const Json& value) {
  if (!value.is_string()) throw invalid(rule.name, "must be a string");
  const auto regex = add_regex(value.get_string(), rule.name);
  emit(rule.op, rule.name, value).first = regex;
}

void Compiler::unique_items(const Rule& rule, const Json& value) {
  flag(rule, value);
  if (value.get_bool()) emit(rule.op, rule.name, value);
}

void Compiler::names(const Rule& rule, const Json& value) {
  const auto* list = value.if_array();
  if (list == nullptr) throw invalid(rule.name, "must be an array of names");
  std::vector<std::string_view> names;
  names.reserve(list->size());
  for (const auto& name : *list) {
    if (!name.is_string()) throw invalid(rule.name, "must be an array of names");
    names.emplace_back(name.get_string());
  }
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
    throw invalid(rule.name, fmt::format("names \"{}\" twice", *twice));
  }
  if (rule.op != Op::kCount) emit(rule.op, rule.name, value);
}

void Compiler::dependent_required(const Rule& rule, const Json& value) {
  const auto* map = value.if_object();
  if (map == nullptr) throw invalid(rule.name, "must be an object whose members are arrays of names");
  const Rule member{rule.name, Op::kCount, nullptr};
  for (const auto& entry : *map) names(member, entry.value());
  emit(rule.op, rule.name, value);
}

void Compiler::schema(const Rule& rule, const Json& value) {
  const auto block = add_target(block_for(places_.child(place_, rule.name), {}));
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = block;
  instruction.count = 1;
}

void Compiler::schema_list(const Rule& rule, const Json& value) {
  const auto& list = value.as_array();
  const PlaceId holder = places_.child(place_, rule.name);
  const auto first = static_cast<std::uint32_t>(program_.targets.size());
  for (std::uint32_t i = 0; i < list.size(); ++i) add_target(block_for(places_.child(holder, i), {}));
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = first;
  instruction.count = static_cast<std::uint32_t>(list.size());
}

void Compiler::schema_map(const Rule& rule, const Json& value) {
  const auto& map = value.as_object();
  const PlaceId holder = places_.child(place_, rule.name);
  const auto first = static_cast<std::uint32_t>(program_.targets.size());
  for (const auto& member : map) add_target(block_for(places_.child(holder, member), {}));
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = first;
  instruction.count = static_cast<std::uint32_t>(map.size());
  instruction.names = &map;
}

void Compiler::pattern_properties(const Rule& rule, const Json& value) {
  const bool named = type_.kind == Kind::kStruct || type_.kind == Kind::kRecord;
  if (named) throw invalid(rule.name, fmt::format("a {} has no patternProperties", name(type_.kind)));
  const auto& map = value.as_object();
  const PlaceId holder = places_.child(place_, rule.name);
  std::vector<std::uint32_t> regexes;
  for (const auto& [key, member] : map) regexes.push_back(add_regex(key, rule.name));
  const auto first = static_cast<std::uint32_t>(program_.targets.size());
  for (const auto& member : map) add_target(block_for(places_.child(holder, member), {}));
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = first;
  instruction.count = static_cast<std::uint32_t>(map.size());
  instruction.number = program_.targets.size();
  program_.targets.insert(program_.targets.end(), regexes.begin(), regexes.end());
}

/// `number`: where the regexes of patternProperties are in the targets, `number2`: how many.
void Compiler::additional_properties(const Rule& rule, const Json& value) {
  std::vector<std::uint32_t> regexes;
  const auto* patterns = schema_->if_contains("patternProperties");
  if (patterns != nullptr) {
    for (const auto& entry : patterns->as_object()) regexes.push_back(add_regex(entry.key(), "patternProperties"));
  }
  schema(rule, value);
  auto& instruction = program_.instructions.back();
  if (const auto* properties = schema_->if_contains("properties")) instruction.names = &properties->as_object();
  instruction.number = program_.targets.size();
  instruction.number2 = regexes.size();
  program_.targets.insert(program_.targets.end(), regexes.begin(), regexes.end());
}

/// `number`: how many items prefixItems takes away.
void Compiler::items(const Rule& rule, const Json& value) {
  schema(rule, value);
  const auto* prefix = schema_->if_contains("prefixItems");
  program_.instructions.back().number = prefix == nullptr ? 0 : prefix->as_array().size();
}

/// `number` and `number2`: minContains and maxContains.
void Compiler::contains(const Rule& rule, const Json& value) {
  schema(rule, value);
  auto& instruction = program_.instructions.back();
  const auto limit = [&](std::string_view keyword, std::uint64_t otherwise) {
    const auto* given = places_.keyword(place_, keyword) == nullptr ? nullptr : schema_->if_contains(keyword);
    return given == nullptr ? otherwise : as_count(*given).value_or(otherwise);
  };
  instruction.number = limit("minContains", 1);
  instruction.number2 = limit("maxContains", UINT64_MAX);
}

/// Three targets: if, then, else; kNone for a missing one.
void Compiler::condition(const Rule& rule, const Json& value) {
  const auto first = static_cast<std::uint32_t>(program_.targets.size());
  for (const std::string_view keyword : {"if", "then", "else"}) {
    add_target(schema_->contains(keyword) ? block_for(places_.child(place_, keyword), {}) : kNone);
  }
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = first;
  instruction.count = 3;
}

void Compiler::reference(const Rule& rule, const Json& value) {
  if (!value.is_string()) throw invalid(rule.name, "must be a string");
  const PlaceId target = places_.resolve(place_, value.get_string(), rule.name);
  const auto first = add_target(block_for(target, discriminator_));
  auto& instruction = emit(rule.op, rule.name, value);
  instruction.first = first;
  instruction.count = 1;
}

/// `number`: of the anchor's name. One that leads to no $dynamicAnchor is a plain reference.
void Compiler::dynamic_reference(const Rule& rule, const Json& value) {
  reference(rule, value);
  auto& instruction = program_.instructions.back();
  const PlaceId target = places_.resolve(place_, value.get_string(), rule.name);
  const auto anchor = places_.dynamic_anchor(target, value.get_string());
  if (anchor.empty()) {
    instruction.op = Op::kRef;
    return;
  }
  const auto number = static_cast<std::uint32_t>(dynamic_names_.size());
  instruction.number = dynamic_names_.emplace(anchor, number).first->second;
}

/// `number`: the block that it is in.
void Compiler::unevaluated(const Rule& rule, const Json& value) {
  schema(rule, value);
  program_.instructions.back().number = block_;
}

/// `number`: of the format in the table of formats.
void Compiler::format(const Rule& rule, const Json& value) {
  text(rule, value);
  const bool required = (places_.vocabularies(place_) & kFormatAssertion) != 0;
  if (!required && !assert_formats_) return;
  const auto known = find_format(value.get_string());
  if (known) {
    emit(rule.op, rule.name, value).number = *known;
  } else if (required) {
    throw places_.error(BaseError::kUnsupported, place_, rule.name,
                        fmt::format("the format \"{}\" cannot be checked, but the vocabulary requires it",
                                    std::string_view(value.get_string())));
  }
}

}  // namespace alknet::schema
