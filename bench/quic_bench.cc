// QUIC by itself on loopback, beside GnuTLS over TCP for streams: the server in a child process, the client here.
// Prints one line a measure.
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/bytes.h"
#include "alknet/net/quic/endpoint.h"
#include "bench/latency.h"

namespace alknet::bench {
namespace {

using net::HostPort;
using net::SocketAddress;
using net::quic::Connection;
using net::quic::Endpoint;
using net::quic::StreamId;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 1 << 20;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Echoes each stream, or, when its first byte is 'S', sends as many bytes as the next 8 bytes say.
class Server final : public net::quic::ConnectionEvents {
 public:
  Server(std::unique_ptr<Connection> connection, SharedBytes chunk)
      : connection_(std::move(connection)), chunk_(std::move(chunk)) {
    connection_->start(*this);
  }
  void received(StreamId stream, std::span<const std::byte> bytes) override {
    if (bytes[0] == std::byte{'S'}) {
      left_[stream] = load_be<std::uint64_t>(bytes.data() + 1);
      return writable(stream);
    }
    connection_->write(stream, SharedBytes::copy(bytes));
  }
  void finished(StreamId stream) override {
    if (!left_.contains(stream)) connection_->finish(stream);
  }
  void was_reset(StreamId, std::uint64_t) override {}
  void was_stopped(StreamId, std::uint64_t) override {}
  void writable(StreamId stream) override {
    std::uint64_t& left = left_[stream];
    while (left > 0) {
      left -= kChunk;
      if (!connection_->write(stream, chunk_)) break;
    }
    if (left == 0) connection_->finish(stream);
  }
  void closed(const Error&) override {}

 private:
  std::unique_ptr<Connection> connection_;
  std::map<StreamId, std::uint64_t> left_;
  SharedBytes chunk_;
};

int serve(const net::PrivateKey& key, net::quic::Options options, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Loop loop;
  Endpoint::Config config;
  config.credentials.key = key;
  config.options = options;
  config.admission = [](const call::PeerCredentials&) {};
  Endpoint endpoint(loop, SocketAddress::of(HostPort("127.0.0.1", 0)), config);
  std::vector<std::unique_ptr<Server>> servers;
  const SharedBytes bytes = SharedBytes::take(std::vector<std::byte>(kChunk, std::byte{'x'}));
  endpoint.accept("bench", [&](std::unique_ptr<Connection> connection) {
    servers.push_back(std::make_unique<Server>(std::move(connection), bytes));
  });
  const int port = endpoint.address().port();
  if (::write(out, &port, sizeof port) != sizeof port) return 1;
  loop.run();
  return 0;
}

class Client final : public net::quic::ConnectionEvents {
 public:
  explicit Client(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
    connection_->start(*this);
  }
  void received(StreamId, std::span<const std::byte> bytes) override {
    if (memory != nullptr) std::memcpy(memory + at, bytes.data(), bytes.size());
    at += bytes.size();
  }
  void finished(StreamId) override { on_finished(); }
  void was_reset(StreamId, std::uint64_t) override {}
  void was_stopped(StreamId, std::uint64_t) override {}
  void writable(StreamId) override {}
  void closed(const Error& reason) override { std::fprintf(stderr, "closed: %s\n", reason.what()); }
  Connection& connection() { return *connection_; }

  std::function<void()> on_finished;
  char* memory = nullptr;
  std::uint64_t at = 0;

