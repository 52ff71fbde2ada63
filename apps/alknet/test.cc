#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>

#include "alknet/runtime/convert.h"
#include "alknet/runtime/error_report.h"
#include "apps/alknet/durations.h"
#include "apps/alknet/output.h"
#include "apps/alknet/script_host.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

struct TestCommand {
  ScriptOptions script;
  std::vector<std::string> paths;
  std::string filter;
  std::string timeout = "5s";
};

constexpr std::string_view kRunner = "@alknet/test/runner";

/// How long a test may run without a pause, beyond its own time twice; and a file that loads.
constexpr std::chrono::seconds kGrace{1}, kLoad{60};

bool is_test_file(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const std::string_view ending : {".test.ts", ".test.tsx", ".test.js", ".test.mjs"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

/// The test files under a folder, sorted; hidden folders and node_modules are not looked into.
void add_folder(const fs::path& folder, std::vector<std::string>& files) {
  std::vector<std::string> found;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied);
  for (auto at = fs::begin(entries); at != fs::end(entries); ++at) {
    const std::string name = at->path().filename().string();
    if (at->is_directory() && (name.starts_with('.') || name == "node_modules")) {
      at.disable_recursion_pending();
    } else if (is_test_file(at->path())) {
      found.push_back(at->path().lexically_normal().string());
    }
  }
  std::sort(found.begin(), found.end());
  files.insert(files.end(), found.begin(), found.end());
}

std::vector<std::string> test_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  if (paths.empty()) add_folder(".", files);
  for (const std::string& path : paths) {
    if (fs::is_directory(path)) {
      add_folder(path, files);
    } else {
      files.push_back(path);
    }
  }
  if (files.empty())
    throw UsageError("there are no tests: name a file, or a folder with files called *.test.ts or *.test.js");
  return files;
}

/// The stack of a failure without the frames of the test runner itself, and what the runtime did for it.
std::string own_stack(std::string_view stack) {
  auto frames = runtime::parse_stack(stack);
  std::erase_if(frames, [](const runtime::StackFrame& frame) {
    return frame.file.starts_with("@alknet/test") || frame.file.starts_with("alknet:");
  });
  while (!frames.empty() && frames.back().file == "native") frames.pop_back();
  return runtime::stack_text(frames);
}

/// The message and stack of an error, as the runner keeps failures.
JsonObject failure_of(const Error& error) {
  JsonObject failure{{"message", error.message()}};
  if (const JsonObject* details = error.details().if_object()) {
    if (const Json* stack = details->if_contains("stack")) failure["stack"] = *stack;
  }
  return failure;
}

std::string indented(std::string_view text, std::string_view margin) {
  std::string out(margin);
  for (const char c : text) {
    out += c;
    if (c == '\n') out += margin;
  }
  return out;
}

/// Ends a script that does not let the loop run for too long.
class Watch {
 public:
  Watch(Loop& loop, runtime::Isolate& isolate, std::chrono::milliseconds limit)
      : loop_(loop), isolate_(isolate), limit_(limit) {
    beat();
  }
  ~Watch() {
    loop_.cancel(timer_);
    isolate_.set_deadline(std::nullopt);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// From now on this long.
  void allow(std::chrono::milliseconds limit) {
    limit_ = limit;
    isolate_.set_deadline(std::chrono::steady_clock::now() + limit_);
  }

 private:
  static constexpr std::chrono::milliseconds kBeat{100};

  void beat() {
    if (isolate_.interrupted()) return loop_.stop();  // the isolate has kept why
    allow(limit_);
    timer_ = loop_.post_after(kBeat, [this] { beat(); });
  }

  Loop& loop_;
  runtime::Isolate& isolate_;
  std::chrono::milliseconds limit_;
  TimerId timer_{};
};

class TestRun {
 public:
  TestRun(const TestCommand& command, const Globals& globals)
      : command_(command), globals_(globals), color_(use_color(globals)), timeout_(parse_duration(command.timeout)) {}

