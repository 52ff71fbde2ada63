#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace alknet::compute {

/// Texts that tokenizers get wrong: accents, CJK, emoji, control characters, very long words, combining marks, odd
/// white space, private use and unassigned code points, right-to-left scripts, special tokens. All UTF-8; the same each
/// time.
std::vector<std::string> hostile_lines(std::size_t count);

/// Every code point, each alone, between letters and between marks, some hundred a line. Of the large blocks where all
/// code points are alike (ideographs, Hangul, private use, unassigned) only some.
std::vector<std::string> every_code_point();

}  // namespace alknet::compute
