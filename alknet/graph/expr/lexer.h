#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace alknet::graph::expr {

/// A place in a source text, from 1; columns count bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// Throws Error `expression_invalid`: "expression line 1 column 5: ...".
[[noreturn]] void fail(const Position& position, std::string_view message);

struct Token {
  enum class Kind : std::uint8_t { kEnd, kName, kNumber, kSymbol };
  Kind kind = Kind::kEnd;
  std::string_view text;  ///< In the source.
  double number = 0;      ///< Of kNumber.
  bool integer = false;   ///< Of kNumber: written without point and exponent.
  Position position;
};

/// Splits a source text into tokens. Throws Error `expression_invalid` on a character or number it does not know.
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}
  Token next();

 private:
  void skip_space();
  Token take(Token::Kind kind, std::size_t size);
  Token number();

  std::string_view source_;
  std::size_t at_ = 0;
  Position position_;
};

}  // namespace alknet::graph::expr