  /// Runs the tests of one file, in an isolate of its own.
  void run(const std::string& file) {
    ++files_;
    if (!globals_.json) print(fmt::format("{}\n", paint("1", file)));
    try {
      ScriptOptions options = command_.script;
      options.main = file;
      ScriptHost host(options, globals_);
      try {
        run_in(host, file);
      } catch (const ScriptExit& exit) {
        fail(file, fmt::format("the test called exit({})", exit.status));
      } catch (const Error& error) {
        if (error.code() == runtime::RuntimeError::kTimeout) {
          fail(file, late(), running_);
        } else {
          fail(file, host.describe(error));
        }
      }
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      fail(file, error.message());
    }
  }

  bool ok() const { return failed_ == 0 && !nothing_matched(); }

  void finish() const {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_;
    if (globals_.json) {
      return print_json(JsonObject{{"ok", ok()},
                                   {"files", files_},
                                   {"passed", passed_},
                                   {"failed", failed_},
                                   {"skipped", skipped_},
                                   {"todo", todo_},
                                   {"seconds", time.count()},
                                   {"tests", tests_}});
    }
    std::string text =
        fmt::format("\n{}", paint(ok() ? "32" : "31", fmt::format("{} passed, {} failed", passed_, failed_)));
    if (skipped_ != 0) text += fmt::format(", {} skipped", skipped_);
    if (todo_ != 0) text += fmt::format(", {} to do", todo_);
    print(text + fmt::format(" in {} file{}, {:.2f} s\n", files_, files_ == 1 ? "" : "s", time.count()));
    if (nothing_matched())
      print_note(fmt::format("no test has \"{}\" in its name and those of its groups", command_.filter));
  }

 private:
  bool nothing_matched() const { return !command_.filter.empty() && passed_ + failed_ + todo_ == 0; }

  /// What to say of a file that was ended.
  std::string late() const {
    if (running_.empty()) return fmt::format("it was still loading after {} s, and was ended", kLoad.count());
    return fmt::format(
        "{} never paused in more than twice its time, and was ended: does a loop not end? The tests "
        "after it were not run",
        running_);
  }

  std::string paint(std::string_view code, std::string_view text) const {
    return color_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }

  void run_in(ScriptHost& host, const std::string& file) {
    runtime::Isolate& isolate = host.isolate();
    const runtime::Realm realm = isolate.realm();
    const runtime::Value runner = host.wait(isolate.import_module(kRunner));
    const runtime::Value names = runner.get("globals");
    for (const std::string& name : names.keys()) realm.global().set(name, names.get(name));
    const std::string module = host.module_of(file);
    const runtime::Value options = realm.object();
    options.set("files", realm.array(std::array{realm.string(file)}));
    options.set("load",
                realm.closure("load", 1, [module](runtime::Realm in, const runtime::Value&, runtime::Arguments) {
                  return in.isolate().import_module(module);
                }));
    options.set(
        "report",
        realm.closure("report", 1, [this, &host](runtime::Realm, const runtime::Value&, runtime::Arguments arguments) {
          report(host, runtime::to_json(arguments[0]));
          return runtime::Value();
        }));
    running_.clear();
    Watch watch(host.loop(), isolate, kLoad);
    options.set("begin", realm.closure("begin", 3,
                                       [this, &watch](runtime::Realm, const runtime::Value&, runtime::Arguments given) {
                                         running_ = given[1].to_string();
                                         const std::chrono::duration<double, std::milli> time(given[2].to_number());
                                         watch.allow(kGrace + 2 * std::chrono::ceil<std::chrono::milliseconds>(time));
                                         return runtime::Value();
                                       }));
    const auto uncaught = std::make_shared<JsonArray>();
    host.on_uncaught([uncaught](const Error& error) {
      if (error.code() == runtime::RuntimeError::kTimeout) return false;
      uncaught->push_back(failure_of(error));
      return true;
    });
    options.set("uncaught",
                realm.closure("uncaught", 0, [uncaught](runtime::Realm in, const runtime::Value&, runtime::Arguments) {
                  return runtime::from_json(in, std::exchange(*uncaught, JsonArray()));
                }));
    options.set("turn", realm.evaluate("((start) => () => new Promise((done) => start(done, 0)))(setTimeout)", "test"));
    options.set("now", realm.evaluate("() => performance.now()", "test"));
    options.set("after", realm.evaluate("(milliseconds, then) => { const timer = setTimeout(then, milliseconds);"
                                        " return () => clearTimeout(timer); }",
                                        "test"));
    options.set("timeout", realm.number(static_cast<double>(timeout_.count())));
    if (!command_.filter.empty()) options.set("filter", realm.string(command_.filter));
    host.wait(runner.invoke("run", std::array{options}));
  }

