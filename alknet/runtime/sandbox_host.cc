#include "alknet/runtime/sandbox_host.h"

#include <fmt/format.h>

#include <deque>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/runtime/sandbox_session.h"

namespace alknet::runtime {

namespace {

/// Of a helper, beyond what scripts have: messages on their way in and out, the engine itself.
constexpr std::uint64_t kHelperMemory = std::uint64_t{128} << 20;

Error too_much(std::string_view limit, std::string message) {
  return {call::CallError::kResourceExhausted, std::move(message), JsonObject{{"limit", limit}}};
}

}  // namespace

SandboxHost::State::State(Loop& on, call::Dispatcher& of, SandboxHostOptions with)
    : loop(on), dispatcher(of), options(std::move(with)) {
  program.path = options.program.empty() ? helper_program("alknet-sandbox", "ALKNET_SANDBOX_PROGRAM") : options.program;
  program.arguments = {fmt::format("--memory={}", options.max_memory + kHelperMemory)};
  program.diagnostics = options.diagnostics;
  auto specs = sandbox_specs();
  const auto known = [&](call::OperationSpec spec) {
    call::Registration registration;
    registration.spec = std::move(spec);
    registration.handler = call::StreamHandler([](call::OperationContext&, Message) -> AsyncGenerator<Message> {
      throw Error(BaseError::kInternal, "[sandbox] a description only");
      co_return;
    });
    return std::make_shared<const call::Operation>(std::move(registration));
  };
  session_operation = known(std::move(specs[0]));
  invoke_operation = known(std::move(specs[1]));
}

HelperProcess SandboxHost::State::start_helper() const { return HelperProcess(program); }

HelperProcess SandboxHost::State::take() {
  while (!spare.empty() && spare.back().ended()) spare.pop_back();
  if (spare.empty()) {
    refill_soon();
    return start_helper();
  }
  HelperProcess helper = std::move(spare.back());
  spare.pop_back();
  refill_soon();
  return helper;
}

void SandboxHost::State::refill_soon() {
  if (spare.size() >= options.spare || std::exchange(refilling, true)) return;
  loop.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->refilling = false;
    try {
      while (self->spare.size() < self->options.spare) self->spare.push_back(self->start_helper());
    } catch (const Error& error) {
      self->options.logger.error("no spare sandbox could be started", {{"reason", error.what()}});
    }
  });
}

SandboxHost::SandboxHost(Loop& loop, call::Dispatcher& dispatcher, SandboxHostOptions options)
    : state_(std::make_shared<State>(loop, dispatcher, std::move(options))) {
  state_->refill_soon();
}

SandboxHost::~SandboxHost() = default;

std::size_t SandboxHost::sessions() const { return state_->sessions; }
std::size_t SandboxHost::spare_helpers() const { return state_->spare.size(); }

std::unique_ptr<SandboxSession> SandboxHost::open(SandboxSessionOptions options) {
  const SandboxHostOptions& ours = state_->options;
  if (state_->sessions >= ours.max_sessions) {
    throw too_much("sandboxes",
                   fmt::format("[sandbox] {} scripts run already: wait for one to end", ours.max_sessions));
  }
  if (options.script.limits.memory_bytes > ours.max_memory) {
    throw too_much("memory", fmt::format("[sandbox] a script may have at most {} bytes of memory", ours.max_memory));
  }
  auto session = std::make_shared<SandboxSession::State>(state_, std::move(options), state_->take());
  session->begin();
  return std::unique_ptr<SandboxSession>(new SandboxSession(std::move(session)));
}

}  // namespace alknet::runtime
