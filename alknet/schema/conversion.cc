#include "alknet/schema/conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace alknet::schema {
namespace {

Conversion checked(std::string reason) { return {ChangeClass::kNeedsConverter, true, std::move(reason)}; }
Conversion unknown(std::string reason) { return {ChangeClass::kNeedsConverter, false, std::move(reason)}; }

/// The values that a number type has exactly: integers of `bits` bits, or floats of `bits` significant bits with
/// exponents up to `exponent` and down to `tiny` (of the last bit of the smallest number).
struct NumberSet {
  bool integer;
  bool has_sign;
  int bits;
  int exponent;
  int tiny;
  bool infinite = false;
};

std::optional<NumberSet> number_set(Kind kind) {
  const auto& row = info(kind);
  if (row.form == KindForm::kInteger) {
    const bool has_sign = row.min < 0;
    return NumberSet{true, has_sign, 8 * row.size - (has_sign ? 1 : 0), 0, 0};
  }
  switch (kind) {
    case Kind::kFloat16: return NumberSet{false, true, 11, 15, -24, true};
    case Kind::kBFloat16: return NumberSet{false, true, 8, 127, -133, true};
    case Kind::kFloat32: return NumberSet{false, true, 24, 127, -149, true};
    case Kind::kFloat64: return NumberSet{false, true, 53, 1023, -1074, true};
    default: return std::nullopt;
  }
}

/// The small floats too; F8_E8M0 has powers of two alone. Those without infinities take none.
std::optional<NumberSet> number_set(FileDtype dtype) {
  using enum FileDtype;
  struct Row {
    FileDtype dtype;
    NumberSet set;
  };
  static constexpr std::array kRows = {
      Row{kF4, {false, true, 2, 2, -1}},
      Row{kF6E2M3, {false, true, 4, 2, -3}},
      Row{kF6E3M2, {false, true, 3, 4, -4}},
      Row{kF8E5M2, {false, true, 3, 15, -16, true}},
      Row{kF8E4M3, {false, true, 4, 8, -9}},
      Row{kF8E8M0, {false, false, 1, 127, -127}},
      Row{kF8E4M3Fnuz, {false, true, 4, 7, -10}},
      Row{kF8E5M2Fnuz, {false, true, 3, 15, -17}},
      Row{kI8, {true, true, 7, 0, 0}},
      Row{kU8, {true, false, 8, 0, 0}},
      Row{kI16, {true, true, 15, 0, 0}},
      Row{kU16, {true, false, 16, 0, 0}},
      Row{kI32, {true, true, 31, 0, 0}},
      Row{kU32, {true, false, 32, 0, 0}},
      Row{kI64, {true, true, 63, 0, 0}},
      Row{kU64, {true, false, 64, 0, 0}},
      Row{kF16, {false, true, 11, 15, -24, true}},
      Row{kBF16, {false, true, 8, 127, -133, true}},
      Row{kF32, {false, true, 24, 127, -149, true}},
      Row{kF64, {false, true, 53, 1023, -1074, true}},
  };
  const auto* row = std::ranges::find(kRows, dtype, &Row::dtype);
  return row == kRows.end() ? std::nullopt : std::optional(row->set);
}

bool holds(const NumberSet& to, const NumberSet& from) {
  if ((from.has_sign && !to.has_sign) || (from.infinite && !to.infinite)) return false;
  if (from.integer) return from.bits <= to.bits && (to.integer || from.bits - 1 <= to.exponent);
  return !to.integer && from.bits <= to.bits && from.exponent <= to.exponent && from.tiny >= to.tiny;
}

Conversion between(const NumberSet& from, std::string_view from_name, const NumberSet& to, std::string_view to_name) {
  if (holds(to, from)) return {};
  return checked(fmt::format("{} lacks some numbers of {}", to_name, from_name));
}

/// A node as text: what it may hold, and how many bytes it takes.
struct TextSet {
  Kind kind = Kind::kNone;  // kString, kBytes, kTimestamp, kEnum
  std::optional<std::uint64_t> max_bytes;
};

std::optional<TextSet> text_set(const Node& node) {
  if (node.kind == Kind::kBlob) {
    if (node.items == nullptr || info(node.items->kind).form != KindForm::kText) return std::nullopt;
    return TextSet{node.items->kind, node.items->max_bytes};
  }
  if (node.kind == Kind::kEnum) {
    std::uint64_t longest = 0;
    for (const auto& value : node.names) longest = std::max<std::uint64_t>(longest, value.size());
    return TextSet{Kind::kEnum, longest};
  }
  if (info(node.kind).form != KindForm::kText || node.kind == Kind::kJson) return std::nullopt;
  return TextSet{node.kind, node.max_bytes};
}

Conversion text_conversion(const Node& from_node, const TextSet& from, const Node& to_node, const TextSet& to) {
  if ((from.kind == Kind::kBytes) != (to.kind == Kind::kBytes)) {
    return unknown("text and bytes stand for each other only by an encoding");
  }
  if (to.kind == Kind::kEnum) {
    for (const auto& value : from_node.names) {
      if (std::ranges::find(to_node.names, value) == to_node.names.end()) {
        return checked(fmt::format("\"{}\" is no longer among the names", value));
      }
    }
    return from.kind == Kind::kEnum ? Conversion{} : checked("a text may be none of the names");
  }
  if (to.kind == Kind::kTimestamp && from.kind != Kind::kTimestamp) return checked("a text may be no timestamp");
  if (to.max_bytes && (!from.max_bytes || *from.max_bytes > *to.max_bytes)) {
    return checked(fmt::format("a text may be longer than {} bytes", *to.max_bytes));
  }
  return {};
}

bool is_json(const Node& node) { return node.kind == Kind::kBlob && node.items == nullptr; }

bool is_ragged(const Node& node) {
  return node.kind == Kind::kBlob && node.items != nullptr && info(node.items->kind).form != KindForm::kText;
}

}  // namespace

