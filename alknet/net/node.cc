#include "alknet/net/node.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/net/node_state.h"

namespace alknet::net {

namespace {

using call::CallError;
using call::Owner;

constexpr std::chrono::milliseconds kDrainPoll{20};

}  // namespace

Node::State::State(Loop& on, std::shared_ptr<call::Registry> served, NodeOptions with)
    : loop(on),
      registry(std::move(served)),
      options(std::move(with)),
      dispatcher(std::make_unique<call::Dispatcher>(loop, registry, dispatching())),
      linked(link_host()) {
  metrics.gauge("alknet_connections", "Open connections.", {}, [this] { return static_cast<double>(held.size()); });
  metrics.gauge("alknet_running_calls", "Calls from outside that have not ended.", {},
                [this] { return static_cast<double>(dispatcher->running_calls()); });
  metrics.gauge("alknet_log_lines_lost", "Log lines that could not be written.", {},
                [this] { return static_cast<double>(options.logger.lost_lines()); });
  if (options.peers_file.empty()) return;
  peers_file = std::make_unique<PeersFile>(options.peers_file);
  watch = std::make_unique<PeersWatch>(loop, *peers_file, options.peers_interval, options.logger,
                                       [this] { peers_changed(); });
}

call::DispatcherOptions Node::State::dispatching() {
  call::DispatcherOptions made;
  made.logger = options.logger;
  made.authenticate = [this](std::string_view token) { return authenticate(token); };
  made.on_finished = [this](const call::CallRecord& record) {
    record_call(metrics, record);
    options.logger.debug("call", {{"operation", record.operation},
                                  {"owner", record.owner},
                                  {"code", record.code.empty() ? "OK" : record.code},
                                  {"us", record.duration.count()}});
  };
  return made;
}

LinkHost Node::State::link_host() {
  return {.loop = loop,
          .registry = *registry,
          .dispatcher = *dispatcher,
          .metrics = metrics,
          .credentials = options.credentials,
          .tls = options.tls,
          .quic = options.quic,
          .limits = options.link_limits,
          .logger = options.logger,
          .wall_clock = options.wall_clock,
          .peers = [this] { return peer_list(); },
          .make_owner = [this](const std::string& id) { return make_owner(Owner::Kind::kConnection, id, {}); },
          .connected =
              [this](const auto& connection, const auto& id) {
                hold(connection, {connection, id, true});
              }};
}

void Node::State::trim_later() {
  if (options.memory_interval.count() == 0) return;
  trim_timer = Deadline(loop, options.memory_interval, [this] {
    trimmer.trim();
    trim_later();
  });
}

Node::Node(Loop& loop, std::shared_ptr<call::Registry> registry, NodeOptions options)
    : state_(std::make_shared<State>(loop, std::move(registry), std::move(options))) {
  state_->trim_later();
}

Node::~Node() {
  state_->linked.stop();
  state_->trim_timer.cancel();
  const auto held = std::exchange(state_->held, {});
  for (const auto& [key, one] : held) one.connection->close();
}

std::string Node::listen(const std::string& address) {
  struct Scheme {
    std::string_view prefix;
    std::string (State::*listen)(const std::string& place);
  };
  static constexpr Scheme kSchemes[] = {
      {"quic://", &State::listen_quic}, {"tls://", &State::listen_tls},     {"unix:", &State::listen_unix},
      {"http://", &State::listen_http}, {"https://", &State::listen_https}, {"ws://", &State::listen_http},
      {"wss://", &State::listen_https},
  };
  for (const auto& [prefix, listen] : kSchemes) {
    if (!address.starts_with(prefix)) continue;
    std::string bound = fmt::format("{}{}", prefix, (state_.get()->*listen)(address.substr(prefix.size())));
    state_->options.logger.info("listening", {{"address", bound}});
    return bound;
  }
  throw Error(CallError::kConfiguration,
              fmt::format("{}: listen on quic://HOST:PORT, http://HOST:PORT, https://HOST:PORT, tls://HOST:PORT or "
                          "unix:PATH",
                          address));
}

std::shared_ptr<call::Connection> Node::serve(std::unique_ptr<call::Transport> transport,
                                              std::optional<call::Identity> identity, Owner::Kind kind) {
  return state_->serve(std::move(transport), std::move(identity), kind);
}

call::Identity Node::admit(const call::PeerCredentials& credentials) const { return state_->admit(credentials); }

std::optional<call::Identity> Node::authenticate(std::string_view token) const { return state_->authenticate(token); }

std::optional<call::Identity> Node::anonymous() const { return state_->anonymous(); }

call::Dispatcher& Node::dispatcher() { return *state_->dispatcher; }
Metrics& Node::metrics() { return state_->metrics; }
const call::Registry& Node::registry() const { return *state_->registry; }
Loop& Node::loop() { return state_->loop; }

std::vector<NodeConnection> Node::connections() const {
  std::vector<NodeConnection> list;
  for (const auto& [key, one] : state_->held) {
    list.push_back({one.connection->owner()->name(), one.connection->peer().address, one.connection->stats()});
  }
  return list;
}

void Node::link_peer(const std::string& peer_id, const std::string& address) { state_->linked.add(peer_id, address); }

void Node::refresh_peers() { state_->linked.refresh(); }

std::vector<call::PeerInfo> Node::peers() const {
  std::vector<call::PeerInfo> list;
  const auto known = state_->peer_list();
  for (const PeerEntry& entry : known->entries()) {
    list.push_back({entry.peer_id, entry.display_name, state_->is_connected(entry.peer_id)});
  }
  for (const std::string& peer_id : state_->linked.peer_ids()) {
    if (known->find(peer_id) == nullptr) list.push_back({peer_id, "", state_->is_connected(peer_id)});
  }
  for (call::PeerInfo& peer : list) peer.import = state_->linked.import_of(peer.peer_id);
  return list;
}

Task<void> Node::drain(std::chrono::milliseconds limit) {
  State& state = *state_;
  state.dispatcher->drain();
  for (const auto& listener : state.quic_listeners) listener->endpoint().stop_accepting();
  state.listeners.clear();
  for (const auto& server : state.web_servers) co_await server->drain(limit);
  const auto all = state.held;
  for (const auto& [key, one] : all) {
    if (!one.dialled) one.connection->drain(limit);
  }
  const auto until = state.loop.now() + limit;
  while ((state.callers() > 0 || state.dispatcher->running_calls() > 0) && state.loop.now() < until) {
    co_await sleep_for(kDrainPoll);
  }
  state.linked.stop();
  while (!state.held.empty() && state.loop.now() < until) co_await sleep_for(kDrainPoll);
}

}  // namespace alknet::net
