#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <optional>

#include "alknet/base/loop.h"
#include "alknet/base/utf8.h"
#include "alknet/call/discovery.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/service.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/module_tree.h"
#include "alknet/runtime/sandbox_host.h"
#include "apps/alknet/durations.h"
#include "apps/alknet/kernel_workers.h"
#include "apps/alknet/output.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

struct SandboxCommand {
  std::string file;
  std::string timeout = "10s";
  std::string memory = "64M";
  std::vector<std::string> allow;
  std::string device;
};

/// What the operations that a script may call stand on; nothing is opened when there are none.
class Operations {
 public:
  Operations(Loop& loop, call::Registry& registry, const SandboxCommand& command) {
    if (command.allow.empty()) return;
    compute::ComputeServiceOptions options;
    options.device = command.device;
    options.robust = true;
    options.kernel_workers = make_kernel_workers(loop, command.device, Logger());
    service_ = std::make_unique<compute::ComputeService>(std::move(options));
    registry.curated().add(compute::compute_operations(*service_));
    registry.curated().add(call::discovery_operations({}));
  }
  /// After the owners have ended.
  void settle() {
    if (service_) service_->settle();
  }

 private:
  std::unique_ptr<compute::ComputeService> service_;
};

/// What ended the script, in the words of the command: a script's own error is no call's, and its time is --timeout.
Error told(const Error& error, const SandboxCommand& command) {
  if (error.code() == call::CallError::kTimeout) {
    return {
        runtime::RuntimeError::kTimeout,
        fmt::format("{} took longer than {} and was stopped; --timeout gives it more", command.file, command.timeout),
        JsonObject{{"script", command.file}, {"timeout", command.timeout}}};
  }
  const auto* object = error.details().if_object();
  const Json* code = object == nullptr ? nullptr : object->if_contains("code");
  if (error.code() != call::CallError::kDomain || code == nullptr || *code != Json(runtime::kScriptError)) return error;
  const Json* details = object->if_contains("details");
  return {runtime::RuntimeError::kScriptThrew, error.message(), details == nullptr ? Json(nullptr) : *details};
}

/// One run, on the loop of this thread. What goes wrong while the loop runs is kept until it has ended.
class Run {
 public:
  Run(Loop& loop, runtime::SandboxHost& host, runtime::SandboxSessionOptions options, const SandboxCommand& command)
      : loop_(loop) {
    options.on_event = [this](const runtime::SandboxEvent& event) {
      if (event.kind == runtime::SandboxEvent::Kind::kOutput) write(event);
    };
    options.on_end = [this, &command](const std::optional<Error>& error) {
      if (error) failure_ = std::make_exception_ptr(told(*error, command));
      loop_.stop();
    };
    session_ = host.open(std::move(options));
    loop_.run();
    session_.reset();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  /// What a stranger prints commands no terminal.
  void write(const runtime::SandboxEvent& event) {
    const std::string text = escape_controls(event.text);
    if (event.error) {
      std::fwrite(text.data(), 1, text.size(), stderr);
      return;
    }
    try {
      print(text);
    } catch (...) {
      failure_ = std::current_exception();
      loop_.stop();
    }
  }

  Loop& loop_;
  std::unique_ptr<runtime::SandboxSession> session_;
  std::exception_ptr failure_;
};

void run_sandbox(const SandboxCommand& command) {
  runtime::SandboxSessionOptions options;
  if (command.file == "-") {
    options.script.name = "stdin.ts";
    options.script.source = read_input(command.file, runtime::ModuleTreeLimits().script_bytes);
  } else {
    options.script.take(runtime::read_module_tree(command.file));
  }
  options.script.operations = command.allow;
  options.script.limits.memory_bytes = parse_size(command.memory);
  options.deadline = parse_duration(command.timeout);
  options.authority = call::Identity::local_program();

  runtime::SandboxHostOptions hosting;
  hosting.spare = 0;
  hosting.max_memory = options.script.limits.memory_bytes;
  const auto registry = std::make_shared<call::Registry>();
  std::optional<Loop> loop(std::in_place);
  Operations operations(*loop, *registry, command);
  // What still waits on the loop goes with it, and refers to the operations until then.
  const auto end = [&] {
    operations.settle();
    loop.reset();
  };
  try {
    call::Dispatcher dispatcher(*loop, registry);
    runtime::SandboxHost host(*loop, dispatcher, std::move(hosting));
    const Run run(*loop, host, std::move(options), command);
  } catch (...) {
    end();
    throw;
  }
  end();
}

}  // namespace

void add_sandbox(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<SandboxCommand>();
  CLI::App* made = program.add_subcommand(
      "sandbox", "Run a script that you do not trust: in a process without files, network and secrets");
  made->add_option("FILE", command->file, "JavaScript or TypeScript; - for standard input")->required();
  made->add_option("--timeout", command->timeout, "How long it may take")->capture_default_str();
  made->add_option("--memory", command->memory, "How much memory it may use")->capture_default_str();
  made->add_option("--allow", command->allow,
                   "An operation that it may call, such as tensor/add or tensor/*; may be repeated")
      ->allow_extra_args(false);
  add_setting(*made, globals, "device", command->device);
  add_json_flag(*made, globals);
  set_examples(*made,
               "  alknet sandbox --timeout 100ms stranger.js\n"
               "  alknet sandbox --memory 32M --allow 'tensor/*' --allow 'compute/*' model.ts\n");
  made->callback([command] { run_sandbox(*command); });
}

}  // namespace alknet::app
