#include "apps/sandbox/service.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/bindings/schema.h"
#include "alknet/bindings/tensors.h"
#include "alknet/call/descriptor_transport.h"
#include "alknet/call/failure.h"
#include "alknet/runtime/sandbox_protocol.h"
#include "apps/sandbox/parent_caller.h"

namespace alknet::sandbox {

namespace {

call::Registration registered(call::OperationSpec spec, call::Handler handler) {
  call::Registration made;
  made.spec = std::move(spec);
  made.handler = std::move(handler);
  // Operations that the script registered, which `isolate/invoke` calls.
  made.environment = call::ScopedEnvironment({"*"});
  return made;
}

AsyncGenerator<Message> one_of(Task<Message> task) {
  Message only = co_await std::move(task);
  co_yield std::move(only);
}

}  // namespace

/// A session's end, however it comes: its operations are gone.
class Service::Ended {
 public:
  explicit Ended(Service& service) : service_(service) {}
  ~Ended() { service_.busy_ = false; }
  Ended(const Ended&) = delete;
  Ended& operator=(const Ended&) = delete;

 private:
  Service& service_;
};

Service::Service(Loop& loop)
    : loop_(loop), registry_(std::make_shared<call::Registry>()), dispatcher_(loop, registry_) {
  auto specs = runtime::sandbox_specs();
  std::vector<call::Registration> all;
  all.push_back(
      registered(std::move(specs[0]), call::StreamHandler([this](call::OperationContext& context, Message input) {
                   return session(context, std::move(input));
                 })));
  all.push_back(
      registered(std::move(specs[1]), call::StreamHandler([this](call::OperationContext& context, Message input) {
                   return invoke(context, std::move(input));
                 })));
  all.push_back(
      registered(std::move(specs[2]), call::OnceHandler([](call::OperationContext&, Message) -> Task<Message> {
                   Message answer{JsonObject{}, {}};
                   co_return answer;
                 })));
  registry_->curated().add(std::move(all));
}

Service::~Service() {
  if (host_) host_->close();
}

void Service::serve(int link) {
  call::ConnectionOptions options;
  options.sandbox_link = true;
  host_ = call::Connection::open(loop_, call::make_descriptor_transport(loop_, link), &dispatcher_, nullptr, options);
  host_->on_close([this](const Error&) { loop_.stop(); });
}

AsyncGenerator<Message> Service::session(call::OperationContext& context, Message input) {
  if (std::exchange(busy_, true)) {
    throw Error(call::CallError::kResourceExhausted, "[sandbox] a helper serves one session at a time",
                JsonObject{{"limit", "sessions"}});
  }
  const Ended ended(*this);
  const runtime::EventQueue events;
  auto request = runtime::SessionRequest::from_json(input.value);
  std::vector<runtime::NativeModule> modules;
  modules.push_back(runtime::host_module(bridge(context.request_id(), request, events)));
  modules.push_back(bindings::graph_module());
  modules.push_back(bindings::schema_module());
  ScriptSession script(loop_, std::move(request), std::move(modules), context.deadline(), events);
  script.run();
  while (auto event = co_await events.next()) {
    Message item{std::move(*event), {}};
    co_yield std::move(item);
  }
}

runtime::BridgeOptions Service::bridge(const std::string& root, const runtime::SessionRequest& request,
                                       const runtime::EventQueue& events) {
  runtime::BridgeOptions options;
  options.caller = std::make_shared<ParentCaller>(host_, root);
  // A handler's caller is `isolate/invoke`, whose id the host knows.
  options.nested_caller = [this](const std::string& parent_id) -> std::shared_ptr<call::Caller> {
    return std::make_shared<ParentCaller>(host_, parent_id);
  };
  options.environment = call::ScopedEnvironment(request.operations);
  options.add_operation = [this, events](call::Registration registration) -> std::function<void()> {
    const std::string name = registration.spec.name;
    runtime::SandboxEvent event;
    event.kind = runtime::SandboxEvent::Kind::kOperation;
    event.spec = registration.spec.to_json();
    event.environment = registration.environment.patterns();
    std::vector<call::Registration> one;
    one.push_back(std::move(registration));
    registry_->curated().add(std::move(one));
    events.push(event.to_json());
    return [this, events, name] {
      registry_->curated().remove({name});
      runtime::SandboxEvent removed;
      removed.kind = runtime::SandboxEvent::Kind::kRemoved;
      removed.text = name;
      events.push(removed.to_json());
    };
  };
  return options;
}

AsyncGenerator<Message> Service::invoke(call::OperationContext& context, Message input) {
  const std::string name(input.value.at("operation").get_string());
  const auto operation = registry_->curated().snapshot();
  const auto found = operation->find(name);
  if (!busy_ || found == operation->end()) {
    throw Error(call::CallError::kNotFound, fmt::format("[sandbox] the session has no operation {}", name));
  }
  const bool streams = found->second->spec().type == call::OperationType::kSubscription;
  Message inner = runtime::unwrap(std::move(input), "input");
  auto items = streams ? context.subscribe(name, std::move(inner)) : one_of(context.call(name, std::move(inner)));
  while (true) {
    std::optional<Message> item;
    std::optional<call::WireError> failure;
    try {
      item = co_await items.next();
    } catch (const Error&) {
      if (context.stop_requested()) throw;
      failure = call::describe_failure(std::current_exception(), *found->second, Logger());
    }
    if (failure) {
      Message told{JsonObject{{"error", failure->to_json()}}, {}};
      co_yield std::move(told);
      co_return;
    }
    if (!item) co_return;
    Message answer = runtime::wrap(JsonObject{}, "output", std::move(*item));
    co_yield std::move(answer);
  }
}

}  // namespace alknet::sandbox
