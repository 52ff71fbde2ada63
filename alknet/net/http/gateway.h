#pragma once

#include <functional>
#include <memory>
#include <string>

#include "alknet/call/dispatcher.h"
#include "alknet/net/http/gateway_owners.h"
#include "alknet/net/http/server.h"
#include "alknet/net/metrics.h"

namespace alknet::net {

struct GatewayOptions {
  GatewayOwnerOptions owners;
  std::string title = "alknet";
  std::string version = "0";
  std::size_t max_batch = 64;
  bool page = true;  ///< whether people may call operations from the page at `/`

  /// What GET /metrics shows; null: there is no such path.
  const Metrics* metrics = nullptr;

  /// Whether GET /ready answers 200; besides, a draining dispatcher is not ready. Null: always.
  std::function<bool()> ready;
};

/// Operations over plain HTTP:
///
/// | request | answer |
/// |---|---|
/// | GET /search?q=TEXT | {"operations": [{name, op_type, title, description, tags}]} that this caller may call |
/// | GET /schema?name=ns/op | the full spec of one of them |
/// | POST /call {"operation", "input", "timeout_ms"?} | {"output"}, or {"error"} with its status |
/// | POST /call/ns/op INPUT | the same |
/// | POST /batch [CALL, …] | [{"output"} or {"error"}, …] in order, status 200 |
/// | GET /subscribe?operation=ns/op&input=JSON | server-sent events `message` (an item), `completed`, `error` |
/// | GET /subscribe/ns/op?input=JSON | the same |
/// | GET /openapi.json | the OpenAPI 3.1 document of what this caller may call |
/// | GET /health, /ready, /metrics | for supervisors and Prometheus |
/// | GET / | the page on which people do all this |
///
/// Bytes travel as base64 text. The identity is that of the bearer token. With a header `Alknet-Session` the requests
/// of an identity that name the same session share handles, until it was idle for ten minutes; without one, an
/// operation that would return a handle is refused. Bodies must be declared as JSON, so that no web page can post to a
/// node unasked. A client that leaves aborts its calls.
class Gateway {
 public:
  /// Adds its routes to `server`, whose loop must be the dispatcher's executor. The dispatcher must outlive the server.
  Gateway(HttpServer& server, call::Dispatcher& dispatcher, GatewayOptions options);
  ~Gateway();

  /// Ends the sessions of identities for which `ended` holds, and hangs up where they call or subscribe.
  void end_where(const std::function<bool(const call::Identity&)>& ended);

  /// Sessions that live.
  std::size_t sessions() const;

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
