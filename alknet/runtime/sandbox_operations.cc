#include <utility>

#include "alknet/runtime/event_queue.h"
#include "alknet/runtime/sandbox_host.h"

// The host's own `isolate/session`, for callers.

namespace alknet::runtime {

namespace {

/// What callers may ask for; the host's own `max_memory` holds too.
constexpr SandboxLimits kMostOfACaller{std::uint64_t{256} << 20, std::uint64_t{1} << 20, 10'000, 1'024,
                                       std::uint64_t{16} << 20};

/// The Session operations of a caller, as long as the subscription lives.
class CallerLayer {
 public:
  CallerLayer(call::Owner& owner, std::shared_ptr<call::Layer> layer) : owner_(owner), layer_(std::move(layer)) {
    owner_.add_layer(layer_);
  }
  ~CallerLayer() { owner_.remove_layer(layer_.get()); }
  CallerLayer(const CallerLayer&) = delete;
  CallerLayer& operator=(const CallerLayer&) = delete;

 private:
  call::Owner& owner_;
  std::shared_ptr<call::Layer> layer_;
};

AsyncGenerator<Message> serve_session(SandboxHost& host, const call::Registry& registry,
                                      call::OperationContext& context, Message input) {
  const EventQueue events;
  const auto layer = std::make_shared<call::Layer>();
  const CallerLayer offered(context.owner(), layer);
  SandboxSessionOptions options;
  options.script = SessionRequest::from_json(input.value);
  options.script.limits = options.script.limits.at_most(kMostOfACaller);
  options.authority = context.identity().value_or(call::Identity{});
  options.deadline = context.remaining();
  options.on_event = [events](const SandboxEvent& event) { events.push(event.to_json()); };
  options.on_end = [events](const std::optional<Error>& error) { events.end(error); };
  const std::unique_ptr<SandboxSession> session = host.open(std::move(options));
  while (auto event = co_await events.next()) {
    if (event->at("event") == "operation" || event->at("event") == "removed") {
      call::Layer fresh;
      registry.add_overlay(fresh, session->operations());  // refuses names that are not a caller's
      layer->replace(session->operations());
    }
    Message item{std::move(*event), {}};
    co_yield std::move(item);
  }
}

}  // namespace

std::vector<call::Registration> sandbox_operations(SandboxHost& host, const call::Registry& registry) {
  call::Registration session;
  session.spec = sandbox_specs().front();
  session.spec.title = "Run a script in a sandbox";
  session.spec.description =
      "Runs the source in a helper process without files, network or secrets. It may call `operations` with the rights "
      "of the caller; what it registers the caller may call while the subscription lives. See docs/sandbox.md.";
  session.spec.access.required_scopes = {"isolate"};
  session.handler = call::StreamHandler([&host, &registry](call::OperationContext& context, Message input) {
    return serve_session(host, registry, context, std::move(input));
  });
  std::vector<call::Registration> all;
  all.push_back(std::move(session));
  return all;
}

}  // namespace alknet::runtime
