#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/call/access.h"
#include "alknet/call/registry.h"
#include "alknet/call/resources.h"

namespace alknet::call {

struct RunningCall;

/// What one owner may use at a time.
struct OwnerLimits {
  std::uint32_t max_running_calls = 4'096;
  std::uint32_t max_calls_per_second = 1'000'000;
  ResourceQuota resources;
};

/// On whose behalf calls run and things are kept: a connection, a session, or a program of this machine. It has an
/// identity, layers of its own and a table of resources; when it ends, its calls are aborted and its resources go.
/// Used on the dispatcher's executor.
class Owner {
 public:
  enum class Kind {
    kProgram,     ///< a program run by this machine's user: may name files
    kConnection,  ///< a peer
    kSession,     ///< an isolate
    kRequest,     ///< one HTTP request: keeps nothing, so operations that return handles are refused
  };

  /// What it keeps counts against `payer` too (ResourceTable::account); may be null.
  Owner(Kind kind, std::string name, std::optional<Identity> identity, const OwnerLimits& limits = {},
        std::shared_ptr<ResourceAccount> payer = nullptr)
      : kind_(kind),
        name_(std::move(name)),
        identity_(std::move(identity)),
        limits_(limits),
        resources_(limits.resources, std::move(payer)) {}
  ~Owner();
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  Kind kind() const { return kind_; }

  /// For logs and for `forwarded_for`: a peer's id or an address.
  const std::string& name() const { return name_; }
  const std::optional<Identity>& identity() const { return identity_; }
  void set_identity(std::optional<Identity> identity) { identity_ = std::move(identity); }
  const OwnerLimits& limits() const { return limits_; }
  ResourceTable& resources() { return resources_; }

  /// Whether handles may be returned to it.
  bool keeps_resources() const { return kind_ != Kind::kRequest; }

  /// Layers asked before the curated one, in this order.
  void add_layer(std::shared_ptr<const Layer> layer) { layers_.push_back(std::move(layer)); }
  void remove_layer(const Layer* layer);
  const std::vector<std::shared_ptr<const Layer>>& layers() const { return layers_; }

  /// What `services/list` says to the features that a caller announces: those of ours. Set by the connection.
  std::function<std::vector<std::string>(const std::vector<std::string>&)> negotiate_features;

  std::size_t running_calls() const { return running_.size(); }

  /// Aborts every call and drops every resource. Nothing can be started afterwards. Idempotent.
  void end();
  bool ended() const { return ended_; }

 private:
  friend class Dispatcher;
  friend struct RunningCall;

  Kind kind_;
  std::string name_;
  std::optional<Identity> identity_;
  OwnerLimits limits_;
  ResourceTable resources_;
  std::vector<std::shared_ptr<const Layer>> layers_;
  std::unordered_map<const RunningCall*, std::weak_ptr<RunningCall>> running_;
  double allowance_ = 0;  // calls that may start now, of max_calls_per_second
  std::optional<Executor::Clock::time_point> refilled_;
  bool ended_ = false;
};

}  // namespace alknet::call
