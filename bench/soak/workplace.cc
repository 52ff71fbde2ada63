#include "bench/soak/workplace.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "alknet/base/files.h"
#include "alknet/net/peers.h"
#include "alknet/tensor/writer.h"

namespace alknet::bench::soak {
namespace {

constexpr std::size_t kTokenBytes = 256;

/// Elements of the model's tensors.
std::vector<std::size_t> tensor_sizes() {
  std::vector<std::size_t> sizes{0, 1, 3, 1'000, 4'097, 65'536, 262'144, 262'144};
  for (std::size_t i = 0; i < 32; ++i) sizes.push_back(2'000 + 977 * i);
  return sizes;
}

void write_model(const std::filesystem::path& path) {
  tensor::Writer writer(path.string(), {.checksums = true});
  const auto sizes = tensor_sizes();
  std::vector<tensor::Writer::Id> ids;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    ids.push_back(writer.declare({.name = fmt::format("t{}", i),
                                  .dtype = schema::FileDtype::kF32,
                                  .shape = {static_cast<std::int64_t>(sizes[i])}}));
  }
  writer.start();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::vector<float> values(sizes[i]);
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<float>(1'000 * i + k % 997);
    writer.write(ids[i], std::span(std::as_const(values)));
  }
  writer.close();
}

void write_secret(const std::filesystem::path& path, std::string_view text) {
  write_file(path, text);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void write_certificate(const std::filesystem::path& folder, const std::string& name, const net::Certificate& made) {
  write_file(folder / (name + ".pem"), made.chain_pem());
  write_secret(folder / (name + ".key"), made.key_pem());
}

net::TlsOptions tls_options(const std::filesystem::path& folder, const std::string& name) {
  net::TlsOptions options;
  options.certificate_file = folder / (name + ".pem");
  options.private_key_file = folder / (name + ".key");
  options.ca_file = folder / "authority.pem";
  return options;
}

}  // namespace

void Workplace::make(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  net::PrivateKey::generate().save(folder / "server_raw.key");
  const auto client = net::PrivateKey::generate();
  client.save(folder / "client_raw.key");
  const std::string token = net::new_auth_token();
  write_secret(folder / "token", token);

  const auto authority = net::Certificate::self_signed({.common_name = "soak authority", .is_authority = true});
  write_certificate(folder, "authority", authority);
  write_certificate(folder, "server",
                    net::Certificate::issued_by(authority, {.common_name = "node", .host_names = {"127.0.0.1"}}));
  write_certificate(folder, "client", net::Certificate::issued_by(authority, {.common_name = "tls-users"}));

  net::PeersFile(folder / "peers.json").update([&](net::PeerList& peers) {
    net::PeerEntry by_key;
    by_key.peer_id = kKeyPeer;
    by_key.fingerprints = {client.fingerprint()};
    peers.add(by_key);
    net::PeerEntry by_token;
    by_token.peer_id = "web-users";
    by_token.auth_token_hash = net::auth_token_hash(token);
    peers.add(by_token);
  });
  write_model(folder / "model.mt");
}

Workplace::Workplace(std::filesystem::path folder)
    : folder_(std::move(folder)),
      server_key_(net::PrivateKey::load(folder_ / "server_raw.key")),
      client_key_(net::PrivateKey::load(folder_ / "client_raw.key")),
      token_(read_file(folder_ / "token", kTokenBytes)),
      model_(tensor::File::open((folder_ / "model.mt").string())) {}

net::NodeOptions Workplace::node_options() const {
  net::NodeOptions options;
  options.credentials.key = server_key_;
  options.peers_file = folder_ / "peers.json";
  options.tls = tls_options(folder_, "server");
  options.tls.require_client_certificate = true;
  return options;
}

net::DialOptions Workplace::dial_options() const {
  net::DialOptions options;
  options.credentials.key = client_key_;
  options.expected.fingerprints = {server_key_.fingerprint()};
  options.token = token_;
  options.tls = tls_options(folder_, "client");
  options.timeout = std::chrono::seconds(30);
  return options;
}

net::quic::DialConfig Workplace::stream_options() const {
  net::quic::DialConfig config;
  config.credentials.key = client_key_;
  config.expected.fingerprints = {server_key_.fingerprint()};
  config.options.handshake_timeout = std::chrono::seconds(30);
  return config;
}

std::map<std::string, std::string> Workplace::listen_addresses() const {
  return {{"quic", "quic://127.0.0.1:0"},
          {"tls", "tls://127.0.0.1:0"},
          {"unix", "unix:" + (folder_ / "socket").string()},
          {"ws", "ws://127.0.0.1:0"}};
}

}  // namespace alknet::bench::soak
