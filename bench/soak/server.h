#pragma once

#include <filesystem>
#include <memory>

#include "alknet/base/json.h"
#include "alknet/call/connection.h"
#include "bench/soak/workplace.h"

namespace alknet::bench::soak {

/// The server's process: serves the Service and tensor streams on every transport, prints the addresses as one line of
/// JSON, {"quic": "quic://127.0.0.1:4433", ...}, and ends after `soak/stop`.
int run_server(const std::filesystem::path& folder);

/// What lives in the server, as `soak/state` answers it, the asking connection and call left out.
struct ServerState {
  std::int64_t connections = 0;    ///< of calls
  std::int64_t running_calls = 0;  ///< of outside callers
  std::int64_t pending = 0;        ///< requests on connections, both directions
  std::int64_t unsent_bytes = 0;   ///< on connections, with those that are not yet whole
  std::int64_t handlers = 0;
  std::int64_t resources = 0;
  std::int64_t stream_connections = 0;  ///< of tensors
  std::int64_t quic_connections = 0;    ///< of any state, handshakes included
  std::int64_t heap_bytes = 0;          ///< allocated, by the C library's account; 0 under a sanitizer

  /// Nothing is left but the heap.
  bool empty() const;

  static ServerState from_json(const Json& json);
  Json to_json() const;
};

Task<ServerState> server_state(std::shared_ptr<call::Connection> connection);

}  // namespace alknet::bench::soak
