#include "apps/sandbox/script_session.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/runtime/bundles/embedded.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/module_tree.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/resolver.h"
#include "alknet/runtime/script_log.h"
#include "alknet/runtime/transform.h"
#include "alknet/runtime/web/web.h"

namespace alknet::sandbox {

namespace {

using call::CallError;
using runtime::RuntimeError;
using runtime::SandboxEvent;

constexpr std::size_t kMaxMessage = std::size_t{64} << 10;  // of an error, for its receiver's sake

/// Finds the built-in packages, native modules, and of files those that came with the request.
std::shared_ptr<runtime::ScriptResolver> make_resolver(const runtime::SessionRequest& request,
                                                       const std::vector<runtime::NativeModule>& modules) {
  runtime::ScriptResolverOptions options;
  auto files = request.modules;
  files.insert_or_assign(request.name, request.source);
  options.files = runtime::ModuleFiles(std::move(files), request.left_out);
  options.bundles = runtime::embedded_bundles();
  options.transformer = std::make_shared<runtime::Transformer>(options.bundles);
  for (const auto& module : modules) options.native.push_back(module.name);
  return std::make_shared<runtime::ScriptResolver>(std::move(options));
}

runtime::IsolateOptions isolate_options(Loop& loop, const runtime::SessionRequest& request,
                                        std::vector<runtime::NativeModule> modules,
                                        std::shared_ptr<runtime::ScriptResolver> resolver) {
  runtime::IsolateOptions options;
  options.executor = &loop;
  options.resolver = std::move(resolver);
  options.modules = std::move(modules);
  options.limits.memory_bytes = request.limits.memory_bytes;
  options.limits.stack_bytes = request.limits.stack_bytes;
  options.limits.timers = request.limits.timers;
  options.limits.open_calls = request.limits.open_calls;
  options.limits.output_bytes = request.limits.output_bytes;
  options.limits.jobs = request.limits.jobs;
  return options;
}

runtime::SessionRequest with_path(runtime::SessionRequest request) {
  request.name = runtime::module_path(request.name);
  return request;
}

std::string shortened(std::string text) {
  if (text.size() > kMaxMessage) text.resize(kMaxMessage);
  return text;
}

}  // namespace

Error session_error(const std::exception& exception) {
  const auto* error = dynamic_cast<const Error*>(&exception);
  if (error == nullptr) return {BaseError::kInternal, exception.what()};
  const auto exhausted = [&](std::string_view limit) {
    return Error(CallError::kResourceExhausted, shortened(error->message()), JsonObject{{"limit", limit}});
  };
  if (error->code() == RuntimeError::kTimeout) {
    return {CallError::kTimeout, "[sandbox] the script took too long"};
  }
  if (error->code() == RuntimeError::kMemoryLimit) return exhausted("memory");
  if (const auto limit = runtime::limit_reached(*error); !limit.empty()) return exhausted(limit);
  Json details = error->details();
  const bool large = !details.is_object() || json_text(details).size() > kMaxMessage;
  return call::domain_error(runtime::kScriptError, shortened(error->message()), large ? Json(JsonObject{}) : details);
}

ScriptSession::ScriptSession(Loop& loop, runtime::SessionRequest request, std::vector<runtime::NativeModule> modules,
                             std::optional<Executor::Clock::time_point> deadline, runtime::EventQueue events)
    : loop_(loop),
      request_(with_path(std::move(request))),
      events_(std::move(events)),
      resolver_(make_resolver(request_, modules)),
      isolate_([&] {
        auto options = isolate_options(loop, request_, std::move(modules), resolver_);
        options.on_uncaught = [this](const runtime::ScriptError& error) { events_.end(session_error(error)); };
        return options;
      }()) {
  isolate_.set_deadline(deadline);
  runtime::WebOptions web;
  web.print = [this](runtime::ConsoleLevel level, std::string_view text) {
    say(fmt::format("{}\n", text), level == runtime::ConsoleLevel::kError || level == runtime::ConsoleLevel::kWarn);
  };
  runtime::install_web(isolate_, std::move(web));
  runtime::install_log(isolate_, Logger::to_sink(LogLevel::kInfo, [this](LogLevel level, std::string_view line) {
                         log(fmt::format("{} {}\n", log_level_name(level), line));
                       }));
}

void ScriptSession::say(std::string text, bool error) {
  SandboxEvent event;
  event.kind = SandboxEvent::Kind::kOutput;
  event.text = std::move(text);
  event.error = error;
  events_.push(event.to_json());
}

void ScriptSession::log(std::string line) {
  logged_ += line.size();
  if (logged_ <= request_.limits.output_bytes) return say(std::move(line), true);
  events_.end(Error(CallError::kResourceExhausted, "[sandbox] the script logged more than it may print",
                    JsonObject{{"limit", "output_bytes"}}));
  isolate_.interrupt();
}

ScriptSession::~ScriptSession() { stop_.request_stop(); }

void ScriptSession::run() {
  start(
      loop_, evaluate(*this),
      [events = events_](const Outcome<void>& outcome) {
        if (outcome.ok()) return;
        try {
          std::rethrow_exception(outcome.error());
        } catch (const std::exception& error) {
          events.end(session_error(error));
        }
      },
      stop_.get_token());
}

Task<void> ScriptSession::evaluate(ScriptSession& self) {
  const std::string source = self.resolver_->transform(self.request_.name, self.request_.source);
  // What stays to serve its operations was not started as a program.
  const runtime::Value module = self.isolate_.eval_module(source, self.request_.name, !self.request_.keep);
  if (!self.request_.keep) {
    self.isolate_.when_idle([&self, module] {
      const auto state = runtime::promise_state(module);
      if (state == runtime::PromiseState::kRejected) return;  // told below
      if (state == runtime::PromiseState::kFulfilled) {
        self.ready();
        return self.events_.end();
      }
      self.events_.end(call::domain_error(
          runtime::kScriptError, "the module waits for a promise that nothing can settle any more", JsonObject{}));
    });
  }
  co_await runtime::settled(module);
  self.ready();
}

void ScriptSession::ready() {
  if (std::exchange(ready_, true)) return;
  events_.push(SandboxEvent().to_json());
}

}  // namespace alknet::sandbox
