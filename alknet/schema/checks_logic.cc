// Checks that combine schemas for the same value, and the kinds that hold others.
#include <fmt/format.h>

#include "alknet/schema/fail.h"

namespace alknet::schema {

bool Evaluation::all_of(const Instruction& at, const Json& instance, const InstancePath& path) {
  bool valid = true;
  for (std::uint32_t i = 0; i < at.count; ++i) {
    valid = evaluate(program_.targets[at.first + i], instance, path) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

/// First for the verdict alone; what each alternative lacks is gathered only when none matches. So nesting adds a pass
/// a level, and never multiplies the work.
bool Evaluation::any_of(const Instruction& at, const Json& instance, const InstancePath& path) {
  for (std::uint32_t i = 0; i < at.count; ++i) {
    if (decide(at, program_.targets[at.first + i], instance, path)) return true;
    if (stopped()) return false;
  }
  return no_alternative(at, instance, path);
}

bool Evaluation::one_of(const Instruction& at, const Json& instance, const InstancePath& path) {
  std::uint32_t first = kNone;
  for (std::uint32_t i = 0; i < at.count; ++i) {
    const bool valid = decide(at, program_.targets[at.first + i], instance, path);
    if (stopped()) return false;
    if (!valid) continue;
    if (first != kNone) {
      return fail(at, path, [&] {
        return fmt::format("{} matches alternatives {} and {}, but exactly one must match", shown(instance), first, i);
      });
    }
    first = i;
  }
  return first != kNone || no_alternative(at, instance, path);
}

bool Evaluation::choice(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* alternative = chosen(program_.choices[at.first], instance);
  return alternative != nullptr && decide(at, alternative->block, instance, path);
}

const Wanted* Evaluation::chosen(const Choice& choice, const Json& instance) {
  const auto* object = instance.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(choice.member);
  if (member == nullptr || !member->is_string()) return nullptr;
  const auto index = choice.texts.find(member->get_string());
  return index == NameTable::kNotFound ? nullptr : &choice.alternatives[index];
}

bool Evaluation::no_alternative(const Instruction& at, const Json& instance, const InstancePath& path) {
  fail(at, path, [&] {
    return fmt::format("{} matches none of {}", shown(instance), counted(at.count, "alternative", "alternatives"));
  });
  for (std::uint32_t i = 0; collect_ && !stopped() && i < at.count; ++i) {
    evaluate(program_.targets[at.first + i], instance, path);
  }
  return false;
}

bool Evaluation::negation(const Instruction& at, const Json& instance, const InstancePath& path) {
  const bool matched = holds(program_.targets[at.first], instance, path);
  if (stopped()) return false;
  if (!matched) return true;
  return fail(at, path, [&] { return fmt::format("{} matches what `not` excludes", shown(instance)); });
}

bool Evaluation::condition(const Instruction& at, const Json& instance, const InstancePath& path) {
  const bool matched = decide(at, program_.targets[at.first], instance, path);
  if (stopped()) return false;
  const BlockId branch = program_.targets[at.first + (matched ? 1 : 2)];
  return branch == kNone || evaluate(branch, instance, path);
}

bool Evaluation::array_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (instance.is_array()) return true;
  return fail(at, path, [&] { return fmt::format("{} is no Array", shown(instance)); });
}

bool Evaluation::struct_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return fail(at, path, [&] { return fmt::format("{} is no Struct", shown(instance)); });
  bool valid = true;
  for (const auto& [name, member] : *object) {
    if (at.names->contains(name) || (!at.extra.empty() && at.extra == name)) continue;
    valid = fail(at, {&path, name}, [] { return std::string("the Struct has no such member"); });
    if (!collect_ || stopped()) return false;
  }
  return valid;
}

bool Evaluation::record_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return fail(at, path, [&] { return fmt::format("{} is no Record", shown(instance)); });
  bool valid = true;
  for (const auto& [name, member] : *object) {
    valid = evaluate(program_.targets[at.first], member, {&path, name}) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

bool Evaluation::union_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return fail(at, path, [&] { return fmt::format("{} is no Union", shown(instance)); });
  const auto* tag = object->if_contains(at.extra);
  if (tag == nullptr) {
    return fail(at, path, [&] { return fmt::format("the discriminator \"{}\" is missing", at.extra); });
  }
  const auto* variant = tag->is_string() ? at.names->find(tag->get_string()) : at.names->end();
  if (variant == at.names->end()) {
    return fail(at, {&path, at.extra}, [&] {
      return fmt::format("{} is none of the Union's {}", shown(*tag), counted(at.count, "tag", "tags"));
    });
  }
  const auto index = static_cast<std::uint32_t>(variant - at.names->begin());
  return evaluate(program_.targets[at.first + index], instance, path);
}

bool Evaluation::blob_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  const BlockId item = program_.targets[at.first];
  const bool ragged = at.number != 0;
  if (!ragged) return evaluate(item, instance, path);
  const auto* array = instance.if_array();
  if (array == nullptr) return fail(at, path, [&] { return fmt::format("{} is no array of items", shown(instance)); });
  bool valid = true;
  for (std::size_t i = 0; i < array->size(); ++i) {
    valid = evaluate(item, (*array)[i], {&path, {}, i}) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

}  // namespace alknet::schema
