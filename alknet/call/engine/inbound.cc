#include "alknet/call/engine/inbound.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/call/timeouts.h"

namespace alknet::call {

namespace {

[[noreturn]] void refuse_member(std::string_view name, std::string_view what) {
  throw Error(CallError::kInvalidInput, fmt::format("`{}` of a call.requested must be {}", name, what),
              JsonObject{{"member", name}});
}

std::optional<std::string> optional_text(const JsonObject& payload, std::string_view name) {
  const auto* value = payload.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) refuse_member(name, "a string");
  return std::string(value->get_string());
}

std::optional<std::chrono::milliseconds> requested_timeout(const JsonObject& payload) {
  const auto* value = payload.if_contains("timeout_ms");
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_number() || value->to_number<double>() < 1) refuse_member("timeout_ms", "a number from 1");
  const auto most = static_cast<double>(kLongestTimeout.count());
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(most, value->to_number<double>())));
}

}  // namespace

InboundRequest parse_request(const std::string& id, JsonObject& payload) {
  InboundRequest request;
  const auto* operation = payload.if_contains("operationId");
  if (operation == nullptr || !operation->is_string()) refuse_member("operationId", "a string");
  request.call.operation = std::string(operation->get_string());
  request.call.id = id;
  if (auto* input = payload.if_contains("input")) request.call.input.value = std::move(*input);
  request.call.auth_token = optional_text(payload, "auth_token");
  if (auto* forwarded_for = payload.if_contains("forwarded_for")) {
    request.call.forwarded_for = std::move(*forwarded_for);
  }
  request.call.timeout = requested_timeout(payload);
  request.parent = optional_text(payload, "parent");
  return request;
}

std::shared_ptr<InboundCall> InboundCalls::add(std::string id, StreamId stream, Features features, Window window) {
  auto call = std::make_shared<InboundCall>(std::move(id), stream, features, window);
  return calls_.emplace(call->id, call).second ? call : nullptr;
}

std::shared_ptr<InboundCall> InboundCalls::find(std::string_view id) const {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second;
}

void InboundCalls::remove(const InboundCall& call) {
  const auto found = calls_.find(call.id);
  if (found != calls_.end() && found->second.get() == &call) {
    const auto kept = std::move(found->second);  // the key lies in it
    calls_.erase(found);
  }
}

std::vector<std::shared_ptr<InboundCall>> InboundCalls::all() const {
  std::vector<std::shared_ptr<InboundCall>> calls;
  for (const auto& [id, call] : calls_) calls.push_back(call);
  return calls;
}

std::vector<std::shared_ptr<InboundCall>> InboundCalls::all_on(StreamId stream) const {
  std::vector<std::shared_ptr<InboundCall>> calls;
  for (const auto& [id, call] : calls_) {
    if (call->stream == stream) calls.push_back(call);
  }
  return calls;
}

bool CallRate::admit(Executor::Clock::time_point now) {
  const std::chrono::duration<double> passed = now - refilled_;
  allowance_ = std::min(per_second_, allowance_ + std::max(0.0, passed.count()) * per_second_);
  refilled_ = now;
  if (allowance_ < 1) return false;
  allowance_ -= 1;
  return true;
}

}  // namespace alknet::call
