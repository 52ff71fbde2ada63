#include "alknet/runtime/sandbox_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "alknet/base/message.h"
#include "alknet/call/error.h"

namespace alknet::runtime {

namespace {

using call::CallError;

constexpr std::string_view kBytesMember = "bytes";
constexpr std::array<std::string_view, 4> kEventNames = {"ready", "output", "operation", "removed"};

[[noreturn]] void malformed(std::string_view what) {
  throw Error(CallError::kProtocolError, fmt::format("[sandbox] the helper sent no {}", what));
}

/// The limits by name; 32-bit ones are bounded by their type.
template <typename Limits, typename Use>
void each_limit(Limits& limits, const Use& use) {
  use("memory_bytes", limits.memory_bytes);
  use("stack_bytes", limits.stack_bytes);
  use("timers", limits.timers);
  use("open_calls", limits.open_calls);
  use("output_bytes", limits.output_bytes);
}

const Json* find(const Json& object, std::string_view name) {
  return object.is_object() ? object.get_object().if_contains(name) : nullptr;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* value = find(object, name);
  if (value == nullptr || !value->is_string()) {
    throw Error(CallError::kInvalidInput, fmt::format("[sandbox] `{}` must be text", name));
  }
  return std::string(value->get_string());
}

/// A list of texts; empty when it is absent.
std::vector<std::string> texts_of(const Json& object, std::string_view name) {
  std::vector<std::string> texts;
  const Json* list = find(object, name);
  if (list == nullptr || !list->is_array()) return texts;
  for (const Json& each : list->get_array()) {
    if (!each.is_string()) throw Error(CallError::kInvalidInput, fmt::format("[sandbox] `{}` must be texts", name));
    texts.emplace_back(each.get_string());
  }
  return texts;
}

call::OperationSpec spec(std::string_view name, call::OperationType type, std::string_view input,
                         std::string_view output) {
  call::OperationSpec made;
  made.name = name;
  made.type = type;
  made.input_schema = parse_json(input);
  made.output_schema = parse_json(output);
  return made;
}

}  // namespace

SandboxLimits SandboxLimits::at_most(const SandboxLimits& most) const {
  return {std::min(memory_bytes, most.memory_bytes), std::min(stack_bytes, most.stack_bytes),
          std::min(timers, most.timers), std::min(open_calls, most.open_calls),
          std::min(output_bytes, most.output_bytes)};
}

Json SandboxLimits::to_json() const {
  JsonObject object;
  each_limit(*this, [&](std::string_view name, auto value) { object.emplace(name, value); });
  return object;
}

SandboxLimits SandboxLimits::from_json(const Json& value) {
  SandboxLimits limits;
  each_limit(limits, [&](std::string_view name, auto& limit) {
    const Json* given = find(value, name);
    if (given == nullptr) return;
    boost::system::error_code not_a_count;
    const auto count = given->is_number() ? given->to_number<std::uint64_t>(not_a_count) : 0;
    using Limit = std::remove_reference_t<decltype(limit)>;
    if (!given->is_number() || not_a_count || count > std::numeric_limits<Limit>::max()) {
      throw Error(CallError::kInvalidInput, fmt::format("[sandbox] limit `{}` must be a count", name));
    }
    limit = static_cast<Limit>(count);
  });
  return limits;
}

Message SessionRequest::to_message() const {
  JsonObject object{{"name", name},
                    {"source", source},
                    {"operations", JsonArray(operations.begin(), operations.end())},
                    {"limits", limits.to_json()},
                    {"keep", keep}};
  return {std::move(object), {}};
}

SessionRequest SessionRequest::from_json(const Json& value) {
  SessionRequest request;
  request.source = text_of(value, "source");
  request.name = find(value, "name") != nullptr ? text_of(value, "name") : "script.js";
  request.operations = texts_of(value, "operations");
  if (const Json* limits = find(value, "limits")) request.limits = SandboxLimits::from_json(*limits);
  if (const Json* keep = find(value, "keep")) request.keep = keep->is_bool() && keep->get_bool();
  return request;
}

Json SandboxEvent::to_json() const {
  JsonObject object{{"event", kEventNames.at(static_cast<std::size_t>(kind))}};
  if (kind == Kind::kOutput || kind == Kind::kRemoved) object.emplace("text", text);
  if (kind == Kind::kOutput && error) object.emplace("error", true);
  if (kind == Kind::kOperation) {
    object.emplace("spec", spec);
    object.emplace("environment", JsonArray(environment.begin(), environment.end()));
  }
  return object;
}

SandboxEvent SandboxEvent::from_json(const Json& value) {
  const Json* name = find(value, "event");
  if (name == nullptr || !name->is_string()) malformed("event");
  SandboxEvent event;
  std::size_t kind = 0;
  while (kind < kEventNames.size() && kEventNames.at(kind) != std::string_view(name->get_string())) ++kind;
  if (kind == kEventNames.size()) malformed("known event");
  event.kind = static_cast<Kind>(kind);
  if (const Json* text = find(value, "text"); text != nullptr && text->is_string()) event.text = text->get_string();
  event.error = find(value, "error") != nullptr;
  if (const Json* spec = find(value, "spec")) event.spec = *spec;
  event.environment = texts_of(value, "environment");
  return event;
}

std::vector<call::OperationSpec> sandbox_specs() {
  using enum call::OperationType;
  std::vector<call::OperationSpec> specs;
  specs.push_back(spec(kSessionOperation, kSubscription,
                       R"json({"type":"object","required":["source"],"properties":{
      "name":{"type":"string","description":"Of the script; .ts and .tsx are TypeScript","examples":["script.ts"]},
      "source":{"type":"string","examples":["console.log(1 + 1)"]},
      "operations":{"type":"array","items":{"type":"string"},
        "description":"What it may call: names, or NAMESPACE/*","examples":[["tensor/*"]]},
      "limits":{"type":"object"},"keep":{"type":"boolean","default":false}}})json",
                       R"json({"type":"object","required":["event"],"properties":{
      "event":{"type":"string"},"text":{"type":"string"},"error":{"type":"boolean"},
      "spec":{"type":"object"},"environment":{"type":"array"}}})json"));
  specs.back().errors.push_back({std::string(kScriptError), "The script threw and nobody caught it"});
  specs.push_back(spec(kInvokeOperation, kSubscription,
                       R"json({"type":"object","required":["operation","input"],"properties":{
      "operation":{"type":"string"},"input":{},"bytes":{"type":"array","items":{"TypeDef:Bytes":true}}}})json",
                       R"json({"type":"object","properties":{
      "output":{},"error":{"type":"object"},"bytes":{"type":"array","items":{"TypeDef:Bytes":true}}}})json"));
  specs.push_back(spec(kPingOperation, kQuery, "{}", "{}"));
  return specs;
}

Message wrap(JsonObject outer, std::string_view member, Message inner) {
  outer.emplace(member, std::move(inner.value));
  Message wrapped;
  wrapped.bytes = std::move(inner.bytes);
  JsonArray list;
  for (std::size_t i = 0; i < wrapped.bytes.size(); ++i) list.emplace_back(JsonObject{{kBytesKey, i}});
  if (!list.empty()) outer.emplace(kBytesMember, std::move(list));
  wrapped.value = std::move(outer);
  return wrapped;
}

Message unwrap(Message outer, std::string_view member) {
  Json* value = outer.value.is_object() ? outer.value.get_object().if_contains(member) : nullptr;
  if (value == nullptr) malformed(member);
  Message inner;
  if (const Json* list = find(outer.value, kBytesMember); list != nullptr && list->is_array()) {
    for (const Json& reference : list->get_array()) inner.bytes.push_back(attached_bytes(outer, reference));
  }
  inner.value = std::move(*value);
  return inner;
}

}  // namespace alknet::runtime
