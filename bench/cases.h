#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "alknet/base/json.h"

namespace alknet::bench {

/// A prepared case.
struct Case {
  Case() = default;
  template <typename Callable>
  requires std::invocable<Callable&> Case(Callable once) : run(std::move(once)) {}  // NOLINT: a lambda is a case
  Case(std::function<void()> once, std::function<double(int count)> took)
      : run(std::move(once)), seconds(std::move(took)) {}

  /// One run of it.
  std::function<void()> run;

  /// What `count` runs are said to have taken, in seconds, where that is not the time from the first to the last: a
  /// percentile, say.
  std::function<double(int count)> seconds;
};

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
