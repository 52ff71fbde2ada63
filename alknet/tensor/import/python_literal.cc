#include "alknet/tensor/import/python_literal.h"

#include <charconv>
#include <utility>

#include "alknet/base/utf8.h"

namespace alknet::tensor {
namespace {

constexpr int kMaxLiteralDepth = 32;

using Type = PythonLiteral::Type;

class LiteralParser {
 public:
  explicit LiteralParser(std::string_view text) : text_(text) {}

  PythonLiteral run() {
    if (const auto nul = text_.find('\0'); nul != std::string_view::npos) throw PythonLiteralFault{"a NUL", nul};
    PythonLiteral value = parse(0);
    skip_blanks();
    if (position_ != text_.size()) fail("text follows the literal");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw PythonLiteralFault{what, position_}; }

  void skip_blanks() {
    while (position_ < text_.size() && std::string_view(" \t\n\r\f").find(text_[position_]) != std::string_view::npos)
      ++position_;
  }

  char peek() {
    skip_blanks();
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  bool accept(char wanted) {
    if (peek() != wanted || position_ == text_.size()) return false;
    ++position_;
    return true;
  }

  bool accept_word(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  PythonLiteral parse(int depth) {
    if (depth == kMaxLiteralDepth) fail("nested too deep");
    const char first = peek();
    if (first == '\'' || first == '"') return {.type = Type::kString, .text = string()};
    if (accept('(')) return sequence(Type::kTuple, ')', depth);
    if (accept('[')) return sequence(Type::kList, ']', depth);
    if (accept('{')) return dict(depth);
    if (accept_word("True")) return {.type = Type::kBool, .integer = 1};
    if (accept_word("False")) return {.type = Type::kBool};
    if (accept_word("None")) return {};
    return integer();
  }

  PythonLiteral integer() {
    PythonLiteral value{.type = Type::kInteger};
    const char* start = text_.data() + position_;
    const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), value.integer);
    if (error != std::errc()) fail("expected a literal that fits 64 bits");
    const std::string_view digits(*start == '-' ? start + 1 : start, end);
    if (digits.size() > 1 && digits.front() == '0') fail("a number with a leading zero");
    position_ += static_cast<std::size_t>(end - start);
    if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // written by Python 2
    return value;
  }

  // In parentheses a single value is a tuple only with a comma: ('a') is 'a'.
  PythonLiteral sequence(Type type, char close, int depth) {
    PythonLiteral value{.type = type};
    bool comma = true;
    while (!accept(close)) {
      if (!comma) fail("expected ','");
      value.items.push_back(parse(depth + 1));
      comma = accept(',');
    }
    if (type == Type::kTuple && value.items.size() == 1 && !comma) return PythonLiteral(std::move(value.items.front()));
    return value;
  }

  PythonLiteral dict(int depth) {
    PythonLiteral value{.type = Type::kDict};
    bool comma = true;
    while (!accept('}')) {
      if (!comma) fail("expected ','");
      value.items.push_back(parse(depth + 1));
      if (!accept(':')) fail("expected ':'");
      value.items.push_back(parse(depth + 1));
      comma = accept(',');
    }
    return value;
  }

  std::string string() {
    const char quote = text_[position_++];
    std::string value;
    while (true) {
      if (position_ == text_.size() || text_[position_] == '\n') fail("a string does not end");
      const char c = text_[position_++];
      if (c == quote) return value;
      if (c == '\\') {
        escape(value);
      } else {
        value += c;
      }
    }
  }

  void escape(std::string& value) {
    if (position_ == text_.size()) fail("a string does not end");
    switch (const char c = text_[position_++]) {
      case 'n': value += '\n'; return;
      case 't': value += '\t'; return;
      case 'r': value += '\r'; return;
      case '\\':
      case '\'':
      case '"': value += c; return;
      case 'x': return append_utf8(value, hex(2));
      case 'u': return append_utf8(value, hex(4));
      case 'U': return append_utf8(value, hex(8));
      default: fail("an escape that repr() does not write");
    }
  }

  char32_t hex(std::size_t digits) {
    std::uint32_t code = 0;
    const std::string_view piece = text_.substr(position_, digits);
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), code, 16);
    if (piece.size() != digits || error != std::errc() || end != piece.data() + digits) fail("expected hex digits");
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) fail("no character has this code");
    position_ += digits;
    return code;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

const PythonLiteral* PythonLiteral::find(std::string_view key) const {
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].is(Type::kString) && items[i].text == key) return &items[i + 1];
  }
  return nullptr;
}

PythonLiteral parse_python_literal(std::string_view text) { return LiteralParser(text).run(); }

}  // namespace alknet::tensor
