#include "apps/alknet/program_module.h"

#include <unistd.h>

#include <cstdio>

#include "alknet/base/files.h"
#include "alknet/runtime/error.h"
#include "apps/alknet/charts.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxInput = std::uint64_t{1} << 30U;

int status_of(runtime::Realm realm, const runtime::Value& value) {
  const std::int64_t status = value.is_undefined() ? 0 : value.to_integer("the exit status");
  if (status < 0 || status > 125) throw realm.range_error("an exit status is from 0 to 125");
  return static_cast<int>(status);
}

/// Ends the script at once.
[[noreturn]] void end_script(ScriptProgram& program, int status) {
  program.exit(status);
  // What script cannot catch; the host knows that nothing took too long.
  throw Error(runtime::RuntimeError::kTimeout, "the script called exit");
}

runtime::Value read_all_input(runtime::Realm realm, const runtime::Value&, runtime::Arguments) {
  return realm.string(read_input("-", kMaxInput));
}

runtime::Value columns(runtime::Realm realm, const runtime::Value&, runtime::Arguments) {
  return realm.number(static_cast<double>(terminal_width({STDOUT_FILENO, STDERR_FILENO})));
}

/// Draws curves into a file: a picture of dots, or SVG by the name of the file.
runtime::Value write_chart(ScriptProgram& program, runtime::Realm realm, runtime::Arguments arguments) {
  const std::string path = program.writable(arguments[0].to_string());
  const runtime::Value chart = arguments[1];
  std::vector<Series> series;
  const runtime::Value curves = chart.get("series");
  for (std::uint32_t i = 0; i < curves.length(); ++i) {
    const runtime::Value curve = curves.get(i);
    Series one{curve.get("name").to_string(), {}};
    const runtime::Value values = curve.get("y");
    for (std::uint32_t k = 0; k < values.length(); ++k) one.values.push_back(values.get(k).to_number());
    series.push_back(std::move(one));
  }
  const Drawing drawing = line_chart(chart.get("title").to_string(), chart.get("xLabel").to_string(),
                                     chart.get("yLabel").to_string(), series);
  if (!path.ends_with(".svg") && !path.ends_with(".png")) throw realm.type_error("a chart is a .png or .svg file");
  write_file(path, path.ends_with(".svg") ? drawing.svg() : drawing.png());
  return {};
}

runtime::Value terminals(runtime::Realm realm) {
  runtime::Value object = realm.object();
  object.define("input", realm.boolean(::isatty(STDIN_FILENO) == 1));
  object.define("output", realm.boolean(::isatty(STDOUT_FILENO) == 1));
  object.define("error", realm.boolean(::isatty(STDERR_FILENO) == 1));
  return object;
}

}  // namespace

void write_error(ScriptProgram& program, std::string_view text) {
  constexpr std::string_view kErased = "\r\x1b[K";
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), stderr);
  program.error_line_open = !text.ends_with('\n') && !text.ends_with(kErased);
}

void end_error_line(ScriptProgram& program) {
  if (program.error_line_open && ::isatty(STDERR_FILENO) == 1) write_error(program, "\n");
}

runtime::NativeModule program_module(ScriptProgram& program) {
  const auto evaluate = [&program](runtime::Realm realm) -> std::vector<runtime::Value> {
    const runtime::Value arguments = realm.array();
    for (std::size_t i = 0; i < program.arguments.size(); ++i) {
      arguments.set(static_cast<std::uint32_t>(i), realm.string(program.arguments[i]));
    }
    const auto exit = [&program](runtime::Realm in, const runtime::Value&, runtime::Arguments given) -> runtime::Value {
      end_script(program, status_of(in, given[0]));
    };
    const auto set_status = [&program](runtime::Realm in, const runtime::Value&,
                                       runtime::Arguments given) -> runtime::Value {
      program.exit_status = status_of(in, given[0]);
      return {};
    };
    const auto write = [&program](runtime::Realm, const runtime::Value&, runtime::Arguments given) {
      const std::string text = given[0].to_string();
      try {
        program.output_to_error ? write_error(program, text) : print(text);
      } catch (const OutputClosed&) {
        end_script(program, 1);
      }
      return runtime::Value();
    };
    const auto write_to_error = [&program](runtime::Realm, const runtime::Value&, runtime::Arguments given) {
      write_error(program, given[0].to_string());
      return runtime::Value();
    };
    const auto dataset = [&program](runtime::Realm in, const runtime::Value&, runtime::Arguments given) {
      return in.string(program.dataset(given[0].to_string()));
    };
    const auto chart = [&program](runtime::Realm in, const runtime::Value&, runtime::Arguments given) {
      return write_chart(program, in, given);
    };
    return {arguments,
            realm.string(program.main),
            realm.closure("exit", 1, exit),
            realm.closure("setExitStatus", 1, set_status),
            realm.closure("write", 1, write),
            realm.closure("writeError", 1, write_to_error),
            realm.function("readInput", 0, read_all_input),
            terminals(realm),
            realm.function("columns", 0, columns),
            realm.closure("dataset", 1, dataset),
            realm.closure("writeChart", 2, chart)};
  };
  return {.name = "alknet:program",
          .exports = {"args", "main", "exit", "setExitStatus", "write", "writeError", "readInput", "isTerminal",
                      "columns", "dataset", "writeChart"},
          .evaluate = evaluate};
}

}  // namespace alknet::app
