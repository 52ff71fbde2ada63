#include "alknet/runtime/sandbox_link.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "alknet/call/registry.h"

namespace alknet::runtime {

/// One thing that was asked: while it lives, its call is a parent.
class SandboxLink::Work {
 public:
  explicit Work(std::shared_ptr<SandboxLink> link) : link_(std::move(link)) {}
  ~Work() {
    if (id_.empty()) return;
    link_->running_.erase(id_);
    if (!answered_ && link_->on_abandoned_) link_->on_abandoned_();
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  void begin(const std::string& id, call::OperationContext& context) {
    id_ = id;
    link_->running_.emplace(id, &context);
  }
  void answered() { answered_ = true; }

 private:
  std::shared_ptr<SandboxLink> link_;
  std::string id_;
  bool answered_ = false;
};

SandboxLink::~SandboxLink() = default;

std::shared_ptr<SandboxLink> SandboxLink::open(Executor& executor, std::unique_ptr<call::Transport> transport,
                                               const SandboxLinkOptions& options) {
  const std::shared_ptr<SandboxLink> link(new SandboxLink());
  call::ConnectionOptions connecting;
  connecting.logger = options.logger;
  connecting.sandbox_link = true;
  connecting.limits.inbound_calls = options.open_calls;
  connecting.limits.calls_per_second = options.calls_per_second;
  connecting.limits.frame = options.frame;
  connecting.limits.attachment_bytes = options.attachment_bytes;
  connecting.limits.bytes_in_flight = options.attachment_bytes + options.frame;
  connecting.limits.bytes_unsent = options.attachment_bytes + options.frame;
  connecting.start_nested = [weak = std::weak_ptr(link)](std::string_view parent, call::CallRequest request,
                                                         std::shared_ptr<call::CallSink> sink) {
    const auto self = weak.lock();
    if (!self) throw Error(call::CallError::kForbidden, "this link is about to end");
    return self->start(parent, std::move(request), std::move(sink));
  };
  link->connection_ = call::Connection::open(executor, std::move(transport), nullptr, nullptr, connecting);
  return link;
}

call::CallHandle SandboxLink::start(std::string_view parent, call::CallRequest request,
                                    std::shared_ptr<call::CallSink> sink) {
  const auto found = running_.find(parent);
  if (found == running_.end()) {
    throw Error(call::CallError::kForbidden, fmt::format("the parent \"{}\" does not run on this link", parent));
  }
  return found->second->start(std::move(request), std::move(sink));
}

AsyncGenerator<Message> SandboxLink::ask(call::OperationContext& context, std::shared_ptr<const call::Operation> known,
                                         Message input) {
  return run(shared_from_this(), context, std::move(known), std::move(input));
}

AsyncGenerator<Message> SandboxLink::run(std::shared_ptr<SandboxLink> self, call::OperationContext& context,
                                         std::shared_ptr<const call::Operation> known, Message input) {
  Work work(self);
  call::CallOptions options;
  options.timeout = context.remaining();
  options.known = known;
  options.on_id = [&](const std::string& id) { work.begin(id, context); };
  auto items = self->connection_->subscribe(known->spec().name, std::move(input), std::move(options));
  while (true) {
    std::optional<Message> item;
    try {
      item = co_await items.next();
    } catch (const Error& error) {
      // Given up is not answered: whether by the caller or because it took too long.
      if (context.stop_requested() || error.code() == call::CallError::kTimeout) throw;
      work.answered();
      const bool lost = self->connection_->closed() || self->connection_->stats().streams_reset > 0;
      if (lost && self->on_loss_) throw self->on_loss_(error);
      throw;
    }
    if (!item) break;
    co_yield std::move(*item);
  }
  work.answered();
}

}  // namespace alknet::runtime
