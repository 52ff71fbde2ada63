#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alknet/base/manual_executor.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

namespace alknet::bindings {

/// An isolate with one native module, whose exports are globals.
class ModuleScript {
 public:
  explicit ModuleScript(runtime::NativeModule module) {
    const std::string name = module.name;
    runtime::IsolateOptions options;
    options.executor = &executor_;
    options.modules.push_back(std::move(module));
    isolate_.emplace(std::move(options));
    run("import * as module from '" + name + "'; Object.assign(globalThis, module);");
  }

  void run(std::string_view source) {
    const runtime::Value done = isolate_->eval_module(source, "test.js");
    executor_.run_ready();
    if (runtime::promise_state(done) == runtime::PromiseState::kRejected) {
      throw isolate_->realm().thrown(runtime::promise_result(done));
    }
  }

  /// The JSON of an expression, or the code (else the name) of what it throws.
  std::string value(std::string_view expression) {
    const std::string source = "(() => { try { return JSON.stringify(" + std::string(expression) +
                               ") } catch (error) { return String(error.code ?? error.name) } })()";
    return isolate_->eval(source).to_string();
  }

 private:
  ManualExecutor executor_;
  std::optional<runtime::Isolate> isolate_;
};

}  // namespace alknet::bindings
