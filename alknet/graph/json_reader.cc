#include "alknet/graph/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace alknet::graph {
namespace {

std::string child_pointer(const std::string& parent, std::string_view token) {
  std::string pointer = parent + "/";
  for (const char c : token) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace

void JsonReader::fail(std::string_view message) const {
  throw Error(code_, fmt::format("{} at \"{}\": {}", what_, pointer_, message), JsonObject{{"pointer", pointer_}});
}

std::string JsonReader::string() const {
  if (!value_->is_string()) fail("must be a string");
  return std::string(value_->get_string());
}

bool JsonReader::boolean() const {
  if (!value_->is_bool()) fail("must be true or false");
  return value_->get_bool();
}

std::int64_t JsonReader::integer() const {
  const auto integer = json_integer(*value_);
  if (!integer) fail("must be an integer of 64 bits");
  return *integer;
}

const JsonObject& JsonReader::object() const {
  if (!value_->is_object()) fail("must be an object");
  return value_->get_object();
}

std::optional<JsonReader> JsonReader::find(std::string_view member) const {
  const Json* found = object().if_contains(member);
  if (found == nullptr) return std::nullopt;
  return JsonReader(*found, code_, what_, child_pointer(pointer_, member));
}

JsonReader JsonReader::at(std::string_view member) const {
  auto found = find(member);
  if (!found) fail(fmt::format("lacks the member \"{}\"", member));
  return *std::move(found);
}

void JsonReader::only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, member] : object()) {
    if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end()) {
      fail(fmt::format("has the unknown member \"{}\"; known are {}", std::string_view(key), fmt::join(known, ", ")));
    }
  }
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
  std::vector<std::pair<std::string, JsonReader>> members;
  for (const auto& [key, member] : object()) {
    members.emplace_back(std::string(key), JsonReader(member, code_, what_, child_pointer(pointer_, key)));
  }
  return members;
}

std::vector<JsonReader> JsonReader::items() const {
  if (!value_->is_array()) fail("must be an array");
  std::vector<JsonReader> items;
  std::size_t index = 0;
  for (const auto& item : value_->get_array()) {
    items.emplace_back(item, code_, what_, child_pointer(pointer_, std::to_string(index++)));
  }
  return items;
}

bool JsonReader::boolean_or(std::string_view member, bool otherwise) const {
  const auto found = find(member);
  return found ? found->boolean() : otherwise;
}

std::string JsonReader::string_or(std::string_view member, std::string_view otherwise) const {
  const auto found = find(member);
  return found ? found->string() : std::string(otherwise);
}

std::optional<std::int64_t> json_integer(const Json& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64() && value.get_uint64() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return static_cast<std::int64_t>(value.get_uint64());
  }
  return std::nullopt;
}

}  // namespace alknet::graph
