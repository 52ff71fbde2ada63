#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/message.h"
#include "alknet/base/task.h"

namespace alknet::call {

struct CallOptions {
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::string> auth_token;
  Json forwarded_for = nullptr;
};

/// Somebody whose operations can be called: a peer behind a connection, or this process. Used on its executor's thread.
class Caller {
 public:
  virtual ~Caller() = default;

  /// Calls a query or mutation. Throws the error that the handler's side answered, `timeout`, `aborted`, or `transport`
  /// "connection closed". Destroying the task aborts the call.
  virtual Task<Message> call(std::string operation, Message input, CallOptions options = {}) = 0;

  /// The items of a subscription until it completes. Destroying the generator aborts it.
  virtual AsyncGenerator<Message> subscribe(std::string operation, Message input, CallOptions options = {}) = 0;
};

}  // namespace alknet::call
