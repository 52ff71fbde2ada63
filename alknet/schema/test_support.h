#pragma once

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::schema {

/// The Error that `action` throws; a failure and an empty one when it throws none.
template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {std::error_code(), "none"};
}

template <typename Action>
std::string code_of(const Action& action) {
  return error_of(action).code_name();
}

}  // namespace alknet::schema
