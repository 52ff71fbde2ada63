#pragma once

#include <string>
#include <string_view>

namespace alknet::compute {

/// The BertNormalizer of the `tokenizers` package: what happens to text before it is split into words.
/// Immutable, thread-safe; time is linear in the text but for runs of combining marks, which are sorted.
struct BertNormaliser {
  bool clean_text = true;            ///< Drop control characters, make every white space a plain space.
  bool handle_chinese_chars = true;  ///< Put a space on both sides of each ideograph.
  bool strip_accents = true;         ///< Decompose canonically (NFD), then drop non-spacing marks.
  bool lowercase = true;             ///< Character by character.

  /// Nothing changes: a file without normaliser.
  static constexpr BertNormaliser none() { return {false, false, false, false}; }

  /// Appends the normalised form of `text`, which must be UTF-8, to `to`.
  void append(std::string& to, std::string_view text) const;
};

}  // namespace alknet::compute
