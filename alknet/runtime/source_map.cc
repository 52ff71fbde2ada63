#include "alknet/runtime/source_map.h"

#include <algorithm>
#include <array>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::runtime {
namespace {

[[noreturn]] void refuse(std::string_view what) {
  throw Error(BaseError::kInvalidArgument, "this is no source map: " + std::string(what));
}

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Reads the variable-length number at `at`: five bits a digit, the lowest first, the lowest bit the sign.
std::int64_t read_number(std::string_view text, std::size_t& at) {
  std::int64_t value = 0;
  for (unsigned shift = 0; shift <= 30; shift += 5) {
    const std::size_t digit = at < text.size() ? kDigits.find(text[at]) : std::string_view::npos;
    if (digit == std::string_view::npos) refuse("its mappings are no base-64 numbers");
    ++at;
    value |= static_cast<std::int64_t>(digit & 31U) << shift;
    if ((digit & 32U) == 0) return (value & 1) != 0 ? -(value >> 1) : value >> 1;
  }
  refuse("a number in its mappings is above 32 bits");
}

}  // namespace

SourceMap::SourceMap(std::string_view json) {
  const Json document = parse_json(json);
  const JsonObject* object = document.if_object();
  const Json* sources = object != nullptr ? object->if_contains("sources") : nullptr;
  const Json* mappings = object != nullptr ? object->if_contains("mappings") : nullptr;
  if (sources == nullptr || !sources->is_array() || mappings == nullptr || !mappings->is_string()) {
    refuse("it lacks sources or mappings");
  }
  for (const Json& source : sources->get_array()) {
    sources_.emplace_back(source.is_string() ? std::string_view(source.get_string()) : std::string_view());
  }
  read_mappings(mappings->get_string());
}

void SourceMap::read_mappings(std::string_view mappings) {
  // Of a segment: the generated column, the source, its line, its column and a name; all but the first column are
  // differences from the segment before.
  std::array<std::int64_t, 5> state{};
  std::uint32_t line = 0;
  for (std::size_t at = 0; at < mappings.size();) {
    if (mappings[at] == ';') {
      ++line;
      state[0] = 0;
      ++at;
      continue;
    }
    if (mappings[at] == ',') {
      ++at;
      continue;
    }
    std::size_t fields = 0;
    for (; at < mappings.size() && mappings[at] != ',' && mappings[at] != ';'; ++fields) {
      if (fields == state.size()) refuse("a segment has more than five numbers");
      state[fields] += read_number(mappings, at);
      if (state[fields] < 0 || state[fields] > UINT32_MAX) refuse("a position in it is negative");
    }
    const bool has_source = fields >= 4 && static_cast<std::size_t>(state[1]) < sources_.size();
    segments_.push_back({line, static_cast<std::uint32_t>(state[0]),
                         has_source ? static_cast<std::int32_t>(state[1]) : -1, static_cast<std::uint32_t>(state[2]),
                         static_cast<std::uint32_t>(state[3])});
  }
}

std::optional<SourceMap::Original> SourceMap::original(TextPosition generated) const {
  if (generated.line == 0 || generated.column == 0) return std::nullopt;
  const std::uint32_t line = generated.line - 1;
  const std::uint32_t column = generated.column - 1;
  auto after = std::upper_bound(
      segments_.begin(), segments_.end(), std::pair(line, column),
      [](const auto& place, const Segment& segment) { return place < std::pair(segment.line, segment.column); });
  if (after == segments_.begin()) return std::nullopt;
  const Segment& segment = *--after;
  if (segment.line != line || segment.source < 0) return std::nullopt;
  return Original{sources_[static_cast<std::size_t>(segment.source)],
                  {segment.original_line + 1, segment.original_column + 1}};
}

}  // namespace alknet::runtime
