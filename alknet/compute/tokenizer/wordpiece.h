#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/compute/tokenizer/vocabulary.h"

namespace alknet::compute {

/// The WordPiece model: a word becomes the longest token that it starts with, then the longest that, with the prefix
/// ("##") in front, the rest starts with, and so on. A word that does not come out becomes the unknown token.
///
/// Greedy longest match first, as in Wu et al., "Google's Neural Machine Translation System" (2016), section 4.1.
/// Immutable after filling; thread-safe with a Scratch for each thread.
struct WordPiece {
  Vocabulary vocabulary;
  std::string continuing_subword_prefix = "##";
  std::size_t max_input_chars_per_word = 100;  ///< A word of more code points is unknown.
  std::int32_t unknown_id = 0;

  /// Memory that `append` uses again from word to word.
  struct Scratch {
    std::string word;
    std::vector<std::uint64_t> hashes;
  };

  /// Appends the ids of one word (UTF-8, not empty) to `ids`.
  void append(std::vector<std::int32_t>& ids, std::string_view word, Scratch& scratch) const;
};

}  // namespace alknet::compute
