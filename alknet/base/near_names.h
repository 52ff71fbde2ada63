#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alknet {

/// The names that someone who wrote `wanted` may have meant, best first, at most `limit`: small edit distance, or one
/// contains the other. Of very many names only the first 20,000 are looked at, of long ones the first 128 bytes.
std::vector<std::string_view> near_names(std::string_view wanted, std::span<const std::string_view> names,
                                         std::size_t limit = 3);

/// "; did you mean a or b?", or nothing when no name is near.
std::string did_you_mean(std::string_view wanted, std::span<const std::string_view> names);

}  // namespace alknet
