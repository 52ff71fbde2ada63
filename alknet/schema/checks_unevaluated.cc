// The keywords unevaluated*. What their neighbours evaluated follows from verdicts: of a schema that holds for a value,
// each `properties` evaluated the members that it names, each alternative that holds what that one evaluates, and so
// on. So nothing is collected while other keywords run; a schema that has an unevaluated* keyword is walked once more.
#include <set>
#include <vector>

#include "alknet/schema/fail.h"

namespace alknet::schema {

/// The members or items of one value that some keyword evaluated.
struct Evaluation::Evaluated {
  explicit Evaluated(std::size_t count) : marks(count, false), left(count) {}

  void mark(std::size_t index) {
    left -= marks[index] ? 0 : 1;
    marks[index] = true;
  }
  void mark_all() { left = 0; }
  bool contains(std::size_t index) const { return left == 0 || marks[index]; }

  std::vector<bool> marks;
  std::size_t left;
  std::set<std::pair<BlockId, std::uint32_t>> visited;  // schemas reached by reference, with their dynamic scope
};

bool Evaluation::unevaluated_items(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  if (array == nullptr || array->empty()) return true;
  Evaluated evaluated(array->size());
  gather(static_cast<BlockId>(at.number), instance, path, evaluated, at.op);
  bool valid = true;
  for (std::size_t i = 0; i < array->size() && !stopped(); ++i) {
    if (evaluated.contains(i)) continue;
    valid = evaluate(program_.targets[at.first], (*array)[i], {&path, {}, i}) && valid;
    if (!valid && !collect_) return false;
  }
  return valid && !stopped();
}

bool Evaluation::unevaluated_properties(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr || object->empty()) return true;
  Evaluated evaluated(object->size());
  gather(static_cast<BlockId>(at.number), instance, path, evaluated, at.op);
  bool valid = true;
  for (std::size_t i = 0; i < object->size() && !stopped(); ++i) {
    if (evaluated.contains(i)) continue;
    const auto& member = object->begin()[i];
    valid = evaluate(program_.targets[at.first], member.value(), {&path, member.key()}) && valid;
    if (!valid && !collect_) return false;
  }
  return valid && !stopped();
}

/// Marks what the schema, which holds for the instance, evaluated. `until`: the keyword that asks.
void Evaluation::gather(BlockId id, const Json& instance, const InstancePath& path, Evaluated& evaluated, Op until) {
  const auto& block = program_.blocks[id];
  const DynamicScope scope(*this, block);
  const auto* instruction = program_.instructions.data() + block.first;
  for (const auto* end = instruction + block.count; instruction != end && instruction->op != until; ++instruction) {
    if (evaluated.left == 0 || stopped()) return;
    gather_keyword(*instruction, instance, path, evaluated);
  }
}

void Evaluation::gather_keyword(const Instruction& at, const Json& instance, const InstancePath& path,
                                Evaluated& evaluated) {
  const auto target = [&](std::uint32_t i) { return program_.targets[at.first + i]; };
  const auto follow = [&](BlockId block) { gather(block, instance, path, evaluated, Op::kCount); };
  switch (at.op) {
    case Op::kAdditionalProperties:
    case Op::kUnevaluatedProperties:
    case Op::kStructKind:
    case Op::kRecordKind:
    case Op::kUnionKind:
      if (instance.is_object()) evaluated.mark_all();
      return;
    case Op::kItems:
    case Op::kUnevaluatedItems:
      if (instance.is_array()) evaluated.mark_all();
      return;
    case Op::kProperties:
    case Op::kPatternProperties:
    case Op::kTensorKind: return gather_members(at, instance, evaluated);
    case Op::kPrefixItems:
    case Op::kContains: return gather_items(at, instance, path, evaluated);
    case Op::kAllOf:
      for (std::uint32_t i = 0; i < at.count; ++i) follow(target(i));
      return;
    case Op::kAnyOf:
    case Op::kOneOf:
      for (std::uint32_t i = 0; i < at.count && !stopped(); ++i) {
        if (decide(at, target(i), instance, path)) follow(target(i));
      }
      return;
    case Op::kIf: {
      const bool holds = decide(at, target(0), instance, path);
      if (holds) follow(target(0));
      if (const BlockId branch = target(holds ? 1 : 2); branch != kNone) follow(branch);
      return;
    }
    case Op::kDependentSchemas:
      if (!instance.is_object()) return;
      for (std::uint32_t i = 0; i < at.count; ++i) {
        if (instance.get_object().contains((at.names->begin() + i)->key())) follow(target(i));
      }
      return;
    case Op::kBlobKind:
      if (at.number == 0) return follow(target(0));
      evaluated.mark_all();
      return;
    case Op::kRef:
    case Op::kDynamicRef: {
      const BlockId block = referred(at);
      if (evaluated.visited.emplace(block, scope_).second) follow(block);
      return;
    }
    default: return;
  }
}

void Evaluation::gather_members(const Instruction& at, const Json& instance, Evaluated& evaluated) {
  static constexpr std::string_view kHandle[] = {"$tensor", "dtype", "shape"};
  const auto* object = instance.if_object();
  if (object == nullptr) return;
  const auto mark_member = [&](std::string_view name) {
    const auto* member = object->find(name);
    if (member != object->end()) evaluated.mark(static_cast<std::size_t>(member - object->begin()));
  };
  if (at.op == Op::kTensorKind) {
    for (const auto name : kHandle) mark_member(name);
  } else if (at.op == Op::kProperties && at.names->size() < object->size()) {
    for (const auto& entry : *at.names) mark_member(entry.key());
  } else {
    for (std::size_t i = 0; i < object->size(); ++i) {
      if (evaluated.contains(i)) continue;
      const std::string_view name = object->begin()[i].key();
      const bool known = at.op == Op::kProperties ? at.names->contains(name) : matches_any(at.number, at.count, name);
      if (known) evaluated.mark(i);
    }
  }
}

void Evaluation::gather_items(const Instruction& at, const Json& instance, const InstancePath& path,
                              Evaluated& evaluated) {
  const auto* array = instance.if_array();
  if (array == nullptr) return;
  const bool prefix = at.op == Op::kPrefixItems;
  for (std::size_t i = 0; i < array->size() && !stopped() && (!prefix || i < at.count); ++i) {
    if (evaluated.contains(i)) continue;
    if (prefix || decide(at, program_.targets[at.first], (*array)[i], {&path, {}, i})) evaluated.mark(i);
  }
}

}  // namespace alknet::schema
