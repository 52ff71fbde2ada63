#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/base/pool_executor.h"
#include "alknet/platform/fetch.h"
#include "alknet/platform/fs.h"
#include "alknet/runtime/error_report.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/resolver.h"
#include "alknet/runtime/transform.h"
#include "apps/alknet/command.h"
#include "apps/alknet/program_module.h"
#include "apps/alknet/program_operations.h"

namespace CLI {
class App;
}

namespace alknet::app {

/// How scripts are run, from the command line.
struct ScriptOptions {
  std::string device = {};                    ///< where tensors are made; empty: the machine's default
  std::string import_map;                     ///< a file; empty: none
  std::vector<std::string> roots = {};        ///< folders that modules may come from; empty: all
  bool restricted = false;                    ///< only what follows is allowed
  std::vector<std::string> allow_fetch = {};  ///< origins
  std::vector<std::string> allow_fs = {};     ///< paths, with ":rw" behind those that may be changed
  ProgramLinkOptions links = {};              ///< operations of others
  bool output_to_error = false;  ///< what the script prints goes to standard error: the command prints something itself
  bool element_places = false;   ///< elements of TSX know where they were written
  std::vector<std::string> arguments = {};
  std::string main = {};
};

/// What a file of `--import-map` holds.
struct ImportMapFile {
  JsonObject document;
  runtime::ImportMap map;
};

/// Reads one; an empty name: no map. Throws UsageError.
ImportMapFile read_import_map(const std::string& file);

/// Adds the flags that `run`, `repl`, `test` and `check` have in common.
void add_script_options(CLI::App& command, const Globals& globals, ScriptOptions& options);

/// The script called exit: nothing of it runs any more.
struct ScriptExit : std::exception {
  explicit ScriptExit(int value) : status(value) {}
  const char* what() const noexcept override { return "the script called exit"; }
  int status;
};

/// One script of the user: an isolate with all that a program of this machine may have, and the event loop, which runs
/// on the calling thread. One thread.
class ScriptHost {
 public:
  /// Throws UsageError for an import map or a root that cannot be used.
  ScriptHost(const ScriptOptions& options, const Globals& globals);
  ~ScriptHost();

  runtime::Isolate& isolate() { return *isolate_; }
  runtime::ScriptResolver& resolver() { return *resolver_; }
  Loop& loop() { return loop_; }
  ScriptProgram& program() { return program_; }

  /// Waits until the operations of others that the options name are there; before the script. Throws UsageError, and
  /// why one is not.
  void open_links();

  /// The name of the module that a file named on the command line is. Throws `module_not_found`.
  std::string module_of(const std::string& file);

  /// Runs the loop until `promise` is settled and gives what it holds. Throws ScriptExit; ScriptError for a rejection
  /// and what nobody caught; `script_threw` when nothing is left that could settle it.
  runtime::Value wait(const runtime::Value& promise);

  /// Runs the loop until nothing is left to do. Throws as above.
  void finish();

  /// Runs the loop until somebody stops it: for hosts that wait for more than the script. Throws as above.
  void turn();

  /// Asks `take` about each error of the script that nobody caught: true, and the script goes on as if it had been.
  void on_uncaught(std::function<bool(const Error&)> take) { take_uncaught_ = std::move(take); }

  /// What parts of the work have taken so far, for people who wonder about a slow start.
  struct Times {
    std::chrono::nanoseconds typescript;  ///< turning it into JavaScript
    std::chrono::nanoseconds packages;    ///< reading the bytecode of built-in packages
    std::chrono::nanoseconds operations;  ///< making those of this machine
    std::chrono::nanoseconds devices;     ///< looking for devices and acquiring them, on the thread that computes
  };
  Times times() const;

  /// What a person reads of an error that a script threw.
  std::string describe(const Error& error) { return runtime::describe_error(error, *resolver_); }

 private:
  void prepare_program(const ScriptOptions& options, const Globals& globals);
  void make_isolate(const ScriptOptions& options);
  void install_platform(const ScriptOptions& options,
                        const Globals& globals);  // what the isolate has beside ECMAScript
  platform::FsOptions fs_options(const ScriptOptions& options);
  void throw_pending();  // the end that the script asked for, or what it did not catch
  Executor& file_pool();
  runtime::Value fetch(runtime::Realm realm, const runtime::Value& request);
  std::shared_ptr<bool> watch_idle();  // becomes true, and the loop stops, when nothing is left to do

  ProgramLinkOptions links_;
  ProgramOperations operations_;  // outlives what the loop still holds
  Loop loop_;
  std::unique_ptr<PoolExecutor> file_pool_;                                               // when the first file is used
  std::function<runtime::Value(runtime::Realm, const runtime::Value& request)> network_;  // when the first is fetched
  platform::FetchPrivileges fetch_privileges_;
  ScriptProgram program_;
  std::optional<int> exit_;
  std::optional<Error> uncaught_;
  std::function<bool(const Error&)> take_uncaught_;
  std::shared_ptr<runtime::Transformer> transformer_;
  std::shared_ptr<runtime::ScriptResolver> resolver_;
  std::unique_ptr<runtime::Isolate> isolate_;
};

}  // namespace alknet::app
