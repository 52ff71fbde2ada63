#include "alknet/runtime/sandbox_session.h"

#include <fmt/format.h>

#include <csignal>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/confinement.h"
#include "alknet/call/descriptor_transport.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {

namespace {

using call::CallError;
using call::Registration;

Error exhausted(std::string_view limit, std::string message) {
  return {CallError::kResourceExhausted, std::move(message), JsonObject{{"limit", limit}}};
}

constexpr std::string_view kStuck =
    "[sandbox] the script did not answer within its time: its helper was ended, and all that ran in it";

constexpr std::size_t kMaxOperations = 1'000;

/// Between the end of a helper's link and its own.
constexpr std::chrono::milliseconds kFarewell{250};

Error script_ended() { return exhausted("sandbox", "[sandbox] the script that serves this operation has ended"); }

/// One item of the invocation, which is the answer or a declared error.
Message answer_of(Message item) {
  const auto* object = item.value.if_object();
  if (const Json* error = object == nullptr ? nullptr : object->if_contains("error")) {
    throw call::error_from_wire(call::WireError::from_json(*error));
  }
  return unwrap(std::move(item), "output");
}

/// Runs a registered operation in the helper. The link is gone when the session is.
AsyncGenerator<Message> invoke(std::weak_ptr<SandboxLink> weak, std::shared_ptr<const call::Operation> known,
                               std::string name, call::OperationContext& context, Message input) {
  const auto link = weak.lock();
  if (!link || link->connection().closed()) throw script_ended();
  Message request = wrap(JsonObject{{"operation", name}}, "input", std::move(input));
  auto items = link->ask(context, known, std::move(request));
  while (auto item = co_await items.next()) co_yield answer_of(std::move(*item));
}

Task<Message> invoke_once(std::weak_ptr<SandboxLink> weak, std::shared_ptr<const call::Operation> known,
                          std::string name, call::OperationContext& context, Message input) {
  auto items = invoke(std::move(weak), std::move(known), std::move(name), context, std::move(input));
  auto answer = co_await items.next();
  if (!answer) throw Error(CallError::kInternal, "[sandbox] the script's operation ended without an answer");
  co_return std::move(*answer);
}

}  // namespace

/// Hears of the session's root call.
class SandboxSession::State::RootSink final : public call::CallSink {
 public:
  explicit RootSink(std::weak_ptr<State> session) : session_(std::move(session)) {}

  void responded(Message output, const call::Operation&) override {
    if (const auto session = session_.lock()) session->event(output.value);
  }
  void completed() override {
    if (const auto session = session_.lock()) session->finish(std::nullopt);
  }
  void failed(const call::WireError& error) override {
    if (const auto session = session_.lock()) session->finish(call::error_from_wire(error));
  }
  Task<void> room() override {
    std::function<Task<void>()> wait;  // the session itself may end meanwhile
    if (const auto session = session_.lock()) wait = session->room();
    if (wait) co_await wait();
  }

 private:
  std::weak_ptr<State> session_;
};

SandboxSession::State::State(std::shared_ptr<SandboxHost::State> host, SandboxSessionOptions options,
                             HelperProcess helper)
    : host_(std::move(host)), options_(std::move(options)), helper_(std::move(helper)) {
  ++host_->sessions;
  owner_ = std::make_shared<call::Owner>(call::Owner::Kind::kSession, options_.script.name, options_.authority,
                                         call::OwnerLimits{}, options_.payer);
}

SandboxSession::State::~State() { end(); }

void SandboxSession::State::begin() {
  SandboxLinkOptions linking;
  linking.logger = host_->options.logger;
  linking.open_calls = options_.script.limits.open_calls;
  link_ = SandboxLink::open(host_->loop, call::make_descriptor_transport(host_->loop, helper_.take_link()), linking);
  const auto weak = weak_from_this();
  link_->set_on_loss([weak](const Error& reason) {
    const auto self = weak.lock();
    return self ? self->loss(reason) : reason;
  });
  link_->set_on_abandoned([weak] {
    if (const auto self = weak.lock()) self->check_alive();
  });
  const auto layer = std::make_shared<call::Layer>();
  layer->add({root_registration()});
  owner_->add_layer(layer);
  call::CallRequest request;
  request.operation = kSessionOperation;
  request.input = options_.script.to_message();
  request.timeout = options_.deadline;
  root_ = host_->dispatcher.start(owner_, std::move(request), std::make_shared<RootSink>(weak));
}

Registration SandboxSession::State::root_registration() {
  Registration root;
  root.spec = host_->session_operation->spec();
  root.provenance = options_.provenance;
  root.authority = options_.authority;
  root.environment = call::ScopedEnvironment(options_.script.operations);
  root.handler = [link = link_, known = host_->session_operation](call::OperationContext& context, Message input) {
    return link->ask(context, known, std::move(input));
  };
  return root;
}

Registration SandboxSession::State::registration_of(const SandboxEvent& event) {
  Registration made;
  made.spec = call::OperationSpec::from_json(event.spec);
  made.provenance = options_.provenance;
  made.authority = options_.authority;
  made.environment =
      call::ScopedEnvironment(event.environment).narrowed_to(call::ScopedEnvironment(options_.script.operations));
  const auto known = host_->invoke_operation;
  const std::weak_ptr<SandboxLink> link = link_;
  if (made.spec.type == call::OperationType::kSubscription) {
    made.handler =
        call::StreamHandler([link, known, name = made.spec.name](call::OperationContext& context, Message input) {
          return invoke(link, known, name, context, std::move(input));
        });
  } else {
    made.handler =
        call::OnceHandler([link, known, name = made.spec.name](call::OperationContext& context, Message input) {
          return invoke_once(link, known, name, context, std::move(input));
        });
  }
  return made;
}

