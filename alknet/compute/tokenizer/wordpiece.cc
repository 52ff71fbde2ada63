#include "alknet/compute/tokenizer/wordpiece.h"

#include <algorithm>

#include "alknet/base/utf8.h"

namespace alknet::compute {

void WordPiece::append(std::vector<std::int32_t>& ids, std::string_view word, Scratch& scratch) const {
  if (word.size() > max_input_chars_per_word && count_code_points(word) > max_input_chars_per_word) {
    ids.push_back(unknown_id);
    return;
  }
  const std::string& prefix = continuing_subword_prefix;
  const std::size_t before = ids.size();
  // The word stands behind room for one prefix. What was matched is overwritten with the prefix of what follows, so
  // that prefix and rest are one text to look up.
  scratch.word.assign(prefix);
  scratch.word += word;
  std::size_t start = prefix.size();
  while (start < scratch.word.size()) {
    const std::size_t marked = start == prefix.size() ? 0 : prefix.size();
    if (marked != 0)
      std::copy(prefix.begin(), prefix.end(), scratch.word.begin() + static_cast<std::ptrdiff_t>(start - marked));
    const auto rest = std::string_view(scratch.word).substr(start - marked);
    const auto match = vocabulary.longest_match(rest, marked, scratch.hashes);
    if (match.bytes == 0) {
      ids.resize(before);
      ids.push_back(unknown_id);
      return;
    }
    ids.push_back(match.id);
    start += match.bytes - marked;
  }
}

}  // namespace alknet::compute
