#pragma once

#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/net/tls.h"
#include "alknet/platform/fetch.h"
#include "alknet/runtime/isolate.h"

namespace alknet::platform {

struct WebSocketOptions {
  Loop* loop = nullptr;        ///< the isolate's executor; must outlive the isolate
  FetchPrivileges privileges;  ///< where script may connect
  std::shared_ptr<const net::TlsContext> tls;
  std::string user_agent = "alknet";
};

/// Defines the standard's `WebSocket` and `CloseEvent` as globals of an isolate that has the web platform. They are
/// read and run when script first uses one. The constructor throws an Error `permission_denied` for an origin that the
/// privileges do not name. An open connection keeps the isolate busy, and ends with it.
void install_websocket(runtime::Isolate& isolate, WebSocketOptions options);

}  // namespace alknet::platform
