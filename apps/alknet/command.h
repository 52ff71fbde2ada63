#pragma once

#include <map>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace CLI {
class App;
}

namespace alknet::app {

/// What the flags common to all commands say, and how the program will end. Owned by `main`.
struct Globals {
  bool json = false;   ///< The command in use prints one JSON document.
  bool quiet = false;  ///< No progress, no notes.
  bool verbose = false;
  std::string color = "auto";                      ///< auto, always, never
  std::map<std::string, std::string> config = {};  ///< What the configuration file says (settings.h).
  std::vector<std::string> script_arguments = {};  ///< What stands behind the file of `alknet run`.
  int exit_status = 0;                             ///< 1: the answer is no.
};

/// Wrong usage or an unusable configuration: exit status 2.
class UsageError : public Error {
 public:
  explicit UsageError(std::string message) : Error(BaseError::kInvalidArgument, std::move(message)) {}
  explicit UsageError(const Error& error) : Error(error) {}
};

/// Each adds one command (or group) to the program; its callback runs it. One file a command.
void add_embed(CLI::App& program, Globals& globals);
void add_model(CLI::App& program, Globals& globals);
void add_data(CLI::App& program, Globals& globals);
void add_train(CLI::App& program, Globals& globals);
void add_tensor(CLI::App& program, Globals& globals);
void add_tensor_info(CLI::App& group, Globals& globals);
void add_schema(CLI::App& program, Globals& globals);
void add_devices(CLI::App& program, Globals& globals);
void add_sandbox(CLI::App& program, Globals& globals);
void add_serve(CLI::App& program, Globals& globals);
void add_call(CLI::App& program, Globals& globals);
void add_ops(CLI::App& program, Globals& globals);
void add_import(CLI::App& program, Globals& globals);
void add_peer(CLI::App& program, Globals& globals);
void add_run(CLI::App& program, Globals& globals);
void add_repl(CLI::App& program, Globals& globals);
void add_test(CLI::App& program, Globals& globals);
void add_check(CLI::App& program, Globals& globals);
void add_config(CLI::App& program, Globals& globals);
void add_completion(CLI::App& program, Globals& globals);
void add_man(CLI::App& program, Globals& globals);

/// The verbs of a group that have files of their own.
void add_schema_encode(CLI::App& group, Globals& globals);
void add_schema_decode(CLI::App& group, Globals& globals);
void add_schema_codegen(CLI::App& group, Globals& globals);
void add_schema_of_operation(CLI::App& group, Globals& globals);
void add_schema_diff(CLI::App& group, Globals& globals);
void add_tensor_diff(CLI::App& group, Globals& globals);
void add_tensor_migrate(CLI::App& group, Globals& globals);
void add_tensor_pack(CLI::App& group, Globals& globals);
void add_tensor_schema(CLI::App& group, Globals& globals);

/// Adds one verb to a group.
void add_tensor_convert(CLI::App& group, Globals& globals);

/// Adds `--json` to a command that prints data.
void add_json_flag(CLI::App& command, Globals& globals);

/// The examples at the end of a command's help.
void set_examples(CLI::App& command, const std::string& examples);

}  // namespace alknet::app
