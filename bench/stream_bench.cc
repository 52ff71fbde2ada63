// N3 without its harness: tensors of 1 GiB in all over loopback QUIC to memory, the server in a child process, which
// maps the file. Prints one line a round.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/loop.h"
#include "alknet/stream/quic_connection.h"
#include "alknet/stream/tensor_client.h"
#include "alknet/tensor/writer.h"
#include "bench/cases.h"
#include "bench/protocol.h"

namespace alknet::bench {
namespace {

using net::HostPort;
using net::PrivateKey;
using net::SocketAddress;

/// What the client must know of the server, through a pipe.
struct Greeting {
  char token[65];
  std::uint16_t port;
};

void make_model(const std::string& path, std::size_t tensors, std::size_t bytes, bool checksums) {
  const std::vector<float> values(bytes / sizeof(float), 0.25F);
  tensor::Writer writer(path, {.checksums = checksums});
  std::vector<tensor::Writer::Id> ids;
  for (std::size_t i = 0; i < tensors; ++i) {
    ids.push_back(writer.declare({.name = "t" + std::to_string(i),
                                  .dtype = schema::FileDtype::kF32,
                                  .shape = {static_cast<std::int64_t>(values.size())}}));
  }
  writer.start();
  for (const auto id : ids) writer.write(id, std::span(values));
  writer.close();
}

void serve_model(const std::string& path, const PrivateKey& key, int pipe) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Loop loop;
  const auto tokens = std::make_shared<stream::TokenIssuer>(loop);
  stream::TensorServer server(loop, tokens);
  net::quic::Endpoint::Config config;
  config.credentials.key = key;
  config.admission = [](const call::PeerCredentials&) {};
  net::quic::Endpoint endpoint(loop, SocketAddress::of(HostPort{"127.0.0.1", 0}), config);
  stream::serve_quic(endpoint, server, [](const call::PeerCredentials&) { return std::optional<std::string>("x"); });
  const auto file = tensor::File::open(path, {.advice = tensor::Advice::kPopulate});
  Greeting greeting{};
  const std::string token = tokens->issue("x", std::make_shared<tensor::FileSource>(file)).text;
  std::copy(token.begin(), token.end(), greeting.token);
  greeting.port = endpoint.address().port();
  if (::write(pipe, &greeting, sizeof greeting) != sizeof greeting) return;
  loop.run();
}

/// A server in a child process, and a loop to stream from it.
class Peer {
 public:
  Peer(std::size_t tensors, std::size_t bytes, bool checksums)
      : path_((std::filesystem::temp_directory_path() / ("alknet-stream-" + std::to_string(::getpid()) + ".mt"))
                  .string()) {
    make_model(path_, tensors, bytes, checksums);
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe failed");
    child_ = ::fork();
    if (child_ == 0) {
      serve_model(path_, server_key_, pipe[1]);
      ::_exit(0);
    }
    ::close(pipe[1]);
    if (::read(pipe[0], &greeting_, sizeof greeting_) != sizeof greeting_) {
      throw std::runtime_error("the server did not start");
    }
    ::close(pipe[0]);
    thread_.emplace();
  }
  ~Peer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    std::filesystem::remove(path_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void fetch() { wait_for(thread_->loop(), fetch_once()); }

 private:
  Task<void> fetch_once() {
    net::quic::DialConfig dial;
    dial.credentials.key = client_key_;
    dial.expected.fingerprints = {server_key_.fingerprint()};
    const HostPort place{"127.0.0.1", greeting_.port};
    Loop& loop = thread_->loop();
    const stream::Dial again = [&] { return stream::dial_quic(loop, place, dial); };
    stream::ClientOptions options;
    options.token = greeting_.token;
    auto client = co_await stream::TensorClient::open(loop, again, options);
    co_await client->complete();
    client.reset();
    co_await reschedule();
    co_await reschedule();
  }

  std::string path_;
  PrivateKey server_key_ = PrivateKey::generate();
  PrivateKey client_key_ = PrivateKey::generate();
  pid_t child_ = 0;
  Greeting greeting_{};
  std::optional<LoopThread> thread_;  // begins after the fork
};

Case stream_case(const Json& parameters) {
  const auto tensors = parameters.at("tensors").to_number<std::size_t>();
  const auto bytes = parameters.at("bytes").to_number<std::size_t>() / tensors;
  const Json* checksums = parameters.as_object().if_contains("checksums");
  const bool summed = checksums != nullptr && checksums->as_bool();
  return [peer = std::make_shared<Peer>(tensors, bytes, summed)] { peer->fetch(); };
}

}  // namespace
}  // namespace alknet::bench

int main() {
  using namespace alknet::bench;
  serve({{"stream", stream_case}}, "alknet " ALKNET_VERSION);
}
