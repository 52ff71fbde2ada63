#include <fmt/format.h>
#include <algorithm>

#include <charconv>
#include <limits>

#include "alknet/base/json.h"
#include "alknet/graph/dim.h"
#include "alknet/graph/dim_terms.h"
#include "alknet/graph/error.h"

namespace alknet::graph {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxNesting = 100;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Python's grammar of `+ - * // %`: the last three bind tighter, all are left-associative, a sign binds tightest.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Dim run() {
    if (text_.size() > kMaxText) fail(fmt::format("a dimension has at most {} characters", kMaxText));
    const Dim dim = sum();
    if (at_ != text_.size()) fail("expected an operator");
    return dim;
  }

 private:
  [[noreturn]] void fail(std::string_view message) const {
    throw Error(GraphError::kDimInvalid, fmt::format("dimension \"{}\" at {}: {}", text_.substr(0, 80), at_, message),
                JsonObject{{"byte", at_}});
  }

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool accept(std::string_view symbol) {
    skip_space();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }

  Dim sum() {
    Dim left = product();
    while (true) {
      if (accept("+")) {
        left = left + product();
      } else if (accept("-")) {
        left = left - product();
      } else {
        return left;
      }
    }
  }

  Dim product() {
    Dim left = factor();
    while (true) {
      if (accept("*")) {
        left = left * factor();
      } else if (accept("//")) {
        left = Dim::floor_divide(left, factor());
      } else if (accept("%")) {
        left = Dim::remainder(left, factor());
      } else {
        skip_space();
        return left;
      }
    }
  }

  Dim factor() {
    if (++nesting_ > kMaxNesting) fail(fmt::format("nested deeper than {}", kMaxNesting));
    Dim result;
    if (accept("-")) {
      // The smallest integer has no positive counterpart to negate.
      result = accept("9223372036854775808") ? Dim(std::numeric_limits<std::int64_t>::min()) : Dim(0) - factor();
    } else if (accept("(")) {
      result = sum();
      if (!accept(")")) fail("expected )");
    } else {
      result = atom();
    }
    --nesting_;
    return result;
  }

  Dim atom() {
    skip_space();
    const std::string_view rest = text_.substr(at_);
    if (rest.empty() || !(digit(rest[0]) || letter(rest[0]))) fail("expected an integer, a name or (");
    std::size_t size = 1;
    while (size < rest.size() && (digit(rest[size]) || letter(rest[size]))) ++size;
    if (letter(rest[0])) {
      at_ += size;
      return Dim::symbol(rest.substr(0, size));
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + size, value);
    if (error != std::errc{}) fail("the integer does not fit 64 bits");
    if (end != rest.data() + size) fail("a name starts with a letter or _");
    at_ += size;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
};

/// Text of an operand of `//` or `%`, which must stand for itself.
std::string operand_text(const Dim& dim) {
  const std::string text = dim.text();
  for (const char c : text) {
    if (!digit(c) && !letter(c)) return "(" + text + ")";
  }
  return text;
}

std::string quotient_text(const DimQuotient& quotient) {
  return fmt::format("{}{}{}", operand_text(quotient.dividend), quotient.remainder ? "%" : "//",
                     operand_text(quotient.divisor));
}

/// A term without its sign. After a leading sign, which binds tighter than `//`, a quotient needs its parentheses.
std::string term_text(const DimTerms::Term& term, bool after_sign) {
  const auto magnitude = term.coefficient < 0 ? 0 - static_cast<std::uint64_t>(term.coefficient)
                                              : static_cast<std::uint64_t>(term.coefficient);
  const bool alone = magnitude == 1 && term.product.size() == 1 && !after_sign;
  std::string text = magnitude == 1 ? "" : std::to_string(magnitude);
  for (const auto& atom : term.product) {
    if (!text.empty()) text += '*';
    if (!atom.quotient) {
      text += atom.name;
    } else {
      text += alone ? quotient_text(*atom.quotient) : "(" + quotient_text(*atom.quotient) + ")";
    }
  }
  return text;
}

/// Shapes of more dimensions are wrong, and a message needs no more of them.
constexpr std::size_t kMostShown = 64;

template <typename Sizes, typename Text>
std::string bracketed(const Sizes& sizes, Text text) {
  std::string out = "[";
  for (std::size_t i = 0; i < std::min(sizes.size(), kMostShown); ++i) {
    if (i > 0) out += ", ";
    out += text(sizes[i]);
  }
  if (sizes.size() > kMostShown) out += ", ... " + std::to_string(sizes.size()) + " dimensions";
  return out + "]";
}

}  // namespace

Dim Dim::symbol(std::string_view name) {
  bool valid = !name.empty() && letter(name[0]);
  for (const char c : name) valid = valid && (digit(c) || letter(c));
  if (!valid) {
    throw Error(GraphError::kIllegalName,
                fmt::format("\"{}\" cannot name a dimension; use letters, digits and _", name.substr(0, 80)));
  }
  return DimBuilder::of({std::string(name), nullptr});
}

Dim Dim::parse(std::string_view text) { return Parser(text).run(); }

std::string Dim::text() const {
  if (!terms_) return std::to_string(constant_);
  std::string text;
  for (const auto& term : terms_->terms) {
    const bool negative = term.coefficient < 0;
    if (text.empty()) {
      text = (negative ? "-" : "") + term_text(term, negative);
    } else {
      text += (negative ? " - " : " + ") + term_text(term, false);
    }
  }
  if (constant_ > 0) text += " + " + std::to_string(constant_);
  if (constant_ < 0) text += " - " + std::to_string(0 - static_cast<std::uint64_t>(constant_));
  return text;
}

std::string shape_text(const SymbolicShape& shape) {
  return bracketed(shape, [](const Dim& dim) { return dim.text(); });
}

std::string shape_text(const Shape& shape) {
  return bracketed(shape, [](std::int64_t size) { return std::to_string(size); });
}

}  // namespace alknet::graph
