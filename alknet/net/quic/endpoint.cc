#include "alknet/net/quic/endpoint.h"

#include <utility>

#include "alknet/net/quic/endpoint_state.h"

namespace alknet::net::quic {

Endpoint::Endpoint(Loop& loop, const SocketAddress& address, Config config)
    : state_(std::make_shared<EndpointState>(loop, address, std::move(config))) {
  state_->wait();
}

Endpoint::~Endpoint() {
  if (state_->release_when_idle && state_->connections() > 0) return;
  state_->shut_down(Error(call::CallError::kTransport, "[quic] the endpoint ended"));
}

SocketAddress Endpoint::address() const { return state_->socket().address(); }

void Endpoint::accept(const std::string& alpn, Acceptor acceptor) { state_->acceptors[alpn] = std::move(acceptor); }

void Endpoint::stop_accepting() { state_->accepting = false; }

Task<std::unique_ptr<Connection>> Endpoint::connect(SocketAddress address, std::string alpn, ExpectedServer expected) {
  const auto core = state_->dial(address, alpn, std::move(expected));
  // A caller that gives up while it waits gives up the connection as well.
  auto connection = std::make_unique<Connection>(core);
  co_await core->confirmed().wait();
  co_return connection;
}

void Endpoint::release_when_idle() { state_->release_when_idle = true; }

std::size_t Endpoint::connections() const { return state_->connections(); }
std::size_t Endpoint::handshakes() const { return state_->handshakes(); }

}  // namespace alknet::net::quic
