#include "alknet/compute/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "alknet/base/utf8.h"
#include "alknet/compute/tokenizer/character.h"

namespace alknet::compute {
namespace {

/// The offset of the last code point in `text`, which must not be empty.
std::size_t last_code_point(std::string_view text) {
  std::size_t i = text.size() - 1;
  while (i > 0 && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) --i;
  return i;
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t i = last_code_point(text);
  return is_word_character(next_code_point(text, i));
}

bool starts_with_word(std::string_view text) {
  std::size_t i = 0;
  return !text.empty() && is_word_character(next_code_point(text, i));
}

std::size_t without_trailing_space(std::string_view text) {
  while (!text.empty()) {
    const std::size_t last = last_code_point(text);
    std::size_t i = last;
    if (!is_whitespace(next_code_point(text, i))) break;
    text = text.substr(0, last);
  }
  return text.size();
}

std::size_t leading_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); end = i) {
    if (!is_whitespace(next_code_point(text, i))) break;
  }
  return end;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(const std::vector<AddedToken>& tokens, std::vector<std::string> patterns) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!patterns[i].empty()) patterns_.push_back({std::move(patterns[i]), tokens[i]});
  }
  std::stable_sort(patterns_.begin(), patterns_.end(), [](const auto& a, const auto& b) { return a.text < b.text; });
  patterns_.erase(
      std::unique(patterns_.begin(), patterns_.end(), [](const auto& a, const auto& b) { return a.text == b.text; }),
      patterns_.end());
}

const AddedTokenMatcher::Pattern* AddedTokenMatcher::longest_at(std::string_view text) const {
  // Narrows the range of patterns that start with text[0, depth), as a walk down a trie would.
  auto first = patterns_.begin();
  auto last = patterns_.end();
  const Pattern* longest = nullptr;
  for (std::size_t depth = 0; depth < text.size() && first != last; ++depth) {
    const auto byte_at = [depth](const Pattern& p) { return static_cast<unsigned char>(p.text[depth]); };
    const auto byte = static_cast<unsigned char>(text[depth]);
    first = std::partition_point(first, last, [&](const Pattern& p) { return byte_at(p) < byte; });
    last = std::partition_point(first, last, [&](const Pattern& p) { return byte_at(p) == byte; });
    // The shortest of those that share a start is the first.
    if (first != last && first->text.size() == depth + 1) longest = &*first++;
  }
  return longest;
}

std::vector<AddedTokenMatcher::Piece> AddedTokenMatcher::split(std::string_view text) const {
  std::vector<Piece> pieces;
  std::size_t done = 0;
  std::size_t space_end = 0;  // of the white space scanned last, so that no space is scanned twice
  for (std::size_t i = 0; i < text.size() && !patterns_.empty();) {
    const Pattern* found = longest_at(text.substr(i));
    if (!found) {
      ++i;
      continue;
    }
    std::size_t start = i;
    std::size_t stop = i + found->text.size();
    i = stop;
    if (found->token.single_word && (ends_with_word(text.substr(0, start)) || starts_with_word(text.substr(stop)))) {
      continue;
    }
    // A token before may have taken the place already by stripping.
    if (found->token.lstrip && done < start) start = done + without_trailing_space(text.substr(done, start - done));
    if (found->token.rstrip) {
      if (stop > space_end) space_end = stop + leading_space(text.substr(stop));
      stop = std::max(stop, space_end);
    }
    if (done < start) pieces.push_back({text.substr(done, start - done), std::nullopt});
    pieces.push_back({text.substr(start, stop - start), found->token.id});
    done = stop;
  }
  if (done != text.size()) pieces.push_back({text.substr(done), std::nullopt});
  return pieces;
}

}  // namespace alknet::compute
