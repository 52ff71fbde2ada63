#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/error.h"

namespace alknet::graph {

/// Reads JSON of a known form. Every complaint is an Error of one code whose message and details name the JSON pointer.
/// Refers to the value, which must outlive it.
class JsonReader {
 public:
  /// `what` names the document in messages: "graph".
  JsonReader(const Json& value, GraphError code, std::string_view what, std::string pointer = {})
      : value_(&value), code_(code), what_(what), pointer_(std::move(pointer)) {}

  const Json& value() const { return *value_; }
  const std::string& pointer() const { return pointer_; }
  [[noreturn]] void fail(std::string_view message) const;

  std::string string() const;
  bool boolean() const;
  std::int64_t integer() const;

  /// A member of an object: `at` needs it to be there, `find` does not.
  JsonReader at(std::string_view member) const;
  std::optional<JsonReader> find(std::string_view member) const;
  /// Refuses members other than `known`.
  void only(std::initializer_list<std::string_view> known) const;

  std::vector<std::pair<std::string, JsonReader>> members() const;
  std::vector<JsonReader> items() const;

  /// `find(member)` read by `read`, or `otherwise`.
  bool boolean_or(std::string_view member, bool otherwise) const;
  std::string string_or(std::string_view member, std::string_view otherwise) const;

 private:
  const JsonObject& object() const;

  const Json* value_;
  GraphError code_;
  std::string_view what_;
  std::string pointer_;
};

/// A JSON integer that fits 64 signed bits.
std::optional<std::int64_t> json_integer(const Json& value);

}  // namespace alknet::graph
