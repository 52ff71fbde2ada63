#include "alknet/graph/near_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace alknet::graph {
namespace {

/// Names beyond this length are not compared: hostile input must not cost quadratic time.
constexpr std::size_t kMaxCompared = 64;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> near_names(std::string_view wrong, std::span<const std::string> names) {
  std::vector<std::pair<std::size_t, std::string>> found;
  if (wrong.size() > kMaxCompared) return {};
  const std::size_t limit = wrong.size() < 3 ? 1 : std::max<std::size_t>(2, wrong.size() / 3);
  for (const auto& name : names) {
    if (name.size() > kMaxCompared) continue;
    const std::size_t distance = edit_distance(wrong, name);
    if (distance <= limit) found.emplace_back(distance, name);
  }
  std::sort(found.begin(), found.end());
  if (found.size() > 3) found.resize(3);
  std::vector<std::string> nearest;
  for (auto& [distance, name] : found) nearest.push_back(std::move(name));
  return nearest;
}

std::string did_you_mean(std::string_view wrong, std::span<const std::string> names) {
  const auto nearest = near_names(wrong, names);
  if (nearest.empty()) return {};
  return fmt::format("; did you mean {}?", fmt::join(nearest, " or "));
}

}  // namespace alknet::graph
