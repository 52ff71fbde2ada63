#pragma once

#include <charconv>

namespace alknet {

/// The double whose shortest decimal text is that of `value`, so that JSON shows 0.1 for 0.1f.
inline double shortest_double(float value) {
  char text[32];
  const auto written = std::to_chars(text, text + sizeof text, value);
  double number = 0;
  std::from_chars(text, written.ptr, number);
  return number;
}

}  // namespace alknet