 private:
  std::unique_ptr<Connection> connection_;
};

void ask(Client& client, const SharedBytes& request) {
  const StreamId stream = client.connection().open_bidirectional();
  client.connection().write(stream, request);
  client.connection().finish(stream);
}

Task<void> unary(Client& client, int calls) {
  const SharedBytes request = SharedBytes::copy(std::string(32, 'x'));
  Latencies p50(50), p99(99);
  for (int i = 0; i < calls; ++i) {
    Completion<> done;
    client.on_finished = [&] { done.set_value(); };
    const auto begin = Clock::now();
    ask(client, request);
    co_await done.wait();
    p50.add(Clock::now() - begin);
    p99.add(Clock::now() - begin);
  }
  std::printf("unary echo, 32 bytes          p50 %.1f us  p99 %.1f us\n", p50.take() * 1e6, p99.take() * 1e6);
}

Task<void> throughput(Client& client, int calls, int in_flight) {
  const SharedBytes request = SharedBytes::copy(std::string(32, 'x'));
  Completion<> done;
  int begun = 0, ended = 0;
  client.on_finished = [&] {
    if (++ended == calls) done.set_value();
    if (begun < calls) {
      ++begun;
      ask(client, request);
    }
  };
  const auto begin = Clock::now();
  for (; begun < in_flight; ++begun) ask(client, request);
  co_await done.wait();
  std::printf("echo, %d in flight            %.0f calls/s\n", in_flight, calls / seconds_since(begin));
}

Task<void> stream(Client& client, std::uint64_t bytes, std::vector<char>& memory) {
  client.memory = memory.data();
  client.at = 0;
  Completion<> done;
  client.on_finished = [&] { done.set_value(); };
  std::byte request[9] = {std::byte{'S'}};
  store_be(request + 1, bytes);
  const auto begin = Clock::now();
  const StreamId id = client.connection().open_bidirectional();
  client.connection().write(id, SharedBytes::copy(request));
  client.connection().finish(id);
  co_await done.wait();
  const double seconds = seconds_since(begin);
  const auto facts = client.connection().statistics();
  std::printf("stream 1 GiB                  %.2f GB/s  (%s, datagrams in %llu, rtt %.0f us)\n",
              static_cast<double>(bytes) / seconds / 1e9, client.at == bytes ? "complete" : "INCOMPLETE",
              static_cast<unsigned long long>(facts.datagrams_received),
              static_cast<double>(facts.smoothed_rtt_ns) / 1e3);
  client.memory = nullptr;
}

std::uint64_t resident_bytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return pages * 4096;
}

Task<void> idle_connections(Loop& loop, const net::PrivateKey& key, SocketAddress server, net::ExpectedServer expected,
                            pid_t child) {
  constexpr int kConnections = 1000;
  Endpoint::Config config;
  config.credentials.key = key;
  Endpoint endpoint(loop, SocketAddress::of(HostPort("127.0.0.1", 0)), config);
  std::vector<std::unique_ptr<Client>> clients;
  const std::string alpn = "bench";
  const auto before = resident_bytes(getpid());
  const auto before_server = resident_bytes(child);
  const auto begin = Clock::now();
  for (int i = 0; i < kConnections; ++i) {
    auto connection = co_await endpoint.connect(server, alpn, expected);
    clients.push_back(std::make_unique<Client>(std::move(connection)));
  }
  std::printf("handshakes                    %.0f a second\n", kConnections / seconds_since(begin));
  std::printf("memory of an idle connection  %.1f KiB client, %.1f KiB server\n",
              static_cast<double>(resident_bytes(getpid()) - before) / kConnections / 1024,
              static_cast<double>(resident_bytes(child) - before_server) / kConnections / 1024);
}

Task<void> all(Loop& loop, int port, const net::PrivateKey& key, net::quic::Options options, std::string what,
               pid_t child) {
  net::ExpectedServer expected;
  expected.fingerprints = {key.fingerprint()};
  Endpoint::Config config;
  config.credentials.key = key;
  config.options = options;
  Endpoint endpoint(loop, SocketAddress::of(HostPort("0.0.0.0", 0)), config);
  endpoint.release_when_idle();
  const SocketAddress server = SocketAddress::of(HostPort("127.0.0.1", static_cast<std::uint16_t>(port)));
  const std::string alpn = "bench";
  auto connection = co_await endpoint.connect(server, alpn, expected);
  Client client(std::move(connection));
  std::vector<char> memory(1ULL << 30);
  const auto wants = [&](const char* name) { return what.empty() || what.find(name) != std::string::npos; };
  if (wants("unary")) co_await unary(client, 20'000);
  if (wants("throughput")) co_await throughput(client, 100'000, 64);
  for (int i = 0; i < 3; ++i) {
    if (wants("stream")) co_await stream(client, 1ULL << 30, memory);
  }
  if (wants("idle")) co_await idle_connections(loop, key, server, expected, child);
}

// GnuTLS over TCP: the same bytes from a child process.
void set_up(gnutls_session_t session, gnutls_certificate_credentials_t credentials, int socket) {
  gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM", nullptr);
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int(session, socket);
  int result = 0;
  do {
    result = gnutls_handshake(session);
  } while (result < 0 && gnutls_error_is_fatal(result) == 0);
  if (result < 0) std::fprintf(stderr, "TLS: %s\n", gnutls_strerror(result));
}

void tls_over_tcp(std::uint64_t bytes, bool plain) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 1) != 0) return;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const auto certificate = net::Certificate::self_signed({});
  const pid_t child = fork();
  gnutls_certificate_credentials_t credentials;
  gnutls_certificate_allocate_credentials(&credentials);
  gnutls_session_t session;
  if (child == 0) {
    const int socket = ::accept(listener, nullptr, nullptr);
    const std::string chain = certificate.chain_pem(), key = certificate.key_pem();
    const gnutls_datum_t chain_view{reinterpret_cast<unsigned char*>(const_cast<char*>(chain.data())),
                                    static_cast<unsigned>(chain.size())};
    const gnutls_datum_t key_view{reinterpret_cast<unsigned char*>(const_cast<char*>(key.data())),
                                  static_cast<unsigned>(key.size())};
    gnutls_certificate_set_x509_key_mem(credentials, &chain_view, &key_view, GNUTLS_X509_FMT_PEM);
    gnutls_init(&session, GNUTLS_SERVER);
    if (!plain) set_up(session, credentials, socket);
    const std::vector<char> data(kChunk, 'x');
    for (std::uint64_t sent = 0; sent < bytes;) {
      const std::size_t want = kChunk - sent % kChunk;
      const auto count = plain ? ::send(socket, data.data(), want, 0) : gnutls_record_send(session, data.data(), want);
      if (count > 0) sent += static_cast<std::uint64_t>(count);
      if (count < 0 && plain) break;
    }
    _exit(0);
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), size) != 0) return;
  gnutls_init(&session, GNUTLS_CLIENT);
  if (!plain) set_up(session, credentials, socket);
  std::vector<char> memory(bytes);
  const auto begin = Clock::now();
  std::uint64_t at = 0;
  while (at < bytes) {
    const auto count = plain ? ::recv(socket, memory.data() + at, bytes - at, 0)
                             : gnutls_record_recv(session, memory.data() + at, bytes - at);
    if (count <= 0) break;
    at += static_cast<std::uint64_t>(count);
  }
  std::printf("%s  %.2f GB/s%s\n", plain ? "plain TCP 1 GiB             " : "GnuTLS over TCP 1 GiB       ",
              static_cast<double>(at) / seconds_since(begin) / 1e9, at == bytes ? "" : " INCOMPLETE");
  gnutls_deinit(session);
  ::close(socket);
  ::close(listener);
  waitpid(child, nullptr, 0);
}

int run(const std::string& what, bool bbr) {
  const auto key = net::PrivateKey::generate();
  net::quic::Options options;
  options.congestion_control = bbr ? net::quic::CongestionControl::kBbr : net::quic::CongestionControl::kCubic;
  if (const char* bytes = std::getenv("QUIC_DATAGRAM")) options.max_datagram_bytes = std::stoul(bytes);
  int out[2];
  if (pipe(out) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) _exit(serve(key, options, out[1]));
  int port = 0;
  if (::read(out[0], &port, sizeof port) != sizeof port) return 1;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  {
    LoopThread thread;
    wait_for(thread.loop(), all(thread.loop(), port, key, options, what, child));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  if (what.empty() || what.find("tls") != std::string::npos) {
    tls_over_tcp(1ULL << 30, false);
    tls_over_tcp(1ULL << 30, true);
  }
  return 0;
}

}  // namespace
}  // namespace alknet::bench

/// quic_bench [unary,throughput,stream,idle,tls] [bbr]
int main(int argc, char** argv) { return alknet::bench::run(argc > 1 ? argv[1] : "", argc > 2); }
