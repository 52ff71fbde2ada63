#include "alknet/net/http/gateway_owners.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace alknet::net {

namespace {

/// Long enough that nobody guesses another's session.
constexpr std::size_t kMinSessionName = 16;
constexpr std::size_t kMaxSessionName = 128;

bool is_session_name(std::string_view name) {
  return name.size() >= kMinSessionName && name.size() <= kMaxSessionName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

GatewayFailure failure(int status, std::string code, std::string message) {
  return {status, call::WireError{std::move(code), std::move(message), false, nullptr}};
}

}  // namespace

GatewayOwners::GatewayOwners(Executor& executor, const call::Dispatcher& dispatcher, GatewayOwnerOptions options)
    : executor_(executor), dispatcher_(dispatcher), options_(std::move(options)) {}

GatewayOwners::~GatewayOwners() {
  for (const auto& [key, session] : std::exchange(*sessions_, {})) session->owner->end();
}

std::shared_ptr<call::Owner> GatewayOwners::make_owner(call::Owner::Kind kind, const HttpRequest& request,
                                                       std::optional<call::Identity> identity) const {
  const std::string name = identity ? identity->id : "http:" + request.peer.address;
  auto owner = std::make_shared<call::Owner>(kind, name, std::move(identity), options_.limits);
  for (const auto& layer : options_.layers) owner->add_layer(layer);
  return owner;
}

GatewayOwners::Use GatewayOwners::use_session(const std::string& key, const std::shared_ptr<Session>& session) {
  ++session->uses;
  session->idle = {};
  std::weak_ptr<Sessions> sessions = sessions_;
  const auto end_use = [sessions, key, session, executor = &executor_, idle = options_.session_idle](void*) {
    if (--session->uses > 0 || sessions.expired()) return;
    session->idle = Deadline(*executor, idle, [sessions, key] {
      const auto all = sessions.lock();
      const auto found = all ? all->find(key) : Sessions::iterator();
      if (!all || found == all->end()) return;
      const auto ended = found->second;
      all->erase(found);
      ended->owner->end();
    });
  };
  return {session->owner, std::shared_ptr<void>(session.get(), end_use)};
}

void GatewayOwners::end_where(const std::function<bool(const call::Identity&)>& ended) {
  const auto concerns = [&](const call::Owner& owner) { return owner.identity() && ended(*owner.identity()); };
  const Requests requests = *requests_;  // hanging up ends them
  for (const auto& [id, request] : requests) {
    if (concerns(*request.owner) && request.hang_up) request.hang_up();
  }
  std::vector<std::shared_ptr<call::Owner>> owners;
  std::erase_if(*sessions_, [&](const auto& entry) {
    const bool ends = concerns(*entry.second->owner);
    if (ends) owners.push_back(entry.second->owner);
    return ends;
  });
  for (const auto& owner : owners) owner->end();
}

/// `use`, known as a request as long as it lasts.
GatewayOwners::Use GatewayOwners::noted(Use use, const HttpRequest& request) {
  const std::uint64_t id = ++last_request_;
  auto owner = use.owner();
  requests_->emplace(id, Request{owner, request.hang_up});
  auto* raw = owner.get();
  return Use(std::move(owner),
             std::shared_ptr<void>(raw, [requests = requests_, id, held = std::move(use)](void*) mutable {
               requests->erase(id);
               held = {};
             }));
}

std::variant<GatewayOwners::Use, GatewayFailure> GatewayOwners::find(const HttpRequest& request) {
  std::optional<call::Identity> identity = options_.anonymous;
  if (const auto token = request.bearer_token()) {
    if (!request.peer.secure && !request.peer.loopback && !options_.allow_plaintext_credentials) {
      return failure(403, "FORBIDDEN", "a token in plain text is refused: use https");
    }
    const auto& authenticate = dispatcher_.options().authenticate;
    identity = authenticate ? authenticate(*token) : std::nullopt;
    if (!identity) return failure(401, "FORBIDDEN", "the bearer token is not known here");
  }
  const auto name = request.headers.get("Alknet-Session");
  if (!name) {
    auto owner = make_owner(call::Owner::Kind::kRequest, request, std::move(identity));
    auto* raw = owner.get();
    return noted(Use(owner, std::shared_ptr<void>(raw, [owner](void*) { owner->end(); })), request);
  }
  if (!is_session_name(*name)) {
    return failure(400, "INVALID_INPUT",
                   fmt::format("Alknet-Session has {} to {} letters, digits, - and _: choose them at random",
                               kMinSessionName, kMaxSessionName));
  }
  const std::string who = identity ? "id:" + identity->id : "anonymous";
  const std::string key = who + "\n" + std::string(*name);
  if (const auto found = sessions_->find(key); found != sessions_->end()) {
    found->second->owner->set_identity(std::move(identity));  // its scopes may have changed
    return noted(use_session(key, found->second), request);
  }
  const auto of_who = std::count_if(sessions_->begin(), sessions_->end(),
                                    [&](const auto& entry) { return entry.second->identity == who; });
  if (sessions_->size() >= options_.max_sessions ||
      static_cast<std::size_t>(of_who) >= options_.max_sessions_per_identity) {
    GatewayFailure many = failure(429, "RESOURCE_EXHAUSTED", "too many sessions: use one again, or let some run out");
    many.error.retryable = true;
    many.error.details = JsonObject{{"limit", "sessions"}};
    return many;
  }
  auto session = std::make_shared<Session>();
  session->owner = make_owner(call::Owner::Kind::kConnection, request, std::move(identity));
  session->identity = who;
  sessions_->emplace(key, session);
  return noted(use_session(key, session), request);
}

}  // namespace alknet::net
