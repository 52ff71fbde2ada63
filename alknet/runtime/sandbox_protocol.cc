#include "alknet/runtime/sandbox_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "alknet/base/message.h"
#include "alknet/call/error.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {

namespace {

using call::CallError;

constexpr std::string_view kBytesMember = "bytes";
constexpr std::size_t kMaxPatterns = 10'000;
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
  use("jobs", limits.jobs);
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
  if (list->get_array().size() > kMaxPatterns) {
    throw Error(CallError::kInvalidInput,
                fmt::format("[sandbox] `{}` has more than {} names: name a namespace as NS/*", name, kMaxPatterns));
  }
  for (const Json& each : list->get_array()) {
    if (!each.is_string()) throw Error(CallError::kInvalidInput, fmt::format("[sandbox] `{}` must be texts", name));
    texts.emplace_back(each.get_string());
  }
  return texts;
}

/// An object of texts, whose names are those of files in the session; empty when it is absent.
std::map<std::string, std::string> files_of(const Json& object, std::string_view name) {
  std::map<std::string, std::string> files;
  const Json* given = find(object, name);
  if (given == nullptr) return files;
  if (!given->is_object()) throw Error(CallError::kInvalidInput, fmt::format("[sandbox] `{}` must be an object", name));
  for (const auto& [file, text] : given->get_object()) {
    if (!file.starts_with("./") && !file.starts_with('/')) {
      throw Error(CallError::kInvalidInput,
                  fmt::format("[sandbox] `{}` names \"{}\": a file begins with \"./\"", name, std::string(file)));
    }
    if (!text.is_string()) {
      throw Error(CallError::kInvalidInput, fmt::format("[sandbox] `{}`: {} must be text", name, std::string(file)));
    }
    files.insert_or_assign(module_path(file), std::string(text.get_string()));
  }
  return files;
}

JsonObject files_object(const std::map<std::string, std::string>& files) {
  JsonObject object;
  for (const auto& [name, text] : files) object.emplace(name, text);
  return object;
}

/// About what `value` takes as text, without making it.
std::uint64_t text_size(const Json& value) {
  constexpr std::uint64_t kOther = 8;
  std::uint64_t size = 0;
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) size += name.size() + text_size(member);
  } else if (const auto* array = value.if_array()) {
    for (const Json& item : *array) size += text_size(item);
  } else if (const auto* text = value.if_string()) {
    return text->size();
  } else {
    return kOther;
  }
  return size;
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
  return {std::min(memory_bytes, most.memory_bytes),
          std::min(stack_bytes, most.stack_bytes),
          std::min(timers, most.timers),
          std::min(open_calls, most.open_calls),
          std::min(jobs, most.jobs),
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

std::string limit_reached(const Error& error) {
  const Json* told = &error.details();  // of an error of script: {name, message, code, details}
  if (error.code() == RuntimeError::kScriptThrew) {
    const Json* code = find(*told, "code");
    const bool told_so = code != nullptr && (*code == Json("limit") || *code == Json("RESOURCE_EXHAUSTED"));
    if (!told_so) return {};
    told = find(*told, "details");
  } else if (error.code() != RuntimeError::kLimit) {
    return {};
  }
  const Json* limit = told == nullptr ? nullptr : find(*told, "limit");
  if (limit == nullptr || !limit->is_string()) return {};
  std::string known;
  const SandboxLimits limits;
  each_limit(limits, [&](std::string_view name, auto) {
    if (*limit == Json(name)) known = name;
  });
  return known;
}

void SessionRequest::take(ModuleTree tree) {
  name = std::move(tree.name);
  source = std::move(tree.source);
  modules = std::move(tree.modules);
  left_out = std::move(tree.left_out);
}

Message SessionRequest::to_message() const {
  JsonObject object{{"name", name},
                    {"source", source},
                    {"operations", JsonArray(operations.begin(), operations.end())},
                    {"limits", limits.to_json()},
                    {"keep", keep}};
  if (!modules.empty()) object.emplace("modules", files_object(modules));
  if (!left_out.empty()) object.emplace("left_out", files_object(left_out));
  return {std::move(object), {}};
}

SessionRequest SessionRequest::from_json(const Json& value) {
  SessionRequest request;
  request.source = text_of(value, "source");
  request.name = find(value, "name") != nullptr ? text_of(value, "name") : "script.js";
  request.operations = texts_of(value, "operations");
  request.modules = files_of(value, "modules");
  request.left_out = files_of(value, "left_out");
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

std::uint64_t output_size(const Json& item) {
  // Of {"event": "output", "text": ..., "error": true}, beside the text.
  constexpr std::uint64_t kEnvelope = 5 + 6 + 4 + 5 + 8;
  const std::uint64_t size = text_size(item);
  const Json* text = find(item, "text");
  const Json* event = find(item, "event");
  const bool output = event != nullptr && *event == Json(kEventNames.at(1));
  if (!output || text == nullptr || !text->is_string()) return std::max<std::uint64_t>(size, 1);
  const std::uint64_t beside = size - text->get_string().size();
  return std::max<std::uint64_t>(text->get_string().size() + (beside > kEnvelope ? beside - kEnvelope : 0), 1);
}

std::vector<call::OperationSpec> sandbox_specs() {
  using enum call::OperationType;
  std::vector<call::OperationSpec> specs;
  specs.push_back(spec(kSessionOperation, kSubscription,
                       R"json({"type":"object","required":["source"],"additionalProperties":false,"properties":{
      "name":{"type":"string","description":"Of the script; .ts and .tsx are TypeScript","examples":["script.ts"]},
      "source":{"type":"string","examples":["console.log(1 + 1)"]},
      "operations":{"type":"array","items":{"type":"string"},
        "description":"What it may call: names, or NAMESPACE/*","examples":[["tensor/*"]]},
      "modules":{"type":"object","additionalProperties":{"type":"string"},
        "description":"Texts of the files that it may import, by path from its folder",
        "examples":[{"./util.ts":"export const two = 2;"}]},
      "left_out":{"type":"object","additionalProperties":{"type":"string"},
        "description":"Files of the folder that are not among the modules, and why"},
      "limits":{"type":"object","additionalProperties":false,
        "description":"The most that the script may take; a node has limits of its own for callers",
        "properties":{
          "memory_bytes":{"type":"integer","minimum":0,"default":67108864},
          "stack_bytes":{"type":"integer","minimum":0,"default":524288},
          "timers":{"type":"integer","minimum":0,"default":1000},
          "open_calls":{"type":"integer","minimum":0,"default":256},
          "jobs":{"type":"integer","minimum":0,"default":1000000},
          "output_bytes":{"type":"integer","minimum":0,"default":1048576}}},
      "keep":{"type":"boolean","default":false,
        "description":"Stay to serve what it registers; import.meta.main is false then"}}})json",
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
