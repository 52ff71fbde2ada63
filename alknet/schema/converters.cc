#include "alknet/schema/converters.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "alknet/base/base64.h"
#include "alknet/base/error.h"
#include "alknet/base/near_names.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/compare.h"
#include "alknet/schema/error.h"

namespace alknet::schema {
namespace {

[[noreturn]] void refuse(std::string_view converter, const Json& value, std::string_view what) {
  std::string text = json_text(value);
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  throw Error(SchemaError::kInstanceInvalid, fmt::format("{} cannot convert {}: {}", converter, text, what));
}

/// The number that a text is, as JSON has it: integers exactly, "NaN" and infinities as they are.
std::optional<Json> number_of(std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") return Json(text);
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, integer); read.ec == std::errc() && read.ptr == end) {
    return Json(integer);
  }
  std::uint64_t large = 0;
  if (const auto read = std::from_chars(text.data(), end, large); read.ec == std::errc() && read.ptr == end) {
    return Json(large);
  }
  double number = 0;
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(number)) return std::nullopt;
  return Json(number);
}

Json to_number(const Json& value) {
  if (value.is_number() || value.is_null()) return value;
  if (value.is_bool()) return Json(value.get_bool() ? 1 : 0);
  if (value.is_string()) {
    if (const auto number = number_of(value.get_string())) return *number;
  }
  refuse("number", value, "it is no number");
}

Json to_text(const Json& value) {
  if (value.is_string() || value.is_null()) return value;
  return Json(json_text(value));
}

Json to_boolean(const Json& value) {
  if (value.is_bool() || value.is_null()) return value;
  const Json number = to_number(value == "true" ? Json(1) : value == "false" ? Json(0) : value);
  if (number == Json(0) || number == Json(0.0)) return Json(false);
  if (number == Json(1) || number == Json(1.0)) return Json(true);
  refuse("boolean", value, "it is neither 0 nor 1, true nor false");
}

using Round = double (*)(double);

/// Rounds to an integer; large ones, which come as texts of digits, are numbers then. Infinities stay.
ConvertValue rounding(Round round) {
  return [round](const Json& given) -> Json {
    const Json value = given.is_string() ? number_of(given.get_string()).value_or(given) : given;
    if (!value.is_double()) return value;
    const double whole = round(value.get_double());
    if (whole >= -0x1p63 && whole < 0x1p63) return Json(static_cast<std::int64_t>(whole));
    return Json(whole);
  };
}

ConvertValue scaling(std::string_view argument) {
  double factor = 0;
  const auto read = std::from_chars(argument.data(), argument.data() + argument.size(), factor);
  if (read.ec != std::errc() || read.ptr != argument.data() + argument.size() || !std::isfinite(factor)) {
    throw Error(BaseError::kInvalidArgument, fmt::format("converter scale: \"{}\" is no number", argument));
  }
  return [factor](const Json& given) -> Json {
    const Json value = to_number(given);
    if (!value.is_number()) return value;
    return Json(value.to_number<double>() * factor);
  };
}

ConvertValue constant(std::string_view argument) {
  Json value;
  try {
    value = parse_json(argument);
  } catch (const Error& error) {
    throw Error(BaseError::kInvalidArgument, fmt::format("converter constant: {}", error.message()));
  }
  return [value](const Json&) { return value; };
}

ConvertValue filling(std::string_view argument) {
  return [fill = constant(argument)](const Json& value) { return value.is_null() ? fill(value) : value; };
}

ConvertValue resizing(std::string_view argument) {
  std::uint64_t count = 0;
  const auto colon = argument.find(':');
  const auto digits = argument.substr(0, colon);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || count > 100'000'000) {
    throw Error(BaseError::kInvalidArgument, fmt::format("converter resize: \"{}\" is no count", digits));
  }
  const Json fill = colon == std::string_view::npos ? Json(0) : constant(argument.substr(colon + 1))(Json());
  return [count, fill](const Json& value) -> Json {
    if (value.is_null()) return value;
    if (!value.is_array()) refuse("resize", value, "it is no array");
    JsonArray items = value.get_array();
    items.resize(count, fill);
    return items;
  };
}

