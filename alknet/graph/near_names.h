#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::graph {

/// Those of `names` that someone who typed `wrong` probably meant: at most three, nearest first (edit distance).
std::vector<std::string> near_names(std::string_view wrong, std::span<const std::string> names);

/// "; did you mean a or b?", or nothing.
std::string did_you_mean(std::string_view wrong, std::span<const std::string> names);

}  // namespace alknet::graph
