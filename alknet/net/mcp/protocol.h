#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "alknet/base/json.h"

namespace alknet::net::mcp {

/// The revisions of the Model Context Protocol that both sides speak, the newest first.
inline constexpr std::string_view kNewest = "2025-06-18";
inline constexpr std::string_view kOldest = "2025-03-26";
inline constexpr std::array kRevisions{kNewest, kOldest};

bool is_revision(std::string_view text);

/// Error codes of JSON-RPC 2.0.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;

inline constexpr std::string_view kSessionHeader = "Mcp-Session-Id";
inline constexpr std::string_view kVersionHeader = "MCP-Protocol-Version";

/// A JSON-RPC message, as far as it is well-formed. Borrows the JSON.
struct RpcMessage {
  const Json* id = nullptr;      ///< of a request or response
  std::string_view method;       ///< of a request or notification; empty for a response
  const Json* params = nullptr;  ///< of a request or notification
  const Json* result = nullptr;  ///< of a response
  const Json* error = nullptr;   ///< of a response

  bool is_request() const { return !method.empty() && id != nullptr; }
  bool is_notification() const { return !method.empty() && id == nullptr; }
  bool is_response() const { return method.empty(); }

  /// Nothing for what is no message of JSON-RPC 2.0.
  static std::optional<RpcMessage> read(const Json& value);

  /// A member of the params, or null.
  const Json* param(std::string_view name) const;
};

Json rpc_request(const Json& id, std::string_view method, Json params);
Json rpc_notification(std::string_view method, Json params = nullptr);
Json rpc_result(const Json& id, Json result);
Json rpc_error(const Json& id, int code, std::string_view message);

}  // namespace alknet::net::mcp