Json text_to_bytes(const Json& value) {
  if (value.is_null()) return value;
  if (!value.is_string()) refuse("utf8_bytes", value, "it is no text");
  return Json(base64_text(std::as_bytes(std::span(value.get_string()))));
}

Json bytes_to_text(const Json& value) {
  if (value.is_null()) return value;
  const auto bytes = value.is_string() ? parse_base64(value.get_string()) : std::nullopt;
  if (!bytes) refuse("utf8_text", value, "it is no base64");
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  if (find_invalid_utf8(text)) refuse("utf8_text", value, "the bytes are not UTF-8");
  return Json(text);
}

template <Json (*function)(const Json&)>
ConvertValue plain(std::string_view) {
  return function;
}

double round_half_to_even(double value) { return std::nearbyint(value); }
double round_down(double value) { return std::floor(value); }
double round_up(double value) { return std::ceil(value); }
double cut(double value) { return std::trunc(value); }

template <Round round>
ConvertValue rounded(std::string_view) {
  return rounding(round);
}

ConvertValue no_value(std::string_view) {
  throw Error(BaseError::kInvalidArgument, "converter drop: it is for fields and entries that the new schema lacks");
}

struct Row {
  NamedConverter converter;
  ConvertValue (*make)(std::string_view argument);
};

constexpr std::array kConverterRows = {
    Row{{"number", "", "texts such as \"12\" or \"1.5\" and booleans to numbers"}, plain<to_number>},
    Row{{"text", "", "numbers, booleans and anything else to their JSON text"}, plain<to_text>},
    Row{{"boolean", "", "0, 1, \"true\" and \"false\" to booleans"}, plain<to_boolean>},
    Row{{"round", "", "numbers to the nearest integer, ties to even; integers to the nearest float"},
        rounded<round_half_to_even>},
    Row{{"floor", "", "numbers to the integer below"}, rounded<round_down>},
    Row{{"ceil", "", "numbers to the integer above"}, rounded<round_up>},
    Row{{"truncate", "", "numbers to the integer towards zero"}, rounded<cut>},
    Row{{"scale", "FACTOR", "numbers times FACTOR"}, scaling},
    Row{{"constant", "JSON", "JSON for every record, whatever was there"}, constant},
    Row{{"fill", "JSON", "JSON where the value is absent"}, filling},
    Row{{"resize", "COUNT[:JSON]", "arrays cut to COUNT items, or filled up with JSON (0)"}, resizing},
    Row{{"utf8_bytes", "", "text to its UTF-8 bytes"}, plain<text_to_bytes>},
    Row{{"utf8_text", "", "bytes that are UTF-8 to text"}, plain<bytes_to_text>},
    Row{{"drop", "", "the data of a field or entry that the new schema lacks are left out"}, no_value},
};

constexpr auto kNamedConverters = [] {
  std::array<NamedConverter, kConverterRows.size()> table{};
  for (std::size_t i = 0; i < kConverterRows.size(); ++i) table[i] = kConverterRows[i].converter;
  return table;
}();

}  // namespace

std::span<const NamedConverter> named_converters() { return kNamedConverters; }

ConvertValue make_converter(std::string_view text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  std::vector<std::string_view> names;
  for (const auto& row : kConverterRows) {
    names.push_back(row.converter.name);
    if (row.converter.name != name) continue;
    const bool has_argument = colon != std::string_view::npos;
    if (has_argument == row.converter.argument.empty()) {
      throw Error(BaseError::kInvalidArgument,
                  row.converter.argument.empty()
                      ? fmt::format("converter {}: it takes no argument", name)
                      : fmt::format("converter {}: write {}:{}", name, name, row.converter.argument));
    }
    return row.make(has_argument ? text.substr(colon + 1) : std::string_view());
  }
  throw Error(BaseError::kNotFound, fmt::format("no converter \"{}\"{}; there are {}", name, did_you_mean(name, names),
                                                fmt::join(names, ", ")));
}

}  // namespace alknet::schema
