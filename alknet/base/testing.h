#pragma once

#include <gtest/gtest.h>

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

/// The Error that `action` throws; fails the test when it throws none.
template <typename Action>
Error error_of(const Action& action) {
  if (const auto error = thrown_by(action)) return *error;
  ADD_FAILURE() << "no error was thrown";
  return {BaseError::kInternal, "no error was thrown"};
}

}  // namespace alknet
