#include "alknet/net/import/schema_translator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/import/names.h"
#include "alknet/net/import/schema_keywords.h"
#include "alknet/schema/regex.h"

namespace alknet::net {

namespace {

using call::CallError;

[[noreturn]] void malformed(const std::string& pointer, std::string_view what) {
  throw Error(CallError::kSchemaParse, fmt::format("[import] \"{:.300}\" {}", pointer, what),
              JsonObject{{"pointer", pointer}});
}

Json each_once(const JsonArray& names) {
  JsonArray out;
  std::set<std::string_view> seen;
  for (const Json& name : names) {
    if (seen.insert(name.get_string()).second) out.push_back(name);
  }
  return out;
}

bool runs(std::string_view pattern) {
  try {
    const schema::Regex regex(pattern);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::size_t node_count(const Json& value) {
  std::size_t count = 1;
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) count += node_count(member);
  } else if (const auto* array = value.if_array()) {
    for (const Json& item : *array) count += node_count(item);
  }
  return count;
}

/// `text` with its percent escapes undone; malformed ones stay as they are.
std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char small = static_cast<char>(c | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Adds null to what `out` allows.
void allow_null(JsonObject& out) {
  if (auto* type = out.if_contains("type")) {
    if (type->is_string()) *type = JsonArray{*type};
    JsonArray& types = type->get_array();
    if (std::find(types.begin(), types.end(), Json("null")) == types.end()) types.push_back("null");
    if (auto* values = out.if_contains("enum")) {
      JsonArray& array = values->get_array();
      if (std::find(array.begin(), array.end(), Json(nullptr)) == array.end()) array.push_back(nullptr);
    }
    return;
  }
  JsonObject null_type{{"type", "null"}};
  JsonObject either;
  for (const auto* annotation : {"title", "description", "default", "deprecated"}) {
    if (const auto* value = out.if_contains(annotation)) either[annotation] = *value;
    out.erase(annotation);
  }
  if (out.empty()) {
    out = std::move(either);
    return;
  }
  JsonArray alternatives;
  alternatives.emplace_back(std::move(out));
  alternatives.emplace_back(std::move(null_type));
  either["anyOf"] = std::move(alternatives);
  out = std::move(either);
}

}  // namespace

const Json* find_place(const Json& document, std::string_view pointer) {
  boost::system::error_code failed;
  const std::string path = pointer.starts_with('#') ? percent_decoded(pointer.substr(1)) : std::string(pointer);
  const Json* found = document.find_pointer(path, failed);
  return failed ? nullptr : found;
}

std::string pointer_step(std::string_view pointer, std::string_view step) {
  std::string path = std::string(pointer) + '/';
  for (const char c : step) path += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return path;
}

void ImportWork::note(std::string text) {
  constexpr std::size_t kMaxNotes = 200;
  if (notes.size() < kMaxNotes) notes.insert(std::move(text));
}

void ImportWork::spend(std::size_t nodes) {
  if (nodes > schema_nodes) {
    throw Error(CallError::kSchemaParse,
                "[import] the schemas of this document, with what they refer to, are too large together");
  }
  schema_nodes -= nodes;
}

Json SchemaTranslator::translate(const Json& schema, const std::string& pointer) {
  work_.spend(1);
  if (schema.is_bool()) return schema;
  if (!schema.is_object()) malformed(pointer, "must be a schema: an object or a boolean");
  return translate_object(schema.get_object(), pointer);
}

Json SchemaTranslator::translate_object(const JsonObject& schema, const std::string& pointer) {
  JsonObject out;
  if (const auto* target = schema.if_contains("$ref")) {
    out["$ref"] = reference(*target, pointer);
    if (work_.openapi_3_0) return out;  // there, what stands beside a reference means nothing
  }
  for (const auto& [name, value] : schema) translate_keyword(schema, name, value, out, pointer);
  apply_nullable(schema, out);
  relax_required(schema, out);
  return out;
}

void SchemaTranslator::translate_keyword(const JsonObject& schema, std::string_view name, const Json& value,
                                         JsonObject& out, const std::string& pointer) {
  const auto say = [&](std::string_view what) { work_.note(fmt::format("{}: {}", pointer_step(pointer, name), what)); };
  if (name == "example") {
    if (!schema.contains("examples")) out["examples"] = JsonArray{value};
    return;
  }
  if (name == "exclusiveMinimum" || name == "exclusiveMaximum") {
    const std::string_view bound = name == "exclusiveMinimum" ? "minimum" : "maximum";
    if (value.is_bool()) {  // OpenAPI 3.0 and draft 4: a flag beside the bound
      const auto* limit = schema.if_contains(bound);
      if (value.get_bool() && limit != nullptr && limit->is_number()) out[name] = *limit;
      return;
    }
  }
  if (name == "minimum" || name == "maximum") {
    const auto* exclusive = schema.if_contains(name == "minimum" ? "exclusiveMinimum" : "exclusiveMaximum");
    if (exclusive != nullptr && exclusive->is_bool() && exclusive->get_bool()) return;
  }
  if (name == "items" && value.is_array()) {  // drafts before 2020-12
    translate_keyword(schema, "prefixItems", value, out, pointer);
    return;
  }
  if (is_untranslated(name)) {
    say("this keyword is not read; the schema allows more than the document does");
    return;
  }
  const Keyword* found = find_keyword(name);
  if (found == nullptr) return;
  if (!has_form(value, found->form)) {
    say("the keyword is malformed and was left out");
    return;
  }
  const std::string path = pointer_step(pointer, name);
  switch (found->form) {
    case KeywordForm::kAny:
    case KeywordForm::kArray:
      work_.spend(node_count(value));
      out[name] = value;
      break;
    case KeywordForm::kText:
    case KeywordForm::kNumber:
    case KeywordForm::kCount:
    case KeywordForm::kFlag: out[name] = value; break;
    case KeywordForm::kTypes: out[name] = value.is_array() ? each_once(value.get_array()) : value; break;
    case KeywordForm::kNames: out[name] = each_once(value.get_array()); break;
    case KeywordForm::kNameSets: {
      JsonObject sets;
      for (const auto& [key, names] : value.get_object()) sets[key] = each_once(names.get_array());
      out[name] = std::move(sets);
      break;
    }
    case KeywordForm::kPattern:
      if (runs(value.get_string())) {
        out[name] = value;
      } else {
        say("the pattern cannot run in linear time (look-around, back-references) and was left out");
      }
      break;
    case KeywordForm::kSchema: out[name] = translate(value, path); break;
    case KeywordForm::kSchemas: {
      JsonArray schemas;
      for (std::size_t i = 0; i < value.get_array().size(); ++i) {
        schemas.push_back(translate(value.get_array()[i], pointer_step(path, std::to_string(i))));
      }
      out[name] = std::move(schemas);
      break;
    }
    case KeywordForm::kSchemaMap:
    case KeywordForm::kPatternSchemas: {
      JsonObject schemas;
      for (const auto& [key, member] : value.get_object()) {
        if (found->form == KeywordForm::kPatternSchemas && !runs(key)) {
          say("a pattern cannot run in linear time; its members may be anything");
          continue;
        }
        schemas[key] = translate(member, pointer_step(path, key));
      }
      out[name] = std::move(schemas);
      break;
    }
  }
}

void SchemaTranslator::apply_nullable(const JsonObject& schema, JsonObject& out) const {
  const auto* nullable = schema.if_contains("nullable");
  if (nullable != nullptr && *nullable == Json(true)) allow_null(out);
}

void SchemaTranslator::relax_required(const JsonObject& schema, JsonObject& out) const {
  auto* required = out.if_contains("required");
  const auto* properties = schema.if_contains("properties");
  if (required == nullptr || properties == nullptr || !properties->is_object()) return;
  const std::string_view other_side = side_ == SchemaSide::kRequest ? "readOnly" : "writeOnly";
  const auto left_out = [&](const Json& name) {
    const Json* property = properties->get_object().if_contains(name.get_string());
    for (int steps = 0; steps < 8 && property != nullptr && property->is_object(); ++steps) {
      const auto* flag = property->get_object().if_contains(other_side);
      if (flag != nullptr && *flag == Json(true)) return true;
      const auto* target = property->get_object().if_contains("$ref");
      property = target != nullptr && target->is_string() ? find_place(work_.document, target->get_string()) : nullptr;
    }
    return false;
  };
  JsonArray kept;
  for (const Json& name : required->get_array()) {
    if (!left_out(name)) kept.push_back(name);
  }
  *required = std::move(kept);
}

std::string SchemaTranslator::reference(const Json& target, const std::string& pointer) {
  if (!target.is_string()) malformed(pointer, "has a `$ref` that is no string");
  const std::string_view text(target.get_string());
  if (!text.starts_with('#')) {
    malformed(pointer, fmt::format("refers to {:.200}, which is not in this document: nothing is fetched; put what it "
                                   "refers to into the document",
                                   text));
  }
  const std::string path = percent_decoded(text.substr(1));
  if (find_place(work_.document, path) == nullptr) {
    malformed(pointer, fmt::format("refers to {:.200}, which does not exist", text));
  }
  const auto known = names_.find(path);
  if (known != names_.end()) return "#/$defs/" + known->second;
  if (names_.size() >= kMaxDefinitions) malformed(pointer, "refers, in the end, to more than 3000 schemas");
  std::string base(path.substr(path.rfind('/') + 1));
  for (char& c : base) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  if (base.empty()) base = "root";
  const std::string name = fresh_name(used_names_, base);
  names_.emplace(path, name);
  pending_.push_back(path);
  return "#/$defs/" + name;
}

Json SchemaTranslator::finish(Json root) {
  while (!pending_.empty()) {
    const std::string path = std::move(pending_.front());
    pending_.pop_front();
    definitions_[names_.at(path)] = translate(*find_place(work_.document, path), path);
  }
  if (definitions_.empty() || !root.is_object()) return root;
  root.get_object()["$defs"] = std::move(definitions_);
  return root;
}

}  // namespace alknet::net
