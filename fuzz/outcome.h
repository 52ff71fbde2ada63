#pragma once

#include <cstdlib>

#include "alknet/base/error.h"

namespace alknet::fuzz {

/// Aborts, which is what a fuzzer reports.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Any Error is a fine outcome; anything else thrown, or a crash, is a finding. Whether there was none.
template <typename Action>
bool attempt(const Action& action) {
  try {
    action();
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace alknet::fuzz
