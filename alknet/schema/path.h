#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace alknet::schema {

/// One step of a path: a member's name or an element's index.
using PathStep = std::variant<std::string, std::uint64_t>;
using Path = std::vector<PathStep>;

/// Reads a dotted path: names separated by `.`, elements as `[i]`, a literal dot as `\.`, and likewise `\[` and `\\`.
/// "conv1.weight", "boxes[2].label", "[0]", "a\.b". "" is the empty path. Throws `invalid_argument` with the position.
Path parse_path(std::string_view text);

/// The text that parse_path reads back as `path`.
std::string path_text(const Path& path);

/// Appends one step to the text of a path.
void append_step(std::string& path, std::string_view name);
void append_step(std::string& path, std::uint64_t index);

}  // namespace alknet::schema
