#include "alknet/call/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "alknet/base/near_names.h"
#include "alknet/call/context.h"

namespace alknet::call {

namespace {

constexpr std::string_view kListInput = R"({
  "type": "object",
  "properties": {
    "features": {"type": "array", "items": {"type": "string"}, "description": "what the caller's side can do beyond the plain protocol"},
    "prefix": {"type": "string", "description": "only operations whose name begins so"},
    "query": {"type": "string", "description": "only operations whose name, title, description or tags contain this"}
  },
  "additionalProperties": false
})";
constexpr std::string_view kListOutput = R"({
  "type": "object",
  "properties": {
    "operations": {
      "type": "array",
      "items": {
        "type": "object",
        "properties": {
          "name": {"type": "string"},
          "op_type": {"enum": ["query", "mutation", "subscription"]},
          "title": {"type": "string"},
          "description": {"type": "string"},
          "tags": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["name", "op_type"]
      }
    },
    "features": {"type": "array", "items": {"type": "string"}}
  },
  "required": ["operations"]
})";
constexpr std::string_view kSchemaInput = R"({
  "type": "object",
  "properties": {"name": {"type": "string", "description": "ns/op"}},
  "required": ["name"],
  "additionalProperties": false
})";
constexpr std::string_view kSchemaOutput = R"({
  "type": "object",
  "properties": {"name": {"type": "string"}, "op_type": {"enum": ["query", "mutation", "subscription"]},
    "input_schema": {"type": ["object", "boolean"]}, "output_schema": {"type": ["object", "boolean"]}},
  "required": ["name", "op_type", "input_schema", "output_schema"]
})";
constexpr std::string_view kPeersOutput = R"({
  "type": "object",
  "properties": {"peers": {"type": "array", "items": {
    "type": "object",
    "properties": {"peer_id": {"type": "string"}, "display_name": {"type": "string"}, "connected": {"type": "boolean"},
      "import": {"type": "object", "description": "of a peer whose operations this node offers under its id",
        "properties": {"state": {"enum": ["connecting", "connected", "waiting", "stopped"]},
          "operations": {"type": "integer"}, "attempts": {"type": "integer"}, "last_error": {"type": "string"},
          "next_attempt_ms": {"type": "integer"}},
        "required": ["state", "operations", "attempts"]}},
    "required": ["peer_id", "connected"]}}},
  "required": ["peers"]
})";

Json peer_json(const PeerInfo& peer) {
  JsonObject object{{"peer_id", peer.peer_id}, {"display_name", peer.display_name}, {"connected", peer.connected}};
  if (peer.import) {
    const PeerImport& import = *peer.import;
    JsonObject state{{"state", import.state}, {"operations", import.operations}, {"attempts", import.attempts}};
    if (!import.last_error.empty()) state.emplace("last_error", import.last_error);
    if (import.next_attempt_in) state.emplace("next_attempt_ms", import.next_attempt_in->count());
    object.emplace("import", std::move(state));
  }
  return object;
}

std::string text_member(const Json& value, std::string_view member) {
  const auto* found = value.as_object().if_contains(member);
  return found == nullptr ? std::string() : std::string(found->as_string());
}

bool contains_word(std::string_view text, std::string_view query) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::search(text.begin(), text.end(), query.begin(), query.end(),
                     [&](char a, char b) { return small(a) == small(b); }) != text.end();
}

Task<Message> list(OperationContext& context, Message input) {
  const std::string prefix = text_member(input.value, "prefix");
  const std::string query = text_member(input.value, "query");
  JsonArray operations;
  for (const auto& [name, operation] : context.visible_operations()) {
    if (name.starts_with(prefix) && matches(operation->spec(), query)) {
      operations.push_back(operation_summary(operation->spec()));
    }
  }
  JsonObject output{{"operations", std::move(operations)}};
  if (const auto* asked = input.value.as_object().if_contains("features")) {
    std::vector<std::string> features;
    for (const Json& feature : asked->as_array()) features.emplace_back(feature.as_string());
    const auto& negotiate = context.owner().negotiate_features;
    const auto ours = negotiate ? negotiate(features) : std::vector<std::string>();
    output.emplace("features", JsonArray(ours.begin(), ours.end()));
  }
  co_return Message{std::move(output), {}};
}

Task<Message> describe(OperationContext& context, Message input) {
  const std::string name = text_member(input.value, "name");
  if (const auto operation = context.find_visible(name)) co_return Message{operation->spec().to_json(), {}};
  std::vector<std::string> names;
  for (const auto& [known, operation] : context.visible_operations()) names.push_back(known);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = near_names(name, views);
  JsonObject details{{"operation", name}};
  if (!near.empty()) details.emplace("near", JsonArray(near.begin(), near.end()));
  throw Error(CallError::kNotFound, fmt::format("there is no operation {}{}", name, did_you_mean(name, views)),
              std::move(details));
}

Registration query(std::string_view name, std::string_view title, std::string_view description, Json input, Json output,
                   OnceHandler handler) {
  Registration registration;
  registration.spec.name = name;
  registration.spec.title = title;
  registration.spec.description = description;
  registration.spec.input_schema = std::move(input);
  registration.spec.output_schema = std::move(output);
  registration.spec.tags = {"discovery"};
  registration.handler = std::move(handler);
  return registration;
}

}  // namespace

bool matches(const OperationSpec& spec, std::string_view query) {
  return contains_word(spec.name, query) || contains_word(spec.title, query) ||
         contains_word(spec.description, query) ||
         std::any_of(spec.tags.begin(), spec.tags.end(), [&](const auto& tag) { return contains_word(tag, query); });
}

Json operation_summary(const OperationSpec& spec) {
  JsonObject object{{"name", spec.name}, {"op_type", operation_type_name(spec.type)}};
  if (!spec.title.empty()) object.emplace("title", spec.title);
  if (!spec.description.empty()) object.emplace("description", spec.description);
  if (!spec.tags.empty()) object.emplace("tags", JsonArray(spec.tags.begin(), spec.tags.end()));
  return object;
}

std::vector<Registration> discovery_operations(DiscoveryOptions options) {
  std::vector<Registration> operations;
  operations.push_back(query("services/list", "List operations", "The operations that you may call.",
                             parse_json(kListInput), parse_json(kListOutput), list));
  operations.push_back(query("services/schema", "Describe an operation", "The full specification of one operation.",
                             parse_json(kSchemaInput), parse_json(kSchemaOutput), describe));
  if (options.list_peers) {
    const auto peers = [list_peers = std::move(options.list_peers)](OperationContext&, Message) -> Task<Message> {
      JsonArray array;
      for (const PeerInfo& peer : list_peers()) array.push_back(peer_json(peer));
      co_return Message{JsonObject{{"peers", std::move(array)}}, {}};
    };
    operations.push_back(query("services/list-peers", "List peers", "The peers that this node knows.",
                               parse_json(R"({"type":"object","additionalProperties":false})"),
                               parse_json(kPeersOutput), peers));
    operations.back().spec.access = std::move(options.list_peers_access);
  }
  return operations;
}

}  // namespace alknet::call
