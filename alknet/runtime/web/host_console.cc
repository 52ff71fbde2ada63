#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/json.h"
#include "alknet/runtime/isolate_state.h"
#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"log", "info", "debug", "warn", "error"};

Value print(Realm realm, const Value& self, Arguments arguments) {
  WebHost& host = host_of(self);
  const auto level = std::find(kLevels.begin(), kLevels.end(), arguments[0].to_string());
  if (level == kLevels.end()) throw realm.type_error("[console] there is no such level");
  const std::string text = arguments[1].to_string();
  const auto most = realm.isolate().limits().output_bytes;
  if (most && text.size() + 1 > *most - std::min(host.printed, *most)) {
    throw Error(RuntimeError::kLimit,
                fmt::format("[console] more than {} bytes were printed, which is the limit", *most),
                {{"limit", "output_bytes"}, {"most", *most}});
  }
  host.printed += text.size() + 1;
  if (host.options.print) host.options.print(static_cast<ConsoleLevel>(level - kLevels.begin()), text);
  return {};
}

Value report_uncaught(Realm realm, const Value&, Arguments arguments) {
  realm.isolate().state().report(realm.thrown(arguments[0]));
  return {};
}

constexpr std::array<MethodSpec, 2> kConsoleFunctions = {{
    {"print", 2, print},
    {"reportUncaught", 1, report_uncaught},
}};

}  // namespace

std::span<const MethodSpec> console_functions() { return kConsoleFunctions; }

}  // namespace alknet::runtime::web
