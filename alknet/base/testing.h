#pragma once

#include <string>
#include <utility>

#include "alknet/base/error.h"

namespace alknet {

/// For tests: the name of the code that `action` throws, or "no error". Other exceptions pass.
template <typename Action>
std::string code_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& error) {
    return error.code_name();
  }
  return "no error";
}

}  // namespace alknet
