#include "alknet/net/mcp/protocol.h"

#include <algorithm>
#include <utility>

namespace alknet::net::mcp {

bool is_revision(std::string_view text) {
  return std::find(kRevisions.begin(), kRevisions.end(), text) != kRevisions.end();
}

std::optional<RpcMessage> RpcMessage::read(const Json& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto* version = object->if_contains("jsonrpc");
  if (version == nullptr || *version != Json("2.0")) return std::nullopt;
  RpcMessage message;
  message.id = object->if_contains("id");
  message.params = object->if_contains("params");
  message.result = object->if_contains("result");
  message.error = object->if_contains("error");
  if (message.id != nullptr && !message.id->is_string() && !message.id->is_number()) {
    // A response to what could not be read has the id null; nothing else may.
    if (!message.id->is_null() || message.error == nullptr) return std::nullopt;
  }
  if (message.params != nullptr && !message.params->is_object() && !message.params->is_array()) return std::nullopt;
  const auto* method = object->if_contains("method");
  if (method == nullptr) {
    const bool answers = (message.result != nullptr) != (message.error != nullptr);
    return answers && message.id != nullptr ? std::optional(message) : std::nullopt;
  }
  if (!method->is_string() || method->get_string().empty()) return std::nullopt;
  message.method = method->get_string();
  return message;
}

const Json* RpcMessage::param(std::string_view name) const {
  const auto* object = params == nullptr ? nullptr : params->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

Json rpc_request(const Json& id, std::string_view method, Json params) {
  JsonObject message{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
  if (!params.is_null()) message.emplace("params", std::move(params));
  return message;
}

Json rpc_notification(std::string_view method, Json params) {
  JsonObject message{{"jsonrpc", "2.0"}, {"method", method}};
  if (!params.is_null()) message.emplace("params", std::move(params));
  return message;
}

Json rpc_result(const Json& id, Json result) {
  return JsonObject{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

Json rpc_error(const Json& id, int code, std::string_view message) {
  JsonObject error{{"code", code}, {"message", message}};
  return JsonObject{{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}};
}

}  // namespace alknet::net::mcp
