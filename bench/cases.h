#pragma once

#include <functional>
#include <map>
#include <string>

#include "alknet/base/json.h"

namespace alknet::bench {

/// A prepared case: each call is one run of it.
using Case = std::function<void()>;

/// Prepares a case from the parameters that bench/run sent.
using MakeCase = Case (*)(const Json& parameters);

using Cases = std::map<std::string, MakeCase, std::less<>>;

/// The cases of one family, by name. One file a family.
Cases compute_cases();
Cases file_cases();
Cases gpu_cases();
Cases quantized_cases();
Cases validation_cases();

/// Keeps the compiler from dropping the work whose result this is.
template <typename T>
void keep(T value) {
  volatile T sink = value;
  static_cast<void>(sink);
}

}  // namespace alknet::bench
