#include "alknet/graph/expr/lexer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "alknet/base/json.h"
#include "alknet/graph/error.h"

namespace alknet::graph::expr {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Longest first.
constexpr std::array<std::string_view, 27> kSymbols = {"<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+",
                                                       "-",  "*",  "/",  "%",  "<",  ">",  "!",  "=",  "?",
                                                       ":",  ";",  ",",  "(",  ")",  "&",  "|",  "^",  "~"};

}  // namespace

void fail(const Position& position, std::string_view message) {
  throw Error(GraphError::kExpressionInvalid,
              fmt::format("expression line {} column {}: {}", position.line, position.column, message),
              JsonObject{{"line", position.line}, {"column", position.column}});
}

void Lexer::skip_space() {
  for (; at_ < source_.size(); ++at_) {
    const char c = source_[at_];
    if (c == '\n') {
      ++position_.line;
      position_.column = 1;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++position_.column;
    } else {
      return;
    }
  }
}

Token Lexer::take(Token::Kind kind, std::size_t size) {
  Token token{kind, source_.substr(at_, size), 0, false, position_};
  at_ += size;
  position_.column += size;
  return token;
}

Token Lexer::number() {
  const std::string_view rest = source_.substr(at_);
  std::size_t size = 0;
  bool integer = true;
  const auto digits = [&] {
    const std::size_t from = size;
    while (size < rest.size() && digit(rest[size])) ++size;
    return size > from;
  };
  bool valid = digits();
  if (size < rest.size() && rest[size] == '.') {
    integer = false;
    ++size;
    valid = digits() || valid;
  }
  if (valid && size < rest.size() && (rest[size] == 'e' || rest[size] == 'E')) {
    integer = false;
    ++size;
    if (size < rest.size() && (rest[size] == '+' || rest[size] == '-')) ++size;
    valid = digits();
  }
  if (!valid || (size < rest.size() && (letter(rest[size]) || rest[size] == '.'))) {
    fail(position_, "this is not a number; write 12, 0.5 or 1e-3");
  }
  double value = 0;
  const auto parsed = std::from_chars(rest.data(), rest.data() + size, value);
  if (parsed.ec != std::errc{}) fail(position_, "this number is too large or too small for a 64-bit float");
  constexpr std::uint64_t kMaxInteger = 9007199254740992;
  std::uint64_t exact = 0;
  const auto whole = std::from_chars(rest.data(), rest.data() + size, exact);
  if (integer && (whole.ec != std::errc{} || exact > kMaxInteger)) {
    fail(position_, "an integer literal goes up to 2^53; write a float, 1e20");
  }
  Token token = take(Token::Kind::kNumber, size);
  token.number = value;
  token.integer = integer;
  return token;
}

Token Lexer::next() {
  skip_space();
  if (at_ == source_.size()) return take(Token::Kind::kEnd, 0);
  const std::string_view rest = source_.substr(at_);
  if (digit(rest[0]) || (rest[0] == '.' && rest.size() > 1 && digit(rest[1]))) return number();
  if (letter(rest[0])) {
    std::size_t size = 1;
    while (size < rest.size() && (letter(rest[size]) || digit(rest[size]))) ++size;
    return take(Token::Kind::kName, size);
  }
  for (const std::string_view symbol : kSymbols) {
    if (rest.starts_with(symbol)) return take(Token::Kind::kSymbol, symbol.size());
  }
  const auto byte = static_cast<unsigned char>(rest[0]);
  fail(position_, byte >= 0x20 && byte < 0x7f ? fmt::format("unexpected character '{}'", rest[0])
                                              : fmt::format("unexpected byte 0x{:02x}", byte));
}

}  // namespace alknet::graph::expr
