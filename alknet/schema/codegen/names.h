#pragma once

#include <set>
#include <string>
#include <string_view>

#include "alknet/base/json.h"

namespace alknet::schema {

/// Whether `text` is an identifier as C++ and TypeScript both have it: ASCII letters, digits and `_`, no digit first.
bool is_identifier(std::string_view text);

/// `text` as an identifier for C++: other characters become `_`; keywords, names that C++ reserves and macros of the
/// standard headers get a `_` behind.
std::string cpp_identifier(std::string_view text);

/// `text` as the name of a type: "shipping address" and "shipping_address" become "ShippingAddress".
std::string camel_case(std::string_view text);

/// JSON text in ASCII, for comments and string literals: nothing in it ends a line or reorders what people see.
std::string ascii_json(const Json& value);

/// Throws `invalid_argument` when `name`, which someone chose for a type, is no identifier or a keyword of either
/// language.
void require_type_name(std::string_view name);

/// The names of one scope.
class Names {
 public:
  /// `wanted`, or with the first number behind that makes it new.
  std::string unique(const std::string& wanted);
  void reserve(const std::string& name) { taken_.insert(name); }

 private:
  std::set<std::string, std::less<>> taken_;
};

}  // namespace alknet::schema
