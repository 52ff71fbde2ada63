#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

/// Milliseconds since the isolate got its clock.
Value now(Realm realm, const Value& self, Arguments) {
  const auto passed = std::chrono::steady_clock::now() - host_of(self).start;
  return realm.number(std::chrono::duration<double, std::milli>(passed).count());
}

constexpr std::array<MethodSpec, 1> kClockFunctions = {{{"now", 0, now}}};

}  // namespace

std::span<const MethodSpec> clock_functions() { return kClockFunctions; }

}  // namespace alknet::runtime::web
