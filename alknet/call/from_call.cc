#include "alknet/call/from_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/context.h"
#include "alknet/call/remote_tensor.h"

namespace alknet::call {

namespace {

// Descriptions asked for at a time.
constexpr std::size_t kAtOnce = 64;

constexpr std::string_view kListName = "services/list";
constexpr std::string_view kSchemaName = "services/schema";

/// The member of an input by which a caller names the results.
constexpr std::string_view kIds = "ids";

/// What the forwarding handler of one operation needs.
struct Route {
  std::weak_ptr<Connection> connection;
  std::string peer_id;
  std::shared_ptr<const Operation> known;  ///< as the peer has it
  bool names_results = false;              ///< `ids` name results for our caller, and the peer does not hear of them
};

std::shared_ptr<Connection> connection_of(const Route& route) {
  auto connection = route.connection.lock();
  if (connection && !connection->closed()) return connection;
  throw Error(CallError::kInternal, "connection closed", JsonObject{{"peer", route.peer_id}});
}

CallOptions options_of(const Route& route, const OperationContext& context) {
  CallOptions options;
  options.timeout = context.remaining();
  options.known = route.known;
  if (const auto& identity = context.identity()) options.forwarded_for = identity->to_json();
  return options;
}

/// An answer that says ABORTED means that the peer gave up, not that our caller did.
[[noreturn]] void rethrow(const Error& error) {
  if (error.code() != CallError::kAborted) throw Error(error);
  throw Error(CallError::kInternal, "the peer gave the call up", error.details());
}

/// Takes the names for results out of an input.
std::vector<std::string> take_ids(Json& input) {
  std::vector<std::string> ids;
  auto* object = input.if_object();
  const auto* given = object == nullptr ? nullptr : object->if_contains(kIds);
  if (given == nullptr) return ids;
  for (const Json& id : given->as_array()) ids.emplace_back(id.as_string());
  object->erase(kIds);
  return ids;
}

Task<Message> forward(std::shared_ptr<const Route> route, OperationContext& context, Message input) {
  const auto connection = connection_of(*route);
  const auto ids = route->names_results ? take_ids(input.value) : std::vector<std::string>();
  to_remote_handles(input.value, context.resources(), route->peer_id);
  try {
    Message output =
        co_await connection->call(route->known->spec().name, std::move(input), options_of(*route, context));
    to_local_handles(output.value, context, connection, route->peer_id, ids);
    co_return output;
  } catch (const Error& error) {
    rethrow(error);
  }
}

AsyncGenerator<Message> forward_items(std::shared_ptr<const Route> route, OperationContext& context, Message input) {
  const auto connection = connection_of(*route);
  to_remote_handles(input.value, context.resources(), route->peer_id);
  auto items = connection->subscribe(route->known->spec().name, std::move(input), options_of(*route, context));
  while (true) {
    std::optional<Message> item;
    try {
      item = co_await items.next();
    } catch (const Error& error) {
      rethrow(error);
    }
    if (!item) co_return;
    to_local_handles(item->value, context, connection, route->peer_id);
    co_yield std::move(*item);
  }
}

Handler forwarding_handler(const std::shared_ptr<const Route>& route, OperationType type) {
  if (type == OperationType::kSubscription) {
    return StreamHandler(
        [route](OperationContext& context, Message input) { return forward_items(route, context, std::move(input)); });
  }
  return OnceHandler(
      [route](OperationContext& context, Message input) { return forward(route, context, std::move(input)); });
}

/// The operation as the peer has it; it is described, not run.
std::shared_ptr<const Operation> description_of(const OperationSpec& spec) {
  Registration registration;
  registration.spec = spec;
  registration.spec.access = {};  // the peer checks what it asks
  registration.spec.resource_id_path.clear();
  registration.provenance = Provenance::kFromCall;
  registration.handler = forwarding_handler(nullptr, spec.type);
  return std::make_shared<const Operation>(std::move(registration));
}

bool has_imported_tag(const JsonObject& summary) {
  const auto* tags = summary.if_contains("tags");
  if (tags == nullptr || !tags->is_array()) return false;
  const JsonArray& all = tags->get_array();
  return std::find(all.begin(), all.end(), Json(kImportedTag)) != all.end();
}

/// Whether a schema, or one inside it, says that a text is a handle.
bool names_handles(const Json& schema) {
  if (const auto* array = schema.if_array()) return std::any_of(array->begin(), array->end(), names_handles);
  const auto* object = schema.if_object();
  if (object == nullptr) return false;
  const auto* format = object->if_contains("format");
  if (format != nullptr && *format == Json(kHandleFormat)) return true;
  return std::any_of(object->begin(), object->end(), [](const auto& member) { return names_handles(member.value()); });
}

/// The members of an input schema, or null.
JsonObject* properties_of(Json& schema) {
  auto* object = schema.if_object();
  auto* properties = object == nullptr ? nullptr : object->if_contains("properties");
  return properties == nullptr ? nullptr : properties->if_object();
}

/// Makes of a peer's operation what several callers may use over one connection, and says whether they may name its
/// results. Throws `forbidden` for an operation that cannot keep them apart.
bool make_shareable(OperationSpec& spec) {
  Json input = spec.input_schema;
  JsonObject* members = properties_of(input);
  const auto* ids = members == nullptr ? nullptr : members->if_contains(kIds);
  const bool names_results = ids != nullptr && names_handles(*ids);
  if (names_results) members->erase(kIds);
  if (names_handles(input) || names_handles(spec.output_schema)) {
    throw Error(CallError::kForbidden,
                "it names plans, stores or kernels by texts that other callers of this connection could guess");
  }
  if (spec.type != OperationType::kSubscription) return names_results;
  spec.input_schema = std::move(input);
  return false;
}

/// The names that the peer listed, without discovery.
std::vector<std::string> listed_names(const Message& list) {
  const auto* object = list.value.if_object();
  const auto* operations = object == nullptr ? nullptr : object->if_contains("operations");
  if (operations == nullptr || !operations->is_array()) {
    throw Error(CallError::kDiscoveryFailed, "[from_call] services/list of the peer did not answer `operations`");
  }
  std::vector<std::string> names;
  for (const Json& item : operations->get_array()) {
    const auto* entry = item.if_object();
    const auto* name = entry == nullptr ? nullptr : entry->if_contains("name");
    if (name == nullptr || !name->is_string()) {
      throw Error(CallError::kDiscoveryFailed, "[from_call] services/list of the peer has an operation without a name");
    }
    if (std::string_view(name->get_string()).starts_with("services/") || has_imported_tag(*entry)) continue;
    names.emplace_back(name->get_string());
  }
  return names;
}

/// The answers of `services/schema` for these names, in their order, asked for at the same time.
Task<std::vector<Outcome<Message>>> describe_all(std::shared_ptr<Connection> connection,
                                                 std::vector<std::string> names) {
  struct Gathered {
    std::vector<std::optional<Outcome<Message>>> answers;
    std::size_t missing = 0;
    Completion<void> all;
  };
  const auto gathered = std::make_shared<Gathered>();
  gathered->answers.resize(names.size());
  gathered->missing = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    JsonObject input{{"name", names[i]}};
    start(connection->executor(), connection->call(std::string(kSchemaName), Message{std::move(input), {}}),
          [gathered, i](Outcome<Message> answer) {
            gathered->answers[i].emplace(std::move(answer));
            if (--gathered->missing == 0) gathered->all.set_value();
          });
  }
  if (!names.empty()) co_await gathered->all.wait();
  std::vector<Outcome<Message>> answers;
  for (auto& answer : gathered->answers) answers.push_back(std::move(*answer));
  co_return answers;
}

/// The local registration of one of the peer's operations; `names_results` as in Route.
Registration local_registration(const ImportedPeer& peer, const std::shared_ptr<const Operation>& known,
                                const ImportOptions& options, bool names_results) {
  Registration registration;
  registration.spec = known->spec();
  registration.spec.visibility = options.visibility;
  registration.spec.access = options.access;
  registration.spec.tags.emplace_back(kImportedTag);
  registration.provenance = Provenance::kFromCall;
  // A handle that is not the peer's is refused here, so the operation may end with that, whatever the peer declares.
  if (registration.spec.find_error("FOREIGN_HANDLE") == nullptr) {
    registration.spec.errors.push_back({"FOREIGN_HANDLE", "A tensor that is not this peer's: copy it there.", {}, 409});
  }
  const Route route{peer.connection, peer.peer_id, known, names_results};
  registration.handler = forwarding_handler(std::make_shared<const Route>(route), registration.spec.type);
  return registration;
}

Task<std::shared_ptr<ImportedPeer>> run_import(std::shared_ptr<Connection> connection, const Registry& registry,
                                               ImportOptions options) {
  auto peer = std::make_shared<ImportedPeer>();
  peer->peer_id = connection->owner()->name();
  peer->prefix = options.namespace_prefix.empty() ? peer->peer_id : options.namespace_prefix;
  peer->connection = connection;
  peer->layer = options.layer ? options.layer : std::make_shared<Layer>();

  const Message list = co_await connection->negotiate();
  if (list.value.is_null()) {
    throw Error(CallError::kDiscoveryFailed,
                fmt::format("[from_call] the peer {} has no {}", peer->peer_id, kListName));
  }
  const std::vector<std::string> names = listed_names(list);
  if (names.size() > options.max_operations) {
    throw Error(CallError::kDiscoveryFailed,
                fmt::format("[from_call] the peer {} lists {} operations, more than {}", peer->peer_id, names.size(),
                            options.max_operations),
                JsonObject{{"limit", "operations"}});
  }
  std::vector<Registration> registrations;
  for (std::size_t at = 0; at < names.size(); at += kAtOnce) {
    const std::size_t end = std::min(names.size(), at + kAtOnce);
    std::vector<std::string> some(names.begin() + static_cast<std::ptrdiff_t>(at),
                                  names.begin() + static_cast<std::ptrdiff_t>(end));
    auto answers = co_await describe_all(connection, std::move(some));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const std::string& name = names[at + i];
      try {
        OperationSpec spec = OperationSpec::from_json(answers[i].take().value);
        if (spec.name != name) throw Error(CallError::kDiscoveryFailed, "its description is another operation's");
        const bool names_results = options.shared && make_shareable(spec);
        const auto known = description_of(spec);
        if (!peer->operations.emplace(name, known).second) continue;
        registrations.push_back(local_registration(*peer, known, options, names_results));
      } catch (const Error& error) {
        if (connection->closed()) throw;
        peer->skipped.emplace_back(name, error.message());
      }
    }
  }
  for (const Registration& registration : registrations) {
    peer->local_names.push_back(fmt::format("{}/{}", peer->prefix, registration.spec.name));
  }
  if (connection->closed()) throw Error(CallError::kInternal, "connection closed", JsonObject{{"peer", peer->peer_id}});
  if (options.replaces) options.replaces->withdraw();
  registry.add_overlay(*peer->layer, std::move(registrations), peer->prefix + '/');
  connection->on_close([peer](const Error&) { peer->withdraw(); });
  co_return peer;
}

}  // namespace

void ImportedPeer::withdraw() { layer->remove(std::exchange(local_names, {})); }

Task<std::shared_ptr<ImportedPeer>> import_peer(std::shared_ptr<Connection> connection, const Registry& registry,
                                                ImportOptions options) {
  return run_import(std::move(connection), registry, std::move(options));
}

}  // namespace alknet::call
