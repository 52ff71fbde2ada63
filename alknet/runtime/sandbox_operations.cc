#include <deque>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/runtime/sandbox_host.h"

// The host's own `isolate/session`, for callers.

namespace alknet::runtime {

namespace {

/// What one caller's script prints and registers, until the caller takes it.
struct Events {
  std::deque<Json> waiting;
  Completion<void> changed;
  std::optional<Error> error;
  bool ended = false;
};

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
  const auto events = std::make_shared<Events>();
  const auto layer = std::make_shared<call::Layer>();
  const CallerLayer offered(context.owner(), layer);
  std::unique_ptr<SandboxSession> session;
  SandboxSessionOptions options;
  options.script = SessionRequest::from_json(input.value);
  options.authority = context.identity().value_or(call::Identity{});
  options.deadline = context.remaining();
  options.on_event = [events](const SandboxEvent& event) {
    events->waiting.push_back(event.to_json());
    events->changed.set_value();
  };
  options.on_end = [events](const std::optional<Error>& error) {
    events->error = error;
    events->ended = true;
    events->changed.set_value();
  };
  session = host.open(std::move(options));
  while (true) {
    if (!events->waiting.empty()) {
      Message item{std::move(events->waiting.front()), {}};
      events->waiting.pop_front();
      if (item.value.at("event") == "operation") {
        call::Layer fresh;
        registry.add_overlay(fresh, session->operations());
        layer->replace(session->operations());
      }
      co_yield std::move(item);
    } else if (events->ended) {
      if (events->error) throw Error(*events->error);
      co_return;
    } else {
      events->changed = Completion<void>();
      co_await events->changed.wait();
    }
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
