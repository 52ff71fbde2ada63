#include <algorithm>

#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

Value start_timer(Realm realm, const Value& self, Arguments arguments) {
  constexpr double kLongest = INT32_MAX;
  const double given = arguments[1].to_number();
  const std::chrono::milliseconds delay(given > 0 ? static_cast<std::int64_t>(std::min(given, kLongest)) : 0);
  return realm.number(
      host_of(self).timers.start(arguments[0], delay, arguments[2].to_boolean(), arguments[3].to_boolean()));
}

Value stop_timer(Realm, const Value& self, Arguments arguments) {
  const double id = arguments[0].to_number();
  if (id >= 1 && id <= UINT32_MAX) host_of(self).timers.stop(static_cast<std::uint32_t>(id));
  return {};
}

constexpr std::array<MethodSpec, 2> kTimerFunctions = {{
    {"startTimer", 4, start_timer},
    {"stopTimer", 1, stop_timer},
}};

}  // namespace

std::span<const MethodSpec> timer_functions() { return kTimerFunctions; }

}  // namespace alknet::runtime::web
