// Checks of one value by itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "alknet/base/utf8.h"
#include "alknet/schema/compare.h"
#include "alknet/schema/fail.h"
#include "alknet/schema/formats.h"

namespace alknet::schema {
namespace {

/// A sentence of the standard's bounds: what the order of instance and limit must be.
struct Bound {
  Op op;
  std::string_view text;
  bool (*holds)(std::partial_ordering);
};
// In the order of Op, from kMaximum.
constexpr Bound kBounds[] = {
    {Op::kMaximum, "at most", [](std::partial_ordering order) { return order <= 0; }},
    {Op::kExclusiveMaximum, "below", [](std::partial_ordering order) { return order < 0; }},
    {Op::kMinimum, "at least", [](std::partial_ordering order) { return order >= 0; }},
    {Op::kExclusiveMinimum, "above", [](std::partial_ordering order) { return order > 0; }},
};

bool is_float_name(const Json& instance) {
  if (!instance.is_string()) return false;
  const std::string_view text = instance.get_string();
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

bool is_kind_value(const Instruction& at, const Json& instance, const std::vector<Regex>& regexes) {
  const auto& row = info(at.kind);
  const auto in_range = [&] {
    return compare_numbers(instance, Json(row.min)) >= 0 && compare_numbers(instance, Json(row.max)) <= 0;
  };
  switch (row.form) {
    case KindForm::kBoolean: return instance.is_bool();
    case KindForm::kEnum: return instance.is_string();
    case KindForm::kFloat: return is_float_name(instance) || (instance.is_number() && in_range());
    default: break;
  }
  if (instance.is_string())
    return at.first != kNone && regexes[at.first].matches(std::string_view(instance.get_string()));
  return instance.is_number() && is_integer(instance) && in_range();
}

}  // namespace

std::string shown(const Json& value) {
  constexpr std::size_t kShown = 60;
  if (value.is_array()) return fmt::format("an array of {}", counted(value.get_array().size(), "item", "items"));
  if (value.is_object()) return fmt::format("an object of {}", counted(value.get_object().size(), "member", "members"));
  const bool is_long = value.is_string() && value.get_string().size() > kShown;
  if (!is_long) return json_text(value);
  std::size_t end = kShown;
  const std::string_view text = value.get_string();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return json_text(Json(text.substr(0, end))) + "...";
}

bool Evaluation::never(const Instruction& at, const Json&, const InstancePath& path) {
  return fail(at, path, [&] { return std::string("nothing is allowed here"); });
}

bool Evaluation::type(const Instruction& at, const Json& instance, const InstancePath& path) {
  if ((type_bits(instance) & at.number) != 0) return true;
  return fail(at, path, [&] { return fmt::format("{} is not of type {}", shown(instance), type_names(at.number)); });
}

bool Evaluation::enumeration(const Instruction& at, const Json& instance, const InstancePath& path) {
  constexpr std::uint32_t kFew = 8;
  const auto begin = program_.values.begin() + at.first;
  const bool found =
      at.count <= kFew
          ? std::any_of(begin, begin + at.count, [&](const Json* value) { return equal_json(*value, instance); })
          : std::binary_search(begin, begin + at.count, &instance,
                               [](const Json* a, const Json* b) { return compare_json(*a, *b) < 0; });
  if (found) return true;
  return fail(at, path, [&] {
    return fmt::format("{} is none of the {} allowed", shown(instance), counted(at.count, "value", "values"));
  });
}

bool Evaluation::constant(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (equal_json(instance, *at.value)) return true;
  return fail(at, path, [&] { return fmt::format("{} is not {}", shown(instance), shown(*at.value)); });
}

bool Evaluation::multiple_of(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (!instance.is_number() || is_multiple_of(instance, *at.value)) return true;
  return fail(at, path, [&] { return fmt::format("{} is not a multiple of {}", shown(instance), shown(*at.value)); });
}

bool Evaluation::bound(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (!instance.is_number()) return true;
  const auto& rule = kBounds[static_cast<std::size_t>(at.op) - static_cast<std::size_t>(Op::kMaximum)];
  if (rule.holds(compare_numbers(instance, *at.value))) return true;
  return fail(at, path, [&] { return fmt::format("{} is not {} {}", shown(instance), rule.text, shown(*at.value)); });
}

bool Evaluation::length(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (!instance.is_string()) return true;
  const bool maximum = at.op == Op::kMaxLength;
  // A code point is one to four bytes, which often decides it.
  const std::string_view text = instance.get_string();
  if (maximum ? text.size() <= at.number : text.size() / 4 >= at.number) return true;
  const auto size = count_code_points(text);
  if (maximum ? size <= at.number : size >= at.number) return true;
  return fail(at, path, [&] {
    return fmt::format("the string has {}, {} {} are allowed", counted(size, "character", "characters"),
                       maximum ? "at most" : "at least", at.number);
  });
}

bool Evaluation::pattern(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (!instance.is_string() || program_.regexes[at.first].matches(std::string_view(instance.get_string()))) return true;
  return fail(at, path,
              [&] { return fmt::format("{} does not match the pattern {}", shown(instance), shown(*at.value)); });
}

bool Evaluation::format(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (!instance.is_string() || has_format(at.number, instance.get_string())) return true;
  return fail(at, path, [&] {
    return fmt::format("{} is not of the format {}", shown(instance), std::string_view(at.value->get_string()));
  });
}

bool Evaluation::scalar_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  if (is_kind_value(at, instance, program_.regexes)) return true;
  return fail(at, path, [&] {
    return fmt::format("{} is no {}: expected {}", shown(instance), name(at.kind), info(at.kind).expects);
  });
}

bool Evaluation::text_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  const bool formed =
      instance.is_string() &&
      (at.first == kNone || program_.regexes[at.first].matches(std::string_view(instance.get_string())));
  if (!formed) {
    return fail(at, path, [&] {
      return fmt::format("{} is no {}: expected {}", shown(instance), name(at.kind), info(at.kind).expects);
    });
  }
  if (at.number == UINT64_MAX || count_code_points(instance.get_string()) <= at.number) return true;
  return fail(at, path, [&] {
    return fmt::format("the string is longer than the {} characters that `maxBytes` allows", at.number);
  });
}

bool Evaluation::tensor_kind(const Instruction& at, const Json& instance, const InstancePath& path) {
  const auto* object = instance.if_object();
  const auto has_text = [&](std::string_view member) {
    const auto* value = object->if_contains(member);
    return value != nullptr && value->is_string();
  };
  const auto is_shape = [](const Json* value) {
    const auto* dims = value == nullptr ? nullptr : value->if_array();
    return dims != nullptr &&
           std::all_of(dims->begin(), dims->end(), [](const Json& dim) { return as_count(dim).has_value(); });
  };
  if (object != nullptr && has_text("$tensor") && has_text("dtype") && is_shape(object->if_contains("shape")))
    return true;
  return fail(at, path, [&] { return fmt::format("{} is no {}", shown(instance), info(at.kind).expects); });
}

}  // namespace alknet::schema
