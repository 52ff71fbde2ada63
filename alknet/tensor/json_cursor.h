#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace alknet::tensor {

/// A fault in JSON text.
struct CursorFault {
  std::size_t offset;  ///< Bytes from the start of the text.
  const char* what;    ///< What is wrong, for people.
  bool too_deep = false;
};

/// A cursor over JSON text in valid UTF-8 that it may overwrite: strings are unescaped where they stand (the result is
/// never longer than its source), so they need no memory of their own. Values that the caller does not expect are
/// skipped, with their syntax checked. No recursion below the depth limit, no allocation.
///
/// Faults are thrown as CursorFault; the caller knows the file and the entry and makes an Error of it.
class JsonCursor {
 public:
  JsonCursor(char* begin, char* end) : begin_(begin), at_(begin), end_(end) {}

  /// Bytes from the start of the text.
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  bool at_end() const { return at_ == end_; }

  /// The next byte that is not white space, which stays; NUL at the end of the text.
  char peek() {
    skip_space();
    return at_ == end_ ? '\0' : *at_;
  }

  /// Takes `c` (after white space) if it is next.
  bool accept(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  /// Takes `c` (after white space) or throws; `context` says where it belongs ("after an entry's name").
  void expect(char c, const char* context) {
    if (!accept(c)) throw CursorFault{offset(), context};
  }

  /// Takes a string. The view stays valid as long as the text.
  std::string_view string(const char* context);

  /// Takes a number without sign, fraction or exponent; nothing when it does not fit 64 bits.
  std::optional<std::uint64_t> unsigned_integer(const char* context);

  /// Takes any value; `depth` is how many arrays and objects are open around it.
  void skip_value(int depth);

 private:
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  void skip_number();
  void skip_word(std::string_view word);
  char* unescape(char* to);
  std::uint32_t hex4();

  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace alknet::tensor
