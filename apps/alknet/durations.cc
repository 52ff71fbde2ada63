#include "apps/alknet/durations.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <span>
#include <string_view>

#include "apps/alknet/command.h"

namespace alknet::app {
namespace {

struct UnitName {
  std::string_view name;
  std::uint64_t factor;
};

constexpr UnitName kTimes[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr UnitName kSizes[] = {{"", 1}, {"K", 1ULL << 10}, {"M", 1ULL << 20}, {"G", 1ULL << 30}};

std::uint64_t parse_with_unit(const std::string& text, std::span<const UnitName> units, std::string_view examples) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec == std::errc{}) {
    const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
    for (const auto& [name, factor] : units) {
      if (unit == name && number <= std::numeric_limits<std::int64_t>::max() / factor) return number * factor;
    }
  }
  throw UsageError(fmt::format("\"{}\": write for example {}", text, examples));
}

}  // namespace

std::chrono::milliseconds parse_duration(const std::string& text) {
  return std::chrono::milliseconds(parse_with_unit(text, kTimes, "250ms, 30s, 5m or 24h"));
}

std::uint64_t parse_size(const std::string& text) { return parse_with_unit(text, kSizes, "64K, 16M or 4G"); }

}  // namespace alknet::app
