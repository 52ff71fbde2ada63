#include "alknet/net/http/headers.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"

namespace alknet::net {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token_character(char c) {
  const bool letter_or_digit = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
  return letter_or_digit || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_value_character(char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\t'; }

HttpHeaders::Field checked_field(std::string_view name, std::string_view value) {
  value = trim(value);
  if (!is_token(name)) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[header] \"{:.40}\" is not a header name: use letters, digits "
                            "and hyphens",
                            is_token(name.substr(0, 1)) ? name : ""));
  }
  if (!std::all_of(value.begin(), value.end(), is_value_character)) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[header] the value of {} has control characters (a line break?)", name));
  }
  return {std::string(name), std::string(value)};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

HttpHeaders::HttpHeaders(std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

void HttpHeaders::add(std::string_view name, std::string_view value) { fields_.push_back(checked_field(name, value)); }

void HttpHeaders::set(std::string_view name, std::string_view value) {
  Field field = checked_field(name, value);
  const auto same = [&](const Field& other) { return equal_ignoring_case(other.first, name); };
  const auto found = std::find_if(fields_.begin(), fields_.end(), same);
  if (found == fields_.end()) {
    fields_.push_back(std::move(field));
    return;
  }
  *found = std::move(field);
  fields_.erase(std::remove_if(found + 1, fields_.end(), same), fields_.end());
}

void HttpHeaders::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return equal_ignoring_case(field.first, name); });
}

std::optional<std::string_view> HttpHeaders::get(std::string_view name) const {
  for (const auto& [other, value] : fields_) {
    if (equal_ignoring_case(other, name)) return value;
  }
  return std::nullopt;
}

std::size_t HttpHeaders::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Field& field) { return equal_ignoring_case(field.first, name); }));
}

std::string HttpHeaders::joined(std::string_view name) const {
  std::string all;
  for (const auto& [other, value] : fields_) {
    if (!equal_ignoring_case(other, name)) continue;
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

bool HttpHeaders::has_token(std::string_view name, std::string_view token) const {
  const std::string all = joined(name);
  std::string_view rest = all;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    if (equal_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

std::string HttpHeaders::wire() const {
  std::string text;
  for (const auto& [name, value] : fields_) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  }
  return text;
}

}  // namespace alknet::net
