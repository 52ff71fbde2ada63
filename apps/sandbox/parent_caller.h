#pragma once

#include <memory>
#include <string>
#include <utility>

#include "alknet/call/connection.h"

namespace alknet::sandbox {

/// Calls the host on behalf of one of its requests: each call names it as `parent`. On the connection's executor.
class ParentCaller final : public call::Caller {
 public:
  ParentCaller(std::shared_ptr<call::Connection> host, std::string parent)
      : host_(std::move(host)), parent_(std::move(parent)) {}

  Task<Message> call(std::string operation, Message input, call::CallOptions options = {}) override {
    return host_->call(std::move(operation), std::move(input), mine(std::move(options)));
  }
  AsyncGenerator<Message> subscribe(std::string operation, Message input, call::CallOptions options = {}) override {
    return host_->subscribe(std::move(operation), std::move(input), mine(std::move(options)));
  }

 private:
  /// What a script may say of its calls: how long they may take. The rest is the host's affair.
  call::CallOptions mine(call::CallOptions options) const {
    call::CallOptions made;
    made.timeout = options.timeout;
    made.on_id = std::move(options.on_id);
    made.parent = parent_;
    return made;
  }

  std::shared_ptr<call::Connection> host_;
  std::string parent_;
};

}  // namespace alknet::sandbox
