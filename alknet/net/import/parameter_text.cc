#include "alknet/net/import/parameter_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/net/http/url.h"

namespace alknet::net {

namespace {

using Encode = std::string (*)(std::string_view);

std::string encode_all(std::string_view text) { return percent_encode(text); }
std::string encode_reserved(std::string_view text) { return encode_text(text, true); }
std::string as_is(std::string_view text) { return std::string(text); }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// The items of an array, or the members of an object as "name,value" (exploded "name=value"), joined.
std::string joined(const Json& value, bool explode, std::string_view separator, Encode encode) {
  std::string text;
  const auto add = [&](const std::string& piece) {
    if (!text.empty()) text += separator;
    text += piece;
  };
  if (const auto* array = value.if_array()) {
    bool first = true;
    for (const Json& item : *array) {
      if (!first) text += separator;
      text += encode(plain_text(item));
      first = false;
    }
    return text;
  }
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      if (explode) {
        add(encode(name) + "=" + encode(plain_text(member)));
      } else {
        add(encode(name));
        add(encode(plain_text(member)));
      }
    }
    return text;
  }
  return encode(plain_text(value));
}

bool is_container(const Json& value) { return value.is_object() || value.is_array(); }

std::string matrix_text(const HttpParameter& parameter, const Json& value) {
  const std::string name = percent_encode(parameter.name);
  const auto named = [&](const std::string& text) { return text.empty() ? ";" + name : ";" + name + "=" + text; };
  if (!is_container(value) || !parameter.explode) return named(joined(value, false, ",", encode_all));
  std::string text;
  if (const auto* array = value.if_array()) {
    for (const Json& item : *array) text += named(percent_encode(plain_text(item)));
    return text;
  }
  for (const auto& [key, member] : value.get_object()) {
    text += ";" + percent_encode(key) + "=" + percent_encode(plain_text(member));
  }
  return text;
}

void deep_pairs(const std::string& name, const Json& value, Encode encode, TextPairs& pairs) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      deep_pairs(fmt::format("{}%5B{}%5D", name, percent_encode(key)), member, encode, pairs);
    }
  } else if (const auto* array = value.if_array()) {
    for (const Json& item : *array) pairs.emplace_back(name, encode(plain_text(item)));
  } else {
    pairs.emplace_back(name, encode(plain_text(value)));
  }
}

}  // namespace

std::string plain_text(const Json& value) {
  if (value.is_string()) return std::string(value.get_string());
  return value.is_null() ? std::string() : json_text(value);
}

std::string encode_text(std::string_view text, bool allow_reserved) {
  if (!allow_reserved) return percent_encode(text);
  constexpr std::string_view kReserved = ":/?@!$'()*,;";
  std::string encoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    if (escape || kReserved.find(text[i]) != std::string_view::npos) {
      encoded += text[i];
    } else {
      encoded += percent_encode(text.substr(i, 1));
    }
  }
  return encoded;
}

std::string path_text(const HttpParameter& parameter, const Json& value) {
  switch (parameter.style) {
    case ParameterStyle::kJson: return percent_encode(json_text(value));
    case ParameterStyle::kMatrix: return matrix_text(parameter, value);
    case ParameterStyle::kLabel:
      return "." + joined(value, parameter.explode, parameter.explode ? "." : ",", encode_all);
    default: return joined(value, parameter.explode, ",", encode_all);
  }
}

std::string header_text(const HttpParameter& parameter, const Json& value) {
  return parameter.style == ParameterStyle::kJson ? json_text(value) : joined(value, parameter.explode, ",", as_is);
}

TextPairs query_pairs(const HttpParameter& parameter, const Json& value) {
  const Encode encode = parameter.allow_reserved ? encode_reserved : encode_all;
  const std::string name = percent_encode(parameter.name);
  TextPairs pairs;
  if (parameter.style == ParameterStyle::kJson) {
    pairs.emplace_back(name, encode(json_text(value)));
    return pairs;
  }
  if (!is_container(value)) {
    pairs.emplace_back(name, encode(plain_text(value)));
    return pairs;
  }
  if (parameter.style == ParameterStyle::kDeepObject) {
    deep_pairs(name, value, encode, pairs);
    return pairs;
  }
  const bool empty = value.is_array() ? value.get_array().empty() : value.get_object().empty();
  if (empty) return pairs;
  if (!parameter.explode) {
    const std::string_view separator = parameter.style == ParameterStyle::kSpaceDelimited  ? "%20"
                                       : parameter.style == ParameterStyle::kPipeDelimited ? "%7C"
                                                                                           : ",";
    pairs.emplace_back(name, joined(value, false, separator, encode));
    return pairs;
  }
  if (const auto* array = value.if_array()) {
    for (const Json& item : *array) pairs.emplace_back(name, encode(plain_text(item)));
    return pairs;
  }
  for (const auto& [key, member] : value.get_object()) {
    pairs.emplace_back(percent_encode(key), encode(plain_text(member)));
  }
  return pairs;
}

std::string join_pairs(const TextPairs& pairs, std::string_view separator) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text += separator;
    text += name;
    text += '=';
    text += value;
  }
  return text;
}

}  // namespace alknet::net
