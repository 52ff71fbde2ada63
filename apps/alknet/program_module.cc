#include "apps/alknet/program_module.h"

#include <unistd.h>

#include <cstdio>

#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

constexpr std::uint64_t kMaxInput = std::uint64_t{1} << 30U;

int status_of(Realm realm, const Value& value) {
  const std::int64_t status = value.is_undefined() ? 0 : value.to_integer("the exit status");
  if (status < 0 || status > 125) throw realm.range_error("an exit status is from 0 to 125");
  return static_cast<int>(status);
}

Value write(Realm, const Value&, Arguments arguments) {
  print(arguments[0].to_string());
  return {};
}

Value write_error(Realm, const Value&, Arguments arguments) {
  const std::string text = arguments[0].to_string();
  std::fwrite(text.data(), 1, text.size(), stderr);
  return {};
}

Value read_all_input(Realm realm, const Value&, Arguments) { return realm.string(read_input("-", kMaxInput)); }

Value columns(Realm realm, const Value&, Arguments) { return realm.number(static_cast<double>(terminal_width())); }

Value terminals(Realm realm) {
  const Value object = realm.object();
  object.set("input", realm.boolean(::isatty(STDIN_FILENO) == 1));
  object.set("output", realm.boolean(::isatty(STDOUT_FILENO) == 1));
  object.set("error", realm.boolean(::isatty(STDERR_FILENO) == 1));
  return object;
}

}  // namespace

runtime::NativeModule program_module(ScriptProgram& program) {
  const auto evaluate = [&program](Realm realm) -> std::vector<Value> {
    const Value arguments = realm.array();
    for (std::size_t i = 0; i < program.arguments.size(); ++i) {
      arguments.set(static_cast<std::uint32_t>(i), realm.string(program.arguments[i]));
    }
    const auto exit = [&program](Realm in, const Value&, Arguments given) -> Value {
      program.exit(status_of(in, given[0]));
      return {};
    };
    const auto set_status = [&program](Realm in, const Value&, Arguments given) -> Value {
      program.exit_status = status_of(in, given[0]);
      return {};
    };
    return {arguments,
            realm.string(program.main),
            realm.closure("exit", 1, exit),
            realm.closure("setExitStatus", 1, set_status),
            realm.function("write", 1, write),
            realm.function("writeError", 1, write_error),
            realm.function("readInput", 0, read_all_input),
            terminals(realm),
            realm.function("columns", 0, columns)};
  };
  return {
      .name = "alknet:program",
      .exports = {"args", "main", "exit", "setExitStatus", "write", "writeError", "readInput", "isTerminal", "columns"},
      .evaluate = evaluate};
}

}  // namespace alknet::app
