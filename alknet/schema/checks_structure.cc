// Checks of arrays and objects, which evaluate their parts.
#include <fmt/format.h>

#include <algorithm>

#include "alknet/schema/compare.h"
#include "alknet/schema/fail.h"

namespace alknet::schema {
namespace {

/// The checks of an array of whose items only the types are asked.
inline bool has_plain_items(const ArrayChecks& checks, const JsonArray& array) {
  const std::size_t size = array.size();
  if (!checks.fits(size)) return false;
  const Json* items = array.data();
  for (std::size_t i = checks.start; i < size; ++i) {
    if (!checks.items.allows(items[i])) return false;
  }
  return true;
}

}  // namespace

bool Evaluation::item_count(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  const bool maximum = at.op == Op::kMaxItems;
  if (maximum ? array->size() <= at.number : array->size() >= at.number) return true;
  return fail(at, path, [&] {
    return fmt::format("the array has {}, {} {} are allowed", counted(array->size(), "item", "items"),
                       maximum ? "at most" : "at least", at.number);
  });
}

bool Evaluation::unique_items(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  if (array == nullptr || array->size() < 2) return true;
  std::vector<const Json*> sorted;
  sorted.reserve(array->size());
  for (const auto& item : *array) sorted.push_back(&item);
  std::sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return compare_json(*a, *b) < 0; });
  const auto twin =
      std::adjacent_find(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return equal_json(*a, *b); });
  if (twin == sorted.end()) return true;
  return fail(at, path, [&] {
    const auto first = twin[0] - array->data(), second = twin[1] - array->data();
    return fmt::format("the items {} and {} are equal", std::min(first, second), std::max(first, second));
  });
}

