#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alknet::net {

/// The header fields of an HTTP message, in order; names are compared without regard to case (RFC 9110 section 5).
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields);

  /// Appends a field. Throws `invalid_argument` when the name is no token or the value has control characters, so that
  /// no text can smuggle in another field. White space around the value is dropped.
  void add(std::string_view name, std::string_view value);

  /// Replaces all fields of that name by one.
  void set(std::string_view name, std::string_view value);

  /// Removes all fields of that name.
  void remove(std::string_view name);

  /// The first value of that name.
  std::optional<std::string_view> get(std::string_view name) const;
  bool has(std::string_view name) const { return get(name).has_value(); }

  /// How many fields have that name.
  std::size_t count(std::string_view name) const;

  /// All values of that name, joined by ", ".
  std::string joined(std::string_view name) const;

  /// Whether `token` is among the comma-separated values of that name, without regard to case.
  bool has_token(std::string_view name, std::string_view token) const;

  const std::vector<Field>& fields() const { return fields_; }
  bool empty() const { return fields_.empty(); }

  /// "Name: value\r\n" for each.
  std::string wire() const;

 private:
  std::vector<Field> fields_;
};

/// Whether two texts are equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// `text` without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// Whether `text` is a token (RFC 9110 section 5.6.2): a method or field name.
bool is_token(std::string_view text);

}  // namespace alknet::net