  /// Keeps and tells what became of one test.
  void report(ScriptHost& host, Json result) {
    JsonObject& test = result.as_object();
    const std::string status(test.at("status").as_string());
    std::size_t& count = status == "passed"   ? passed_
                         : status == "failed" ? failed_
                         : status == "todo"   ? todo_
                                              : skipped_;
    ++count;
    std::string reason;
    if (Json* failure = test.if_contains("failure")) {
      JsonObject& object = failure->as_object();
      std::string stack;
      if (const Json* text = object.if_contains("stack")) stack = own_stack(text->as_string());
      const std::string message(object.at("message").as_string());
      reason = host.describe(Error(runtime::RuntimeError::kScriptThrew, message, JsonObject{{"stack", stack}}));
      object["stack"] = stack;
    }
    if (!globals_.json) print(line(test, status, reason));
    tests_.push_back(std::move(result));
  }

  std::string line(const JsonObject& test, std::string_view status, std::string_view reason) const {
    std::string name;
    for (const Json& group : test.at("groups").as_array()) name += fmt::format("{} > ", std::string(group.as_string()));
    name += test.at("name").as_string();
    const double time = test.at("milliseconds").to_number<double>();
    if (status == "passed") {
      const std::string slow = time >= 100 ? fmt::format(" ({:.0f} ms)", time) : "";
      return fmt::format("  {} {}{}\n", paint("32", "✓"), name, paint("2", slow));
    }
    if (status == "failed") return fmt::format("  {} {}\n{}\n", paint("31", "✗"), name, indented(reason, "      "));
    return fmt::format("  {} {}\n", paint("2", "-"), paint("2", fmt::format("{} ({})", name, status)));
  }

  /// A failure of the whole file, or of the test `name` with which it ended.
  void fail(const std::string& file, const std::string& reason, const std::string& name = "") {
    ++failed_;
    const std::string what = name.empty() ? "the file" : name;
    if (!globals_.json) print(fmt::format("  {} {}\n{}\n", paint("31", "✗"), what, indented(reason, "      ")));
    tests_.push_back(JsonObject{{"file", file},
                                {"groups", JsonArray()},
                                {"name", what},
                                {"status", "failed"},
                                {"milliseconds", 0},
                                {"failure", JsonObject{{"message", reason}}}});
  }

  const TestCommand& command_;
  const Globals& globals_;
  bool color_;
  std::chrono::milliseconds timeout_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::string running_;  // the name of the test that runs
  std::size_t files_ = 0, passed_ = 0, failed_ = 0, skipped_ = 0, todo_ = 0;
  JsonArray tests_;
};

}  // namespace

void add_test(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<TestCommand>();
  CLI::App* made = program.add_subcommand("test", "Run the tests of scripts: describe, test and expect");
  made->add_option("FILES", command->paths, "Files, or folders with files called *.test.ts; none: the current folder");
  made->add_option("--filter", command->filter, "Only tests whose name, with those of its groups, contains this");
  made->add_option("--timeout", command->timeout, "How long a test may take that does not say so itself")
      ->capture_default_str();
  add_script_options(*made, globals, command->script);
  add_json_flag(*made, globals);
  set_examples(*made, "  alknet test\n  alknet test model.test.ts --filter \"forward\" --json\n");
  made->callback([command, &globals] {
    command->script.output_to_error = globals.json;
    TestRun run(*command, globals);
    for (const std::string& file : test_files(command->paths)) run.run(file);
    run.finish();
    if (!run.ok()) globals.exit_status = 1;
  });
}

}  // namespace alknet::app
