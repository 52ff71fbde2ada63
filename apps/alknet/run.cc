#include <fmt/format.h>
#include <time.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <filesystem>
#include <memory>

#include "alknet/runtime/error_report.h"
#include "alknet/runtime/transform.h"
#include "apps/alknet/output.h"
#include "apps/alknet/script_host.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxScript = std::uint64_t{64} << 20U;

struct RunCommand {
  ScriptOptions script;
  std::string file;
  std::string extension = "ts";
  bool timing = false;
};

/// What starting took, for `--timing`.
class Phases {
 public:
  explicit Phases(bool enabled) : enabled_(enabled) {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    if (enabled_)
      tell("program", std::chrono::duration<double, std::milli>(std::chrono::seconds(spent.tv_sec) +
                                                                std::chrono::nanoseconds(spent.tv_nsec)));
  }

  /// The phase that began with the last one, or with this object, has ended.
  void end(std::string_view name) {
    const auto now = std::chrono::steady_clock::now();
    if (enabled_) tell(name, now - last_);
    last_ = std::chrono::steady_clock::now();
  }

  /// What parts of all these phases have taken.
  void tell_parts(const ScriptHost::Times& times) const {
    if (!enabled_) return;
    print_note("of that");
    tell("  TypeScript", times.typescript);
    tell("  packages", times.packages);
    tell("  operations", times.operations);
    tell("  devices", times.devices);
  }

 private:
  static void tell(std::string_view name, std::chrono::duration<double, std::milli> time) {
    print_note(fmt::format("{:12} {:8.2f} ms", name, time.count()));
  }

  bool enabled_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Begins the script: a promise of its module.
runtime::Value begin(ScriptHost& host, const RunCommand& command) {
  if (command.file != "-") {
    const std::string module = host.module_of(command.file);
    host.resolver().set_main(module);
    return host.isolate().import_module(module);
  }
  const std::string name = (std::filesystem::current_path() / ("stdin." + command.extension)).string();
  const std::string source = host.resolver().transform(name, read_input("-", kMaxScript));
  return host.isolate().eval_module(source, name);
}

int run_script(const RunCommand& command, const Globals& globals) {
  Phases phases(command.timing);
  ScriptHost host(command.script, globals);
  phases.end("isolate");
  host.open_links();
  try {
    const runtime::Value promise = begin(host, command);
    phases.end("load");
    host.wait(promise);
    host.finish();
    phases.end("run");
    phases.tell_parts(host.times());
    return host.program().exit_status;
  } catch (const ScriptExit& exit) {
    return exit.status;
  } catch (const Error& error) {
    end_error_line(host.program());
    throw Error(error.code(), host.describe(error), error.details());
  }
}

}  // namespace

void add_run(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<RunCommand>();
  CLI::App* made = program.add_subcommand(
      "run",
      "Run a script in JavaScript or TypeScript (.js .mjs .ts .tsx) as a program of yours: it may do all that you may");
  made->add_option("FILE", command->file, "The script; - is standard input. What follows goes to the script")
      ->required();
  add_script_options(*made, globals, command->script);
  add_link_options(*made, command->script.links);
  const CLI::Option* extension = made->add_option("--ext", command->extension, "What standard input is: js, ts or tsx")
                                     ->check(CLI::IsMember({"js", "ts", "tsx"}))
                                     ->default_str("ts");
  made->add_flag("--timing", command->timing,
                 "Say on standard error what starting and running took: the process, the isolate, loading, running, "
                 "and of that the compiler, built-in packages, operations and devices");
  set_examples(*made,
               "  alknet run examples/hello.ts\n"
               "  alknet run examples/digits.tsx --epochs 5 --out run\n"
               "  alknet run --peer gpu1 --ops words.ts workflow.tsx\n"
               "  echo 'console.log(1 + 1)' | alknet run -\n");
  made->callback([command, extension, &globals] {
    if (extension->count() > 0 && command->file != "-") {
      throw UsageError(
          fmt::format("--ext is of standard input, which - stands for: {} says by its name what it is", command->file));
    }
    command->script.arguments = globals.script_arguments;
    command->script.main = command->file;
    globals.exit_status = run_script(*command, globals);
  });
}

}  // namespace alknet::app
