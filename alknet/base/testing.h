#pragma once

#include <optional>
#include <string>

#include "alknet/base/error.h"

/// For tests: what an action throws. Exceptions other than Error pass.

namespace alknet {

template <typename Action>
std::optional<Error> thrown_by(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// The name of the code that `action` throws, or "no error".
template <typename Action>
std::string code_of(const Action& action) {
  const auto error = thrown_by(action);
  return error ? error->code_name() : "no error";
}

/// The Error that `action` throws; when it throws none, an `internal` that says so.
template <typename Action>
Error error_of(const Action& action) {
  return thrown_by(action).value_or(Error(BaseError::kInternal, "no error was thrown"));
}

}  // namespace alknet
