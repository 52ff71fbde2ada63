#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::compute {

/// A token that is found in the text itself, before the model sees it.
struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  ///< Matches only where no word character touches it.
  bool lstrip = false;       ///< Takes the white space before it along.
  bool rstrip = false;       ///< Takes the white space behind it along.
  bool normalized = false;   ///< Matches normalised text, and its own normalised form.
};

/// Finds added tokens in a text: at each place the longest, from left to right, as the `tokenizers` package does.
/// Immutable, thread-safe.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;

  /// `patterns[i]` is the text to find for `tokens[i]`; empty ones are never found, and of equal ones the first counts.
  AddedTokenMatcher(const std::vector<AddedToken>& tokens, std::vector<std::string> patterns);

  bool empty() const { return patterns_.empty(); }

  /// A stretch of the text: an added token or something between two of them.
  struct Piece {
    std::string_view text;
    std::optional<std::int32_t> id;
  };

  /// Cuts `text` into pieces, none when it is empty.
  std::vector<Piece> split(std::string_view text) const;

 private:
  struct Pattern {
    std::string text;
    AddedToken token;
  };

  const Pattern* longest_at(std::string_view text) const;

  std::vector<Pattern> patterns_;  // sorted by text
};

}  // namespace alknet::compute
