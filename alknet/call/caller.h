#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/message.h"
#include "alknet/base/task.h"

namespace alknet::call {

class Operation;

struct CallOptions {
  /// Without it a call has the default of its operation where that is known, else 30 s; a subscription has none.
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::string> auth_token;
  Json forwarded_for = nullptr;

  /// What is called, when the caller knows it: says where Bytes are. Otherwise an object exactly `{"$bytes": i}` whose
  /// number is that of a buffer counts, and base64 strings from a plain peer stay strings.
  std::shared_ptr<const Operation> known;

  /// The most bytes of attachments that the answer may have; the connection's own limit when that is less.
  std::uint64_t answer_bytes = std::numeric_limits<std::uint64_t>::max();

  /// On a sandbox link only: the id of the peer's request that this call is made for.
  std::optional<std::string> parent;

  /// Told the id that the call has on the wire, before it is sent.
  std::function<void(const std::string& id)> on_id;
};

/// Somebody whose operations can be called: a peer behind a connection, or this process. Used on its executor's thread.
class Caller {
 public:
  virtual ~Caller() = default;

  /// Calls a query or mutation. Throws the error that the handler's side answered, `timeout`, `aborted` (also when the
  /// handler's side gave up), `resource_exhausted` for a limit of ours, or `internal` "connection closed". Destroying
  /// the task aborts the call.
  virtual Task<Message> call(std::string operation, Message input, CallOptions options = {}) = 0;

  /// The items of a subscription until it completes. Destroying the generator aborts it.
  virtual AsyncGenerator<Message> subscribe(std::string operation, Message input, CallOptions options = {}) = 0;
};

}  // namespace alknet::call