void SandboxSession::State::event(const Json& item) {
  if (ended_) return;
  said_ += output_size(item);
  if (said_ > options_.script.limits.output_bytes) {
    return finish(exhausted("output_bytes", fmt::format("[sandbox] the script printed more than {} bytes",
                                                        options_.script.limits.output_bytes)));
  }
  SandboxEvent event;
  try {
    event = SandboxEvent::from_json(item);
    if (event.kind == SandboxEvent::Kind::kOperation) {
      Registration made = registration_of(event);
      if (operations_.size() >= kMaxOperations) {
        throw exhausted("operations", fmt::format("[sandbox] a script may register {} operations", kMaxOperations));
      }
      operations_.insert_or_assign(made.spec.name, std::move(made));
    }
  } catch (const Error& error) {
    return finish(error);
  }
  if (event.kind == SandboxEvent::Kind::kRemoved) operations_.erase(event.text);
  if (options_.on_event) options_.on_event(event);
}

Error SandboxSession::State::loss(const Error& reason) {
  if (!loss_) loss_ = why_lost(reason);
  return *loss_;
}

Error SandboxSession::State::why_lost(const Error& reason) {
  const bool our_doing = link_ && link_->connection().stats().streams_reset > 0;
  const HelperEnd how = helper_.reap(our_doing ? std::chrono::milliseconds(0) : kFarewell);
  const Logger& logger = host_->options.logger;
  if (our_doing && how.killed) {
    logger.error("a sandbox broke the protocol", {{"script", options_.script.name}, {"reason", reason.message()}});
    const Json* code =
        reason.details().is_object() ? reason.details().get_object().if_contains("stream_code") : nullptr;
    if (code != nullptr && *code == Json(static_cast<std::uint64_t>(call::TransportCode::kLimitExceeded))) {
      return exhausted("message", fmt::format("[sandbox] the script sent more than it may: {}", reason.message()));
    }
    return {CallError::kProtocolError, fmt::format("[sandbox] the helper broke the protocol: {}", reason.message())};
  }
  if (how.signal == 0 && how.status == kStatusUnsupported) {
    return {RuntimeError::kSandboxUnavailable,
            "[sandbox] this machine cannot confine a helper process: `alknet-sandbox` on the command line says why; "
            "programs of your own run without a sandbox by `alknet run`"};
  }
  if (how.signal == 0 && how.status == kStatusOutOfMemory) {
    return exhausted("memory", "[sandbox] the script took all the memory that its helper may have");
  }
  logger.error("a sandbox failed", {{"script", options_.script.name}, {"how", how.text()}});
  if (how.killed) {
    return {CallError::kProtocolError, "[sandbox] the helper closed its link and went on: it was ended"};
  }
  if (how.signal == 0) {
    return {RuntimeError::kSandboxFailed, fmt::format("[sandbox] the helper {}", how.text()),
            JsonObject{{"status", how.status}}};
  }
  const std::string_view hint = how.signal == SIGKILL ? ": the machine may be out of memory, or somebody ended it" : "";
  return {RuntimeError::kSandboxDied, fmt::format("[sandbox] the helper {}{}", how.text(), hint),
          JsonObject{{"signal", how.signal_name()}, {"number", how.signal}}};
}

void SandboxSession::State::check_alive() {
  if (ended_ || std::exchange(checking_, true)) return;
  call::CallOptions options;
  const bool local = options_.provenance == call::Provenance::kLocal;
  options.timeout = local ? host_->options.local_grace : host_->options.grace;
  Message nothing{JsonObject{}, {}};
  start(host_->loop, link_->connection().call(std::string(kPingOperation), std::move(nothing), options),
        [weak = weak_from_this()](const Outcome<Message>& outcome) {
          const auto self = weak.lock();
          if (!self) return;
          self->checking_ = false;
          if (!outcome.ok()) self->finish(Error(CallError::kTimeout, std::string(kStuck)));
        });
}

void SandboxSession::State::finish(std::optional<Error> why) {
  if (ended_) return;
  if (loss_) why = loss_;
  loss_ = why.value_or(script_ended());  // what other calls into it are told, which end now
  const auto self = shared_from_this();
  end();
  if (options_.on_end) options_.on_end(why);
}

void SandboxSession::State::end() {
  if (std::exchange(ended_, true)) return;
  if (!loss_) loss_ = script_ended();
  helper_.kill();
  root_.abort();
  owner_->end();
  if (link_) link_->connection().close();
  link_.reset();
  helper_.reap();
  host_->session_ended();
}

std::vector<Registration> SandboxSession::State::operations() const {
  std::vector<Registration> all;
  for (const auto& [name, registration] : operations_) all.push_back(registration);
  return all;
}

std::optional<Registration> SandboxSession::State::operation(const std::string& name) const {
  const auto found = operations_.find(name);
  return found == operations_.end() ? std::nullopt : std::optional(found->second);
}

SandboxSession::~SandboxSession() { state_->end(); }
std::vector<Registration> SandboxSession::operations() const { return state_->operations(); }
std::optional<Registration> SandboxSession::operation(const std::string& name) const { return state_->operation(name); }
void SandboxSession::end() { state_->end(); }
bool SandboxSession::ended() const { return state_->ended(); }
const std::shared_ptr<call::Owner>& SandboxSession::owner() const { return state_->owner(); }

}  // namespace alknet::runtime
