#include <fmt/format.h>

#include "alknet/schema/compare.h"
#include "alknet/schema/compiler.h"
#include "alknet/schema/error.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

/// The pattern of a kind's strings in the table of kinds, or null.
const Json* find_pattern(const JsonObject& lowered) {
  if (const auto* pattern = lowered.if_contains("pattern")) return pattern;
  const auto* choices = lowered.if_contains("anyOf");
  if (choices == nullptr) return nullptr;
  for (const auto& choice : choices->as_array()) {
    if (const auto* pattern = choice.as_object().if_contains("pattern")) return pattern;
  }
  return nullptr;
}

}  // namespace

/// Checks of a node's kind. The forms of the TypeDef object's other members are checked where nodes are built.
void Compiler::compile_kind() {
  auto& table = lowered_by_kind_;
  auto known = table.find(type_.kind);
  if (known == table.end()) known = table.emplace(type_.kind, parse_json(info(type_.kind).lowered)).first;
  lowered_ = &known->second.as_object();
  const Json& value = schema_->at(type_.keyword);

  const auto simple = [&](Op op) -> Instruction& {
    auto& instruction = emit(op, type_.keyword, value);
    instruction.kind = type_.kind;
    return instruction;
  };
  switch (info(type_.kind).form) {
    case KindForm::kNone: return;
    case KindForm::kStruct: return struct_kind(value);
    case KindForm::kUnion: return union_kind(value);
    case KindForm::kBlob: return blob_kind(value);
    case KindForm::kArray: simple(Op::kArrayKind); return;
    case KindForm::kTensor: simple(Op::kTensorKind); return;
    case KindForm::kBoolean:
    case KindForm::kEnum: simple(Op::kScalarKind); return;
    case KindForm::kInteger:
    case KindForm::kFloat: {
      const auto* pattern = find_pattern(*lowered_);
      const auto regex = pattern == nullptr ? kNone : add_regex(pattern->get_string(), type_.keyword);
      simple(Op::kScalarKind).first = regex;
      return;
    }
    case KindForm::kText: {
      if (type_.kind == Kind::kJson) return;
      const auto* pattern = find_pattern(*lowered_);
      const auto regex = pattern == nullptr ? kNone : add_regex(pattern->get_string(), type_.keyword);
      auto& instruction = simple(Op::kTextKind);
      instruction.first = regex;
      instruction.number = UINT64_MAX;
      const auto* most = type_.object == nullptr ? nullptr : type_.object->if_contains("maxBytes");
      const auto bytes = most == nullptr ? std::nullopt : as_count(*most);
      if (bytes) instruction.number = max_text_length(type_.kind, *bytes);
      return;
    }
    case KindForm::kRecord: {
      if (type_.object == nullptr || !type_.object->contains("values")) {
        throw invalid(type_.keyword, "needs `values`, the schema of its members");
      }
      for (const std::string_view keyword : {"properties", "patternProperties"}) {
        const auto* members = schema_->if_contains(keyword);  // TypeBox writes an empty `properties`
        if (members == nullptr || (members->is_object() && members->get_object().empty())) continue;
        throw invalid(keyword, "a Record has `values` only");
      }
      const PlaceId values = held_schema(places_, place_, type_, "values");
      const auto first = add_target(block_for(values, {}));
      auto& instruction = simple(Op::kRecordKind);
      instruction.first = first;
      instruction.count = 1;
      return;
    }
  }
}

void Compiler::struct_kind(const Json& value) {
  const auto* properties = schema_->if_contains("properties");
  if (properties == nullptr || !properties->is_object() || properties->get_object().empty()) {
    throw invalid(type_.keyword, "a Struct needs at least one member in `properties`");
  }
  auto& instruction = emit(Op::kStructKind, type_.keyword, value);
  instruction.kind = type_.kind;
  instruction.names = &properties->get_object();
  instruction.extra = discriminator_;
  if (!discriminator_.empty() && properties->get_object().contains(discriminator_)) {
    throw invalid("properties", fmt::format("a variant does not declare the discriminator \"{}\"", discriminator_));
  }
}

void Compiler::union_kind(const Json& value) {
  const auto* mapping = type_.object == nullptr ? nullptr : type_.object->if_contains("mapping");
  const auto* discriminator = type_.object == nullptr ? nullptr : type_.object->if_contains("discriminator");
  if (mapping == nullptr || !mapping->is_object() || mapping->get_object().empty()) {
    throw invalid(type_.keyword, "needs `mapping`, an object from tag to Struct");
  }
  if (discriminator == nullptr || !discriminator->is_string() || discriminator->get_string().empty()) {
    throw invalid(type_.keyword, "needs `discriminator`, the name of the property that holds the tag");
  }
  const std::string_view tag_name = discriminator->get_string();
  const PlaceId holder = places_.child(places_.child(place_, type_.keyword), std::string_view("mapping"));
  const auto first = static_cast<std::uint32_t>(program_.targets.size());
  for (const auto& [tag, variant] : mapping->get_object()) {
    add_target(block_for(places_.child(holder, std::string_view(tag)), tag_name));
  }
  auto& instruction = emit(Op::kUnionKind, type_.keyword, value);
  instruction.kind = type_.kind;
  instruction.first = first;
  instruction.count = static_cast<std::uint32_t>(mapping->get_object().size());
  instruction.names = &mapping->get_object();
  instruction.extra = tag_name;
}

/// The instance of a Blob is its item; that of a ragged array (an item of fixed size) is an array of items.
void Compiler::blob_kind(const Json& value) {
  const auto* item = type_.object == nullptr ? nullptr : type_.object->if_contains("item");
  if (item == nullptr) throw invalid(type_.keyword, "needs `item`: String, Bytes, Json or a kind of fixed size");
  const PlaceId place = held_schema(places_, place_, type_, "item");
  const bool ragged = is_ragged_item(kind_at(places_, place));
  const auto first = add_target(block_for(place, {}));
  auto& instruction = emit(Op::kBlobKind, type_.keyword, value);
  instruction.kind = type_.kind;
  instruction.first = first;
  instruction.count = 1;
  instruction.number = ragged ? 1 : 0;
}

}  // namespace alknet::schema
