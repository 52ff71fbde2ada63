#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "alknet/base/task.h"
#include "alknet/net/address.h"
#include "alknet/net/quic/endpoint.h"
#include "alknet/net/quic/transport.h"
#include "alknet/stream/connection.h"
#include "alknet/stream/tensor_server.h"

// Tensor streams over QUIC.

namespace alknet::stream {

/// A QUIC connection as one of tensor streams. Tensors go in the order in which their streams were opened, behind
/// requests and replies.
std::unique_ptr<StreamConnection> make_stream_connection(std::unique_ptr<net::quic::Connection> connection);

/// Dials `alknet/tensor` at a node from a socket of its own; the peer may have 64 tensor streams open. Run it on
/// `loop`. Throws what net::quic::connect throws. `config.expected.host_name` defaults to the host of `place`.
Task<std::unique_ptr<StreamConnection>> dial_quic(Loop& loop, net::HostPort place, net::quic::DialConfig config);

/// Has `server` serve the connections of an endpoint that ask for `alknet/tensor`. `identify` says whose they are, as
/// the tokens name them; it throws to refuse one. `server` must outlive the endpoint.
void serve_quic(net::quic::Endpoint& endpoint, TensorServer& server,
                std::function<std::optional<std::string>(const call::PeerCredentials&)> identify);

}  // namespace alknet::stream
