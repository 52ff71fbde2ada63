#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace alknet::schema {

/// A pattern of the form `^[...]*$`, `^[...]+$`: a text of nothing but some ASCII characters. The commonest form, and
/// one that a table decides several times faster than an automaton.
class ClassPattern {
 public:
  /// Nothing when `pattern` (ECMAScript's notation, known to be one) has another form.
  static std::optional<ClassPattern> parse(std::string_view pattern);

  bool matches(std::string_view text) const;

 private:
  bool parse_class(std::string_view inside);

  std::array<std::uint8_t, 256> members_{};  // 1: the byte belongs to the class
  bool may_be_empty_ = false;
};

}  // namespace alknet::schema
