#pragma once

#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/net/tls.h"
#include "alknet/platform/fetch.h"
#include "alknet/runtime/web/web.h"

namespace alknet::platform {

struct WebSocketOptions {
  Loop* loop = nullptr;        ///< the isolate's executor; must outlive the isolate
  FetchPrivileges privileges;  ///< where script may connect
  std::shared_ptr<const net::TlsContext> tls;
  std::string user_agent = "alknet";
};

/// The network behind `WebSocket` (runtime::WebOptions::connect). Connecting throws an Error `permission_denied` for an
/// origin that the privileges do not name. An open connection keeps the isolate busy, and ends with it.
decltype(runtime::WebOptions::connect) make_connect(WebSocketOptions options);

}  // namespace alknet::platform