std::string_view name(ChangeClass change_class) {
  static constexpr std::array<std::string_view, 3> kNames = {"compatible", "defaultable", "needs converter"};
  return kNames[static_cast<std::size_t>(change_class)];
}

bool are_numbers(Kind from, Kind to) { return number_set(from).has_value() && number_set(to).has_value(); }

Conversion conversion(const Node& from, const Node& to) {
  const auto from_number = number_set(from.kind);
  const auto to_number = number_set(to.kind);
  if (from_number && to_number) return between(*from_number, name(from.kind), *to_number, name(to.kind));
  const auto from_text = text_set(from);
  const auto to_text = text_set(to);
  if (from_text && to_text) return text_conversion(from, *from_text, to, *to_text);
  if (is_json(to)) return {};
  if (is_json(from)) return checked("a JSON value may be another");
  if (from.kind == Kind::kArray && from.count && is_ragged(to)) return conversion(*from.items, *to.items);
  if (from.kind == Kind::kArray && to.kind == Kind::kArray) return {};
  if (is_ragged(from) && to.kind == Kind::kArray && to.count) {
    const auto items = conversion(*from.items, *to.items);
    return items.change_class == ChangeClass::kNeedsConverter && !items.checked
               ? items
               : checked(fmt::format("the array may have another count than {}", *to.count));
  }
  if (from.kind == to.kind && from.kind != Kind::kBlob) return {};
  return unknown(fmt::format("no {} is a {}", name(from.kind), name(to.kind)));
}

Conversion conversion(FileDtype from, FileDtype to) {
  if (from == to) return {};
  const auto from_number = number_set(from);
  const auto to_number = number_set(to);
  if (from_number && to_number) return between(*from_number, name(from), *to_number, name(to));
  return unknown(fmt::format("no {} is a {}", name(from), name(to)));
}

}  // namespace alknet::schema
