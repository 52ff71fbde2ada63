#include "alknet/runtime/script_log.h"

#include "alknet/runtime/isolate.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {
namespace {

/// The level of LogTape's name.
LogLevel level_of(std::string_view name) {
  return name == "fatal" ? LogLevel::kError : parse_log_level(name).value_or(LogLevel::kInfo);
}

Value write(const Logger& logger, Arguments arguments) {
  const LogLevel level = level_of(arguments[0].to_string());
  if (!logger.enabled(level)) return {};
  const std::string category = arguments[1].to_string(), message = arguments[2].to_string();
  const std::string properties = arguments[3].to_string();
  if (properties.empty()) {
    logger.log(level, message, {{"category", category}});
  } else {
    logger.log(level, message, {{"category", category}, {"properties", properties}});
  }
  return {};
}

}  // namespace

void install_log(Isolate& isolate, Logger logger) {
  const Realm realm = isolate.realm();
  IsolateState& state = ValueAccess::state(realm);
  const Value symbol = checked(state, JS_NewSymbol(context_of(state), "alknet.log", true));
  const Value function = realm.closure(
      "log", 4,
      [logger = std::move(logger)](Realm, const Value&, Arguments arguments) { return write(logger, arguments); });
  define_value(realm.global(), Atom(state, symbol), function, JS_PROP_CONFIGURABLE);
}

}  // namespace alknet::runtime
