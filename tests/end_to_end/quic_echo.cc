// A node that speaks QUIC with the protocol "alknet/call" and echoes bytes, for tests with other implementations:
//
//   quic_echo serve CHAIN.pem KEY.pem [retry]     prints its port, echoes until standard input ends
//   quic_echo dial PORT AUTHORITY.pem STREAMS     sends frames on so many streams, updates keys halfway, expects them
//   back
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/bytes.h"
#include "alknet/base/files.h"
#include "alknet/base/pool_executor.h"
#include "alknet/net/quic/transport.h"

namespace alknet {
namespace {

using net::HostPort;
using net::quic::Connection;
using net::quic::StreamId;

class Echo final : public call::TransportEvents {
 public:
  explicit Echo(std::unique_ptr<call::Transport> transport) : transport_(std::move(transport)) {
    transport_->start(*this);
  }
  void received(call::StreamId stream, std::span<const std::byte> bytes) override {
    transport_->write(stream, SharedBytes::copy(bytes));
  }
  void finished(call::StreamId stream) override { transport_->finish(stream); }
  void was_reset(call::StreamId, std::uint64_t) override {}
  void writable(call::StreamId) override {}
  void closed(const Error& reason) override { std::fprintf(stderr, "closed: %s\n", reason.what()); }

 private:
  std::unique_ptr<call::Transport> transport_;
};

int serve(const std::string& chain, const std::string& key, bool retry) {
  LoopThread thread;
  net::quic::Endpoint::Config config;
  config.credentials.certificate = net::Certificate::load(chain, key);
  config.admission = [](const call::PeerCredentials&) {};
  config.logger = Logger::to_stderr(LogLevel::kInfo);
  if (retry) config.options.retry = net::quic::RetryPolicy::kAlways;
  const auto run = [&]() -> Task<void> {
    std::vector<std::unique_ptr<Echo>> peers;
    const net::SocketAddress any = net::SocketAddress::of(HostPort("127.0.0.1", 0));
    net::quic::Listener listener(thread.loop(), any, config, [&](std::unique_ptr<call::Transport> transport) {
      peers.push_back(std::make_unique<Echo>(std::move(transport)));
    });
    std::printf("%d\n", int{listener.address().port()});
    std::fflush(stdout);
    PoolExecutor pool(1);
    co_await run_on(pool, [] { return std::getchar(); });
  };
  wait_for(thread.loop(), run());
  return 0;
}

class Caller final : public net::quic::ConnectionEvents {
 public:
  explicit Caller(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {
    connection_->start(*this);
  }
  Connection* operator->() { return connection_.get(); }
  void received(StreamId stream, std::span<const std::byte> bytes) override {
    text[stream].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void finished(StreamId stream) override {
    ended.insert(stream);
    on_finished();
  }
  void was_reset(StreamId, std::uint64_t) override {}
  void was_stopped(StreamId, std::uint64_t) override {}
  void writable(StreamId) override {}
  void closed(const Error& reason) override {
    std::fprintf(stderr, "closed: %s\n", reason.what());
    on_finished();
  }
  std::map<StreamId, std::string> text;
  std::set<StreamId> ended;
  std::function<void()> on_finished = [] {};

 private:
  std::unique_ptr<Connection> connection_;
};

std::string frame(std::size_t index) {
  const std::string json = R"({"type":"call.requested","id":")" + std::to_string(index) + R"(","payload":{"x":")" +
                           std::string(index * 997 % 60'000, 'y') + "\"}}";
  std::byte size[4];
  store_be(size, static_cast<std::uint32_t>(json.size()));
  return std::string(reinterpret_cast<const char*>(size), 4) + json;
}

Task<bool> exchange(Caller& caller, std::size_t begin, std::size_t end) {
  std::map<StreamId, std::string> sent;
  Completion<> done;
  caller.ended.clear();
  caller.on_finished = [&] {
    if (caller.ended.size() == end - begin) done.set_value();
  };
  for (std::size_t i = begin; i < end; ++i) {
    const StreamId stream = caller->open_bidirectional();
    sent[stream] = frame(i);
    caller->write(stream, SharedBytes::copy(sent[stream]));
    caller->finish(stream);
  }
  co_await done.wait();
  for (const auto& [stream, text] : sent) {
    if (caller.text[stream] != text) co_return false;
  }
  co_return true;
}

int dial(std::uint16_t port, const std::string& authority, std::size_t streams) {
  LoopThread thread;
  const auto run = [&]() -> Task<int> {
    const net::SocketAddress any = net::SocketAddress::of(HostPort("127.0.0.1", 0));
    const net::SocketAddress server = net::SocketAddress::of(HostPort("127.0.0.1", port));
    net::quic::Endpoint endpoint(thread.loop(), any, {});
    net::ExpectedServer expected;
    expected.authorities_pem = read_file(authority, 1 << 20);
    expected.host_name = "localhost";
    const std::string alpn = net::quic::kCallAlpn;
    auto connection = co_await endpoint.connect(server, alpn, expected);
    Caller caller(std::move(connection));
    bool good = co_await exchange(caller, 0, streams / 2);
    caller->update_keys();
    good = co_await exchange(caller, streams / 2, streams) && good;
    const auto facts = caller->statistics();
    std::printf("%s, %d key updates\n", good ? "echoed" : "WRONG", static_cast<int>(facts.key_updates));
    co_return good ? 0 : 1;
  };
  return wait_for(thread.loop(), run());
}

}  // namespace
}  // namespace alknet

int main(int argc, char** argv) {
  try {
    if (argc >= 4 && std::strcmp(argv[1], "serve") == 0) return alknet::serve(argv[2], argv[3], argc > 4);
    if (argc == 5 && std::strcmp(argv[1], "dial") == 0) {
      return alknet::dial(static_cast<std::uint16_t>(std::stoul(argv[2])), argv[3], std::stoul(argv[4]));
    }
    std::fprintf(stderr, "quic_echo serve CHAIN KEY [retry] | dial PORT AUTHORITY STREAMS\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 2;
}