bool Evaluation::prefix_items(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  bool valid = true;
  for (std::uint32_t i = 0; i < at.count && i < array->size(); ++i) {
    valid = evaluate(program_.targets[at.first + i], (*array)[i], {&path, {}, i}) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

bool Evaluation::items(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  const BlockId block = program_.targets[at.first];
  bool valid = true;
  for (std::size_t i = at.number; i < array->size(); ++i) {
    valid = evaluate(block, (*array)[i], {&path, {}, i}) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

bool Evaluation::contains(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < array->size(); ++i) {
    found += decide(at, program_.targets[at.first], (*array)[i], {&path, {}, i}) ? 1 : 0;
    if (stopped()) return false;
  }
  if (found >= at.number && found <= at.number2) return true;
  return fail(at, path, [&] {
    return found < at.number ? fmt::format("{} match, at least {} must", counted(found, "item", "items"), at.number)
                             : fmt::format("{} match, at most {} may", counted(found, "item", "items"), at.number2);
  });
}

bool Evaluation::property_count(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  const bool maximum = at.op == Op::kMaxProperties;
  if (maximum ? object->size() <= at.number : object->size() >= at.number) return true;
  return fail(at, path, [&] {
    return fmt::format("the object has {}, {} {} are allowed", counted(object->size(), "member", "members"),
                       maximum ? "at most" : "at least", at.number);
  });
}

bool Evaluation::required(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& name : at.value->get_array()) {
    const std::string_view wanted = name.get_string();
    if (object->contains(wanted)) continue;
    valid = fail(at, path, [&] { return fmt::format("the required member \"{}\" is missing", wanted); });
    if (!collect_ || stopped()) return false;
  }
  return valid;
}

bool Evaluation::dependent_required(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& [name, dependents] : at.value->get_object()) {
    if (!object->contains(name)) continue;
    for (const auto& dependent : dependents.get_array()) {
      const std::string_view wanted = dependent.get_string();
      if (object->contains(wanted)) continue;
      valid = fail(at, path, [&, present = std::string_view(name)] {
        return fmt::format("the member \"{}\" is missing, which \"{}\" requires", wanted, present);
      });
      if (!collect_ || stopped()) return false;
    }
  }
  return valid;
}

bool Evaluation::properties(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& [name, member] : *object) {
    const auto* declared = at.names->find(name);
    if (declared == at.names->end()) continue;
    const auto index = static_cast<std::uint32_t>(declared - at.names->begin());
    valid = evaluate(program_.targets[at.first + index], member, {&path, name}) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

bool Evaluation::conforms(const Wanted& wanted, const Json& value, const InstancePath& path) {
  switch (wanted.form) {
    case Wanted::Form::kTypes: return true;
    case Wanted::Form::kText: return value.is_string() && ShortText(value.get_string()) == wanted.text;
    case Wanted::Form::kArray: return has_items(program_.arrays[wanted.checks], value.get_array(), path);
    case Wanted::Form::kObject: return has_members(program_.objects[wanted.checks], value.get_object(), path);
    case Wanted::Form::kChoice: {
      const auto* alternative = chosen(program_.choices[wanted.checks], value);
      return alternative != nullptr && has(*alternative, value, path);
    }
    case Wanted::Form::kBlock: return evaluate(wanted.block, value, path);
  }
  return false;
}

bool Evaluation::object_checks(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  return object == nullptr || has_members(program_.objects[at.first], *object, path);
}

bool Evaluation::has_members(const ObjectChecks& checks, const JsonObject& object, const InstancePath& path) {
  std::uint32_t required = 0, expected = 0;
  for (const auto& [name, member] : object) {
    const auto index = checks.names.find({name.data(), name.size()}, expected);
    if (index == NameTable::kNotFound) {
      if (checks.closed || !has(checks.additional, member, {&path, name})) return false;
    } else {
      expected = index + 1;
      const auto& declared = checks.members[index];
      if (!has(declared.wanted, member, {&path, name})) return false;
      required += declared.required ? 1 : 0;
    }
  }
  return required == checks.required;
}

bool Evaluation::array_checks(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* array = instance.if_array();
  return array == nullptr || has_items(program_.arrays[at.first], *array, path);
}

// What the items are to be is looked at once, not for each: most arrays are of numbers, or of short arrays of numbers.
bool Evaluation::has_items(const ArrayChecks& checks, const JsonArray& array, const InstancePath& path) {
  const auto& wanted = checks.items;
  if (wanted.form == Wanted::Form::kTypes) return has_plain_items(checks, array);
  if (!checks.fits(array.size())) return false;
  if (wanted.form == Wanted::Form::kArray) {
    const auto& inner = program_.arrays[wanted.checks];
    if (inner.items.form == Wanted::Form::kTypes) {
      for (std::size_t i = checks.start; i < array.size(); ++i) {
        const Json& item = array[i];
        if (!item.is_array() || !has_plain_items(inner, item.get_array())) return false;
      }
      return true;
    }
  }
  for (std::size_t i = checks.start; i < array.size(); ++i) {
    if (!has(wanted, array[i], {&path, {}, i})) return false;
  }
  return true;
}

bool Evaluation::pattern_properties(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& [name, member] : *object) {
    for (std::uint32_t i = 0; i < at.count; ++i) {
      if (!program_.regexes[program_.targets[at.number + i]].matches(name)) continue;
      valid = evaluate(program_.targets[at.first + i], member, {&path, name}) && valid;
      if ((!valid && !collect_) || stopped()) return false;
    }
  }
  return valid;
}

bool Evaluation::matches_any(std::uint64_t first, std::uint64_t count, std::string_view name) const {
  for (std::uint64_t i = 0; i < count; ++i) {
    if (program_.regexes[program_.targets[first + i]].matches(name)) return true;
  }
  return false;
}

bool Evaluation::additional_properties(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  const BlockId block = program_.targets[at.first];
  const bool refused = at.value->is_bool() && !at.value->get_bool();
  bool valid = true;
  for (const auto& [name, member] : *object) {
    if ((at.names != nullptr && at.names->contains(name)) || matches_any(at.number, at.number2, name)) continue;
    const InstancePath here{&path, name};
    valid = (refused ? fail(at, here, [] { return std::string("the member is not declared"); })
                     : evaluate(block, member, here)) &&
            valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

bool Evaluation::property_names(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& [name, member] : *object) {
    const Json& text = names_.emplace_front(std::string_view(name));
    if (holds(program_.targets[at.first], text, {&path, name})) continue;
    if (stopped()) return false;
    valid = fail(at, path, [&, wanted = std::string_view(name)] {
      return fmt::format("the name {} is not allowed", shown(Json(wanted)));
    });
    if (!collect_ || stopped()) return false;
  }
  return valid;
}

bool Evaluation::dependent_schemas(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (std::uint32_t i = 0; i < at.count; ++i) {
    if (!object->contains((at.names->begin() + i)->key())) continue;
    valid = evaluate(program_.targets[at.first + i], instance, path) && valid;
    if ((!valid && !collect_) || stopped()) return false;
  }
  return valid;
}

}  // namespace alknet::schema
