#pragma once

#include <string>

#include "alknet/schema/validate.h"

namespace alknet::schema {

template <typename Message>
bool Evaluation::fail(const Instruction& at, const InstancePath& path, const Message& message) {
  if (collect_) record(at, path, message());
  return false;
}

/// "1 item", "3 items".
inline std::string counted(std::uint64_t count, std::string_view noun, std::string_view plural) {
  return std::to_string(count) + " " + std::string(count == 1 ? noun : plural);
}

/// The start of a value as JSON text, for messages.
std::string shown(const Json& value);

}  // namespace alknet::schema
