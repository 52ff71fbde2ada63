#pragma once

#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/call/dispatcher.h"
#include "alknet/runtime/bridge.h"
#include "apps/sandbox/script_session.h"

namespace alknet::sandbox {

/// What the helper serves its host: one session at a time, and what that registered. On the loop's thread.
class Service {
 public:
  explicit Service(Loop& loop);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Takes over the socket to the host; the loop stops when the host is gone. Once.
  void serve(int link);

 private:
  class Ended;
  runtime::BridgeOptions bridge(const std::string& root, const runtime::SessionRequest& request,
                                const runtime::EventQueue& events);
  AsyncGenerator<Message> session(call::OperationContext& context, Message input);
  AsyncGenerator<Message> invoke(call::OperationContext& context, Message input);

  Loop& loop_;
  std::shared_ptr<call::Registry> registry_;
  call::Dispatcher dispatcher_;
  std::shared_ptr<call::Connection> host_;
  bool busy_ = false;
};

}  // namespace alknet::sandbox
