#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "alknet/runtime/event_queue.h"
#include "alknet/runtime/sandbox_host.h"

// The host's own `isolate/session`, for callers.

namespace alknet::runtime {

namespace {

/// What callers may ask for; the host's own `max_memory` holds too.
constexpr SandboxLimits kMostOfACaller{.memory_bytes = std::uint64_t{256} << 20,
                                       .stack_bytes = std::uint64_t{1} << 20,
                                       .timers = 10'000,
                                       .open_calls = 1'024,
                                       .jobs = 10'000'000,
                                       .output_bytes = std::uint64_t{16} << 20};

/// Events that may wait for a caller who does not take them; beyond it the script waits.
constexpr std::size_t kEventsWaiting = 256;

/// How many sessions each identity has.
using Shares = std::map<std::string, std::size_t, std::less<>>;

/// One of them, as long as it lives.
class Share {
 public:
  Share(std::shared_ptr<Shares> shares, std::string caller, std::size_t most)
      : shares_(std::move(shares)), caller_(std::move(caller)) {
    std::size_t& count = (*shares_)[caller_];
    if (count >= most) {
      throw Error(call::CallError::kResourceExhausted,
                  fmt::format("[sandbox] this caller runs {} scripts already: end one first", most),
                  JsonObject{{"limit", "sandboxes"}, {"most", most}});
    }
    ++count;
  }
  ~Share() {
    const auto found = shares_->find(caller_);
    if (--found->second == 0) shares_->erase(found);
  }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

 private:
  std::shared_ptr<Shares> shares_;
  std::string caller_;
};

/// The Session operations of a caller, as long as the subscription lives.
class CallerLayer {
 public:
  explicit CallerLayer(call::Owner& owner) : owner_(owner) { owner_.add_layer(layer_); }
  ~CallerLayer() { owner_.remove_layer(layer_.get()); }
  CallerLayer(const CallerLayer&) = delete;
  CallerLayer& operator=(const CallerLayer&) = delete;

  call::Layer& operator*() const { return *layer_; }
  call::Layer* operator->() const { return layer_.get(); }

 private:
  call::Owner& owner_;
  const std::shared_ptr<call::Layer> layer_ = std::make_shared<call::Layer>();
};

/// What callers' sessions stand on.
struct Service {
  SandboxHost& host;
  const call::Registry& registry;
  CallerSessionLimits limits;
  std::shared_ptr<Shares> shares = std::make_shared<Shares>();
};

/// Offers what an event says was registered, or takes it back.
void follow(const SandboxSession& session, const call::Registry& registry, const CallerLayer& offered,
            const SandboxEvent& event) {
  if (event.kind == SandboxEvent::Kind::kRemoved) offered->remove({event.text});
  if (event.kind != SandboxEvent::Kind::kOperation) return;
  const auto* spec = event.spec.if_object();
  const Json* name = spec == nullptr ? nullptr : spec->if_contains("name");
  if (name == nullptr || !name->is_string()) return;
  auto registered = session.operation(std::string(name->get_string()));
  if (!registered) return;  // taken back since
  offered->remove({registered->spec.name});
  std::vector<call::Registration> one;
  one.push_back(*std::move(registered));
  registry.add_overlay(*offered, std::move(one));  // refuses names that are not a caller's
}

AsyncGenerator<Message> serve_session(const Service& service, call::OperationContext& context, Message input) {
  const Share share(service.shares, context.identity() ? context.identity()->id : "", service.limits.sessions);
  const EventQueue events;
  const CallerLayer offered(context.owner());
  SandboxSessionOptions options;
  options.script = SessionRequest::from_json(input.value);
  options.script.limits = options.script.limits.at_most(kMostOfACaller);
  options.authority = context.identity().value_or(call::Identity{});
  options.deadline = std::min(context.remaining().value_or(service.limits.lifetime), service.limits.lifetime);
  options.payer = context.resources().account();
  options.on_event = [events](const SandboxEvent& event) { events.push(event.to_json()); };
  options.room = [events] { return events.room(kEventsWaiting); };
  options.on_end = [events](const std::optional<Error>& error) { events.end(error); };
  const std::unique_ptr<SandboxSession> session = service.host.open(std::move(options));
  while (auto event = co_await events.next()) {
    follow(*session, service.registry, offered, SandboxEvent::from_json(*event));
    Message item{std::move(*event), {}};
    co_yield std::move(item);
  }
}

}  // namespace

std::vector<call::Registration> sandbox_operations(SandboxHost& host, const call::Registry& registry,
                                                   const CallerSessionLimits& limits) {
  call::Registration session;
  session.spec = sandbox_specs().front();
  session.spec.title = "Run a script in a sandbox";
  session.spec.description =
      "Runs the source in a helper process without files, network or secrets. It may call `operations` with the rights "
      "of the caller; what it registers the caller may call while the subscription lives. See docs/sandbox.md.";
  session.spec.access.required_scopes = {"isolate"};
  session.handler =
      call::StreamHandler([service = Service{host, registry, limits}](call::OperationContext& context, Message input) {
        return serve_session(service, context, std::move(input));
      });
  std::vector<call::Registration> all;
  all.push_back(std::move(session));
  return all;
}

}  // namespace alknet::runtime
