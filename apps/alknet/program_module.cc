#include "apps/alknet/program_module.h"

#include <unistd.h>

#include <cstdio>

#include "alknet/runtime/error.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxInput = std::uint64_t{1} << 30U;

int status_of(runtime::Realm realm, const runtime::Value& value) {
  const std::int64_t status = value.is_undefined() ? 0 : value.to_integer("the exit status");
  if (status < 0 || status > 125) throw realm.range_error("an exit status is from 0 to 125");
  return static_cast<int>(status);
}

runtime::Value write(runtime::Realm, const runtime::Value&, runtime::Arguments arguments) {
  print(arguments[0].to_string());
  return {};
}

runtime::Value write_error(runtime::Realm, const runtime::Value&, runtime::Arguments arguments) {
  const std::string text = arguments[0].to_string();
  std::fwrite(text.data(), 1, text.size(), stderr);
  return {};
}

runtime::Value read_all_input(runtime::Realm realm, const runtime::Value&, runtime::Arguments) {
  return realm.string(read_input("-", kMaxInput));
}

runtime::Value columns(runtime::Realm realm, const runtime::Value&, runtime::Arguments) {
  return realm.number(static_cast<double>(terminal_width()));
}

runtime::Value terminals(runtime::Realm realm) {
  const runtime::Value object = realm.object();
  object.set("input", realm.boolean(::isatty(STDIN_FILENO) == 1));
  object.set("output", realm.boolean(::isatty(STDOUT_FILENO) == 1));
  object.set("error", realm.boolean(::isatty(STDERR_FILENO) == 1));
  return object;
}

}  // namespace

runtime::NativeModule program_module(ScriptProgram& program) {
  const auto evaluate = [&program](runtime::Realm realm) -> std::vector<runtime::Value> {
    const runtime::Value arguments = realm.array();
    for (std::size_t i = 0; i < program.arguments.size(); ++i) {
      arguments.set(static_cast<std::uint32_t>(i), realm.string(program.arguments[i]));
    }
    const auto exit = [&program](runtime::Realm in, const runtime::Value&, runtime::Arguments given) -> runtime::Value {
      program.exit(status_of(in, given[0]));
      // What script cannot catch; the host knows that nothing took too long.
      throw Error(runtime::RuntimeError::kTimeout, "the script called exit");
    };
    const auto set_status = [&program](runtime::Realm in, const runtime::Value&,
                                       runtime::Arguments given) -> runtime::Value {
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
