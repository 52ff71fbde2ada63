#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "alknet/base/json.h"

namespace alknet::compute {

/// What ran when, as Chrome's tracing shows it (chrome://tracing, Perfetto). Thread-safe.
class Trace {
 public:
  using Clock = std::chrono::steady_clock;

  Trace() : origin_(Clock::now()) {}

  /// Something that took from `start` to `end`; `details` are shown beside it.
  void add(std::string name, std::string category, Clock::time_point start, Clock::time_point end,
           JsonObject details = {});

  /// {"traceEvents": [...]}: complete events, in microseconds since this was made, in the order in which they were
  /// added.
  Json to_json() const;

 private:
  const Clock::time_point origin_;
  mutable std::mutex mutex_;
  JsonArray events_;
};

}  // namespace alknet::compute
