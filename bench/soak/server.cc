#include "bench/soak/server.h"

#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/call/discovery.h"
#include "alknet/stream/quic_connection.h"
#include "bench/soak/service.h"

namespace alknet::bench::soak {
namespace {

struct StateMember {
  const char* name;
  std::int64_t ServerState::*member;
};
constexpr std::array<StateMember, 9> kStateMembers{{{"connections", &ServerState::connections},
                                                    {"running_calls", &ServerState::running_calls},
                                                    {"pending", &ServerState::pending},
                                                    {"unsent_bytes", &ServerState::unsent_bytes},
                                                    {"handlers", &ServerState::handlers},
                                                    {"resources", &ServerState::resources},
                                                    {"stream_connections", &ServerState::stream_connections},
                                                    {"quic_connections", &ServerState::quic_connections},
                                                    {"heap_bytes", &ServerState::heap_bytes}}};

/// Everything that the server's process has.
class Server {
 public:
  explicit Server(const Workplace& place)
      : tokens_(std::make_shared<stream::TokenIssuer>(loop_, stream::TokenOptions{.lifetime = kTokenLife})),
        streams_(std::make_unique<stream::TensorServer>(loop_, tokens_)) {
    service_.emplace(tokens_, std::make_shared<tensor::FileSource>(place.model()));
    auto options = place.node_options();
    options.on_quic_endpoint = [this](net::quic::Endpoint& endpoint) {
      endpoint_ = &endpoint;
      stream::serve_quic(endpoint, *streams_, [this](const call::PeerCredentials& peer) -> std::optional<std::string> {
        return node_->admit(peer).id;
      });
    };
    service_->state = [this] { return state().to_json(); };
    service_->stop = [this] { loop_.post_after(kLastAnswer, [this] { loop_.stop(); }); };
    auto operations = service_->operations();
    for (auto& made : call::discovery_operations()) operations.push_back(std::move(made));
    registry_->curated().add(std::move(operations));
    node_ = std::make_unique<net::Node>(loop_, registry_, std::move(options));
    for (const auto& [name, address] : place.listen_addresses()) bound_.emplace(name, node_->listen(address));
  }
  ~Server() {
    node_.reset();
    streams_.reset();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const JsonObject& bound() const { return bound_; }
  void run() { loop_.run(); }

 private:
  static constexpr std::chrono::seconds kTokenLife{120};
  static constexpr std::chrono::milliseconds kLastAnswer{100};  // for that of soak/stop to leave

  ServerState state() const {
    ServerState now;
    for (const auto& one : node_->connections()) {
      ++now.connections;
      now.pending += static_cast<std::int64_t>(one.stats.running_calls + one.stats.pending_calls);
      now.unsent_bytes += static_cast<std::int64_t>(one.stats.bytes_unsent + one.stats.bytes_in_flight);
    }
    // Without the connection and the call that ask.
    --now.connections;
    --now.pending;
    now.running_calls = static_cast<std::int64_t>(node_->dispatcher().running_calls()) - 1;
    now.handlers = service_->handlers;
    now.resources = service_->resources;
    now.stream_connections = static_cast<std::int64_t>(streams_->connections());
    now.quic_connections = static_cast<std::int64_t>(endpoint_->connections());
    const struct mallinfo2 heap = ::mallinfo2();
    now.heap_bytes = static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
    return now;
  }

  std::optional<Service> service_;  // outlives what the loop still holds
  Loop loop_;
  std::shared_ptr<stream::TokenIssuer> tokens_;
  std::unique_ptr<stream::TensorServer> streams_;
  std::shared_ptr<call::Registry> registry_ = std::make_shared<call::Registry>();
  std::unique_ptr<net::Node> node_;
  net::quic::Endpoint* endpoint_ = nullptr;
  JsonObject bound_;
};

}  // namespace

int run_server(const std::filesystem::path& folder) {
  const Workplace place(folder);
  Server server(place);
  fmt::print("{}\n", json_text(server.bound()));
  std::fflush(stdout);
  server.run();
  return 0;
}

bool ServerState::empty() const {
  for (const auto& [name, member] : kStateMembers) {
    if (member != &ServerState::heap_bytes && this->*member != 0) return false;
  }
  return true;
}

ServerState ServerState::from_json(const Json& json) {
  ServerState state;
  for (const auto& [name, member] : kStateMembers) state.*member = json.at(name).to_number<std::int64_t>();
  return state;
}

Json ServerState::to_json() const {
  JsonObject json;
  for (const auto& [name, member] : kStateMembers) json.emplace(name, this->*member);
  return json;
}

Task<ServerState> server_state(std::shared_ptr<call::Connection> connection) {
  Message input{JsonObject{}, {}};
  const Message answer = co_await connection->call("soak/state", std::move(input));
  co_return ServerState::from_json(answer.value);
}

}  // namespace alknet::bench::soak
