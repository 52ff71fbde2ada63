#include "apps/alknet/peer_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/net/dial.h"
#include "alknet/net/peers.h"
#include "alknet/stream/quic_connection.h"
#include "alknet/stream/tensor_client.h"

namespace alknet::app {
namespace {

constexpr std::string_view kQuic = "quic://";

/// Dials, calls, and says farewell; on the loop's thread.
Task<Message> call_peer(Loop& loop, std::string address, net::DialOptions dialling, std::string operation,
                        Message input) {
  auto dialled = net::dial(loop, std::move(address), std::move(dialling));
  const std::shared_ptr<call::Connection> connection = co_await std::move(dialled);
  auto answer = connection->call(std::move(operation), std::move(input));
  Message output = co_await std::move(answer);
  connection->close();
  co_return output;
}

/// What a peer says; no more than models of this engine have.
compute::ModelFiles files_of(const Message& answer, std::string place) {
  const auto invalid = [&](std::string_view what) {
    return Error(compute::ComputeError::kModelInvalid, fmt::format("{}: {}", place, what));
  };
  const Json* files = answer.value.is_object() ? answer.value.get_object().if_contains("files") : nullptr;
  if (files == nullptr || !files->is_object()) throw invalid("the peer gave no files of the model");
  compute::ModelFiles found{place, {}};
  for (const auto& [name, max_bytes] : compute::kModelFileNames) {
    const Json* reference = files->get_object().if_contains(name);
    if (reference == nullptr) continue;
    const auto bytes = attached_bytes(answer, *reference).span();
    if (bytes.size() > max_bytes) throw invalid(fmt::format("{} is longer than {} bytes", name, max_bytes));
    found.texts.emplace(name, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  return found;
}

}  // namespace

net::PeerTarget PeerModels::find(const std::string& peer) const {
  const auto link = linked_.find(peer);
  net::PeerTarget target;
  try {
    const auto peers = net::PeersFile(options_.peers_file).current();
    target = net::peer_target(*peers, peer, link == linked_.end() ? "" : link->second);
  } catch (const Error& error) {
    throw Error(call::CallError::kInvalidInput, error.message());  // it is the caller who named that peer
  }
  if (!target.address.starts_with(kQuic)) {
    throw Error(call::CallError::kInvalidInput, fmt::format("the peer {} has no quic:// address", peer));
  }
  return target;
}

std::shared_ptr<tensor::Source> PeerModels::open_stream(std::string_view token, const std::string* peer) const {
  if (peer == nullptr) throw Error(call::CallError::kInvalidInput, "a stream token needs `peer`, who gave it");
  const net::PeerTarget target = find(*peer);
  net::quic::DialConfig dialling;
  dialling.credentials = options_.credentials;
  dialling.expected = target.expected;
  dialling.options = net::watchful(options_.quic);
  dialling.logger = options_.logger;
  const net::HostPort where = net::parse_host_port(target.address.substr(kQuic.size()));
  stream::ClientOptions streaming;
  streaming.token = token;
  streaming.name = fmt::format("a model of {}", *peer);
  stream::Dial dial = [&loop = loop_, where, dialling] { return stream::dial_quic(loop, where, dialling); };
  return wait_for(loop_, stream::TensorClient::open(loop_, std::move(dial), std::move(streaming)));
}

PeerModels::Model PeerModels::open(const std::string& name, const std::string& peer) const {
  const net::PeerTarget target = find(peer);
  net::DialOptions dialling;
  dialling.credentials = options_.credentials;
  dialling.expected = target.expected;
  dialling.quic = net::watchful(options_.quic);
  dialling.logger = options_.logger;
  Message input{JsonObject{{"model", name}, {"files", true}}, {}};
  const Message answer =
      wait_for(loop_, call_peer(loop_, target.address, std::move(dialling), "compute/open_model", std::move(input)));
  Model model;
  model.files = files_of(answer, fmt::format("{} of the peer {}", name, peer));
  const Json* token = answer.value.get_object().if_contains("token");
  if (token == nullptr || !token->is_string()) {
    throw Error(compute::ComputeError::kModelInvalid, fmt::format("{}: the peer gave no token", model.files.place));
  }
  model.tensors = open_stream(std::string_view(token->get_string()), &peer);
  return model;
}

}  // namespace alknet::app
