#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "alknet/call/dispatcher.h"
#include "alknet/net/deadline.h"
#include "alknet/net/http/gateway_errors.h"
#include "alknet/net/http/server.h"

namespace alknet::net {

struct GatewayOwnerOptions {
  std::chrono::milliseconds session_idle{600'000};
  std::size_t max_sessions = 1024;
  std::size_t max_sessions_per_identity = 64;
  bool allow_plaintext_credentials = false;
  call::OwnerLimits limits;

  /// Who callers without a token are; nothing: they may only call what is open to all.
  std::optional<call::Identity> anonymous;

  /// Overlays that every caller sees besides the curated layer.
  std::vector<std::shared_ptr<const call::Layer>> layers;
};

/// On whose behalf HTTP requests run: an owner for each request, or, with an `Alknet-Session` header, one for each
/// identity and session that lives until it was idle for some time. On the loop's thread.
class GatewayOwners {
 public:
  GatewayOwners(Executor& executor, const call::Dispatcher& dispatcher, GatewayOwnerOptions options);
  ~GatewayOwners();

  /// Keeps an owner in use; gone, it ends a request's owner, or lets the session's idle time begin.
  class Use {
   public:
    Use() = default;
    Use(std::shared_ptr<call::Owner> held, std::shared_ptr<void> at_end)
        : owner_(std::move(held)), at_end_(std::move(at_end)) {}
    const std::shared_ptr<call::Owner>& owner() const { return owner_; }
    bool has_identity() const { return owner_->identity().has_value(); }

   private:
    std::shared_ptr<call::Owner> owner_;
    std::shared_ptr<void> at_end_;
  };

  /// Who asks: the owner, or what to refuse the request with: 401 for a token that proves nothing, 403 for one in plain
  /// text from another machine, 400 for a malformed session name, 429 for too many sessions.
  std::variant<Use, GatewayFailure> find(const HttpRequest& request);

  /// Ends the sessions of identities for which `ended` holds, and hangs up where they ask something.
  void end_where(const std::function<bool(const call::Identity&)>& ended);

  std::size_t sessions() const { return sessions_->size(); }

 private:
  struct Session {
    std::shared_ptr<call::Owner> owner;
    std::string identity;
    int uses = 0;
    Deadline idle;
  };
  using Sessions = std::map<std::string, std::shared_ptr<Session>>;
  struct Request {
    std::shared_ptr<call::Owner> owner;
    std::function<void()> hang_up;
  };
  using Requests = std::map<std::uint64_t, Request>;

  std::shared_ptr<call::Owner> make_owner(call::Owner::Kind kind, const HttpRequest& request,
                                          std::optional<call::Identity> identity) const;
  Use use_session(const std::string& key, const std::shared_ptr<Session>& session);
  Use noted(Use use, const HttpRequest& request);

  Executor& executor_;
  const call::Dispatcher& dispatcher_;
  GatewayOwnerOptions options_;
  std::shared_ptr<Sessions> sessions_ = std::make_shared<Sessions>();
  std::shared_ptr<Requests> requests_ = std::make_shared<Requests>();  // being answered
  std::uint64_t last_request_ = 0;
};

}  // namespace alknet::net
