#include "alknet/base/near_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace alknet {
namespace {

constexpr std::size_t kMostLookedAt = 20'000;
constexpr std::size_t kLongestCompared = 128;

// Levenshtein distance by rows; `row` is scratch.
std::size_t edit_distance(std::string_view a, std::string_view b, std::vector<std::size_t>& row) {
  row.resize(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string_view> near_names(std::string_view wanted, std::span<const std::string_view> names,
                                         std::size_t limit) {
  wanted = wanted.substr(0, kLongestCompared);
  std::vector<std::pair<std::size_t, std::string_view>> near;
  std::vector<std::size_t> row;
  for (const std::string_view name : names.first(std::min(names.size(), kMostLookedAt))) {
    const std::string_view shown = name.substr(0, kLongestCompared);
    const bool contains = !wanted.empty() && (shown.find(wanted) != shown.npos || wanted.find(shown) != shown.npos);
    const std::size_t distance = edit_distance(wanted, shown, row);
    if (contains || distance <= wanted.size() / 3 + 1) near.emplace_back(contains ? distance / 4 : distance, name);
  }
  std::ranges::stable_sort(near, {}, [](const auto& candidate) { return candidate.first; });
  std::vector<std::string_view> best;
  for (const auto& candidate : near) {
    if (best.size() < limit) best.push_back(candidate.second);
  }
  return best;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string_view> names) {
  const auto nearest = near_names(wanted, names);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(nearest, " or "));
}

}  // namespace alknet
