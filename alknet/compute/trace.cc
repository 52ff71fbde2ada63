#include "alknet/compute/trace.h"

#include <utility>

namespace alknet::compute {

void Trace::add(std::string name, std::string category, Clock::time_point start, Clock::time_point end,
                JsonObject details) {
  const auto microseconds = [](Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
  };
  JsonObject event{{"name", std::move(name)},
                   {"cat", std::move(category)},
                   {"ph", "X"},
                   {"pid", 1},
                   {"tid", 1},
                   {"ts", microseconds(start - origin_)},
                   {"dur", microseconds(end - start)},
                   {"args", std::move(details)}};
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
}

Json Trace::to_json() const {
  const std::lock_guard lock(mutex_);
  return JsonObject{{"traceEvents", events_}, {"displayTimeUnit", "ms"}};
}

}  // namespace alknet::compute
