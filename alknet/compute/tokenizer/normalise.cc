#include "alknet/compute/tokenizer/normalise.h"

#include <algorithm>

#include "alknet/base/utf8.h"
#include "alknet/compute/tokenizer/character.h"

namespace alknet::compute {
namespace {

/// Takes code points one by one through decomposition, stripping and lower case.
class Tail {
 public:
  Tail(const BertNormaliser& options, std::string& to) : options_(options), to_(to) {}

  void add(char32_t c) {
    if (!options_.strip_accents) {
      emit(c);
      return;
    }
    if (c < 0xC0) {  // nothing below decomposes or combines
      flush_marks();
      emit(c);
      return;
    }
    parts_.clear();
    append_decomposition(parts_, c);
    for (const char32_t part : parts_) add_decomposed(part);
  }

  /// Marks behind a base character come out in the order of their combining classes.
  void flush_marks() {
    if (marks_.empty()) return;
    std::stable_sort(marks_.begin(), marks_.end(),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    for (const char32_t mark : marks_) emit(mark);
    marks_.clear();
  }

 private:
  void add_decomposed(char32_t c) {
    const bool base = combining_class(c) == 0;
    if (base) flush_marks();
    if (is_nonspacing_mark(c)) return;
    if (base) {
      emit(c);
    } else {
      marks_ += c;
    }
  }

  void emit(char32_t c) {
    if (options_.lowercase) {
      append_lower_case(to_, c);
    } else {
      append_utf8(to_, c);
    }
  }

  const BertNormaliser& options_;
  std::string& to_;
  std::u32string parts_;  // the decomposition of one character
  std::u32string marks_;  // kept characters of combining class > 0 since the last base character
};

}  // namespace

void BertNormaliser::append(std::string& to, std::string_view text) const {
  to.reserve(to.size() + text.size());
  Tail tail(*this, to);
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = next_code_point(text, i);
    if (clean_text) {
      if (is_removed_by_cleaning(c)) continue;
      if (is_whitespace(c)) c = ' ';
    }
    const bool spaced = handle_chinese_chars && is_chinese(c);
    if (spaced) tail.add(' ');
    tail.add(c);
    if (spaced) tail.add(' ');
  }
  tail.flush_marks();
}

}  // namespace alknet::compute
