#pragma once

#include <string>
#include <string_view>

namespace alknet::compute {

// What the `tokenizers` package means by character classes. It looks general categories up in tables of Unicode 8.0,
// canonical decompositions in tables of Unicode 9.0 and lower case in those of Unicode 17.0, so characters that are
// newer than its table count as unassigned here too; ICU has the data. Pure functions, thread-safe.

/// Property White_Space.
bool is_whitespace(char32_t c);

/// What BertNormalizer's `clean_text` removes: U+0000, U+FFFD and the categories Cc, Cf and Co but tab, line feed and
/// carriage return.
bool is_removed_by_cleaning(char32_t c);

/// Category Mn.
bool is_nonspacing_mark(char32_t c);

/// What BertPreTokenizer makes a token of its own: ASCII punctuation and symbols, and the categories P*.
bool is_punctuation(char32_t c);

/// The blocks that BertNormalizer's `handle_chinese_chars` puts spaces around.
bool is_chinese(char32_t c);

/// `\w` of Unicode Technical Standard 18, annex C.
bool is_word_character(char32_t c);

/// The canonical combining class.
unsigned combining_class(char32_t c);

/// Appends the full canonical decomposition of `c`, not reordered.
void append_decomposition(std::u32string& to, char32_t c);

/// Appends the lower case of `c` as UTF-8, without regard to its neighbours (so no final sigma).
void append_lower_case(std::string& to, char32_t c);

}  // namespace alknet::compute
