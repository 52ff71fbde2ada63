// The measured side of N1 to N4: calls over loopback QUIC, the server in a child process, the client here, one
// connection.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "alknet/base/await.h"
#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/call/dispatcher.h"
#include "alknet/net/quic/transport.h"
#include "bench/cases.h"
#include "bench/latency.h"
#include "bench/protocol.h"

namespace alknet::bench {
namespace {

constexpr std::string_view kEchoSchema =
    R"({"type":"object","properties":{"data":{"type":"string"}},"required":["data"],"additionalProperties":false})";

call::Registration echo_operation() {
  call::Registration echo;
  echo.spec.name = "bench/echo";
  echo.spec.input_schema = parse_json(kEchoSchema);
  echo.spec.output_schema = parse_json(kEchoSchema);
  echo.handler =
      call::OnceHandler([](call::OperationContext&, Message input) -> Task<Message> { co_return std::move(input); });
  return echo;
}

/// The server's process and a connection to it. The loop runs on the thread of the benchmark, inside `run`.
class Client {
 public:
  Client() {
    std::array<int, 2> out{};
    if (pipe(out.data()) != 0) throw std::runtime_error("pipe failed");
    child_ = fork();
    if (child_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      close(out[0]);
      execl("/proc/self/exe", "net_bench", "--server", nullptr);
      _exit(127);
    }
    close(out[1]);
    FILE* from = fdopen(out[0], "r");
    std::uint16_t port = 0;
    std::array<char, 128> fingerprint{};
    if (std::fscanf(from, "%hu %127s", &port, fingerprint.data()) != 2) {
      throw std::runtime_error("the echo server did not start");
    }
    std::fclose(from);
    net::quic::DialConfig config;
    config.credentials.key = net::PrivateKey::generate();
    config.expected.fingerprints = {fingerprint.data()};
    auto transport = run(net::quic::connect(loop_, net::HostPort{"127.0.0.1", port}, config));
    connection_ = call::Connection::open(loop_, std::move(transport), nullptr, nullptr);
  }
  ~Client() {
    connection_.reset();
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Runs the loop until the task has ended.
  template <typename T>
  T run(Task<T> task) {
    std::optional<Outcome<T>> outcome;
    start(loop_, std::move(task), [&](Outcome<T> result) {
      outcome.emplace(std::move(result));
      loop_.stop();
    });
    loop_.run();
    return outcome->take();
  }

  static Task<void> call_once(call::Connection& connection, const std::string& data) {
    Message input{JsonObject{{"data", data}}, {}};
    const Message output = co_await connection.call("bench/echo", std::move(input));
    if (output.value.at("data").as_string().size() != data.size()) throw std::runtime_error("a wrong answer");
  }

  /// `calls` calls with `in_flight` at a time.
  void call_many(int calls, int in_flight, const std::string& data) {
    int started = in_flight, finished = 0;
    std::exception_ptr failure;
    std::function<void()> begin = [&] {
      start(loop_, call_once(*connection_, data), [&](Outcome<void> outcome) {
        if (!outcome.ok()) failure = outcome.error();
        if (++finished == calls || failure) return loop_.stop();
        if (started < calls) {
          ++started;
          begin();
        }
      });
    };
    for (int i = 0; i < in_flight; ++i) begin();
    loop_.run();
    if (failure) std::rethrow_exception(failure);
  }

  call::Connection& connection() { return *connection_; }

 private:
  Loop loop_;
  pid_t child_ = 0;
  std::shared_ptr<call::Connection> connection_;
};

Case unary(const Json& parameters) {
  const auto latencies = std::make_shared<Latencies>(parameters.at("percentile").to_number<double>());
  const std::string data(parameters.at("bytes").to_number<std::size_t>(), 'x');
  return {[client = std::make_shared<Client>(), latencies, data] {
            const auto begin = std::chrono::steady_clock::now();
            client->run(Client::call_once(client->connection(), data));
            latencies->add(std::chrono::steady_clock::now() - begin);
          },
          [latencies](int count) { return latencies->take() * count; }};
}

Case throughput(const Json& parameters) {
  const auto in_flight = parameters.at("in_flight").to_number<int>();
  const auto calls = parameters.at("calls").to_number<int>();
  const std::string data(parameters.at("bytes").to_number<std::size_t>(), 'x');
  return [client = std::make_shared<Client>(), in_flight, calls, data] { client->call_many(calls, in_flight, data); };
}

/// Serves `bench/echo` on a free port of loopback and prints "PORT FINGERPRINT". Runs until it is killed.
int serve_echo() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Loop loop;
  auto registry = std::make_shared<call::Registry>();
  std::vector<call::Registration> operations;
  operations.push_back(echo_operation());
  registry->curated().add(std::move(operations));
  call::Dispatcher dispatcher(loop, registry);
  const auto key = net::PrivateKey::generate();
  net::quic::Endpoint::Config config;
  config.credentials.key = key;
  config.admission = [](const call::PeerCredentials&) {};
  std::vector<std::shared_ptr<call::Connection>> connections;
  const net::quic::Listener listener(
      loop, net::SocketAddress::of(net::HostPort{"127.0.0.1", 0}), config,
      [&](std::unique_ptr<call::Transport> transport) {
        connections.push_back(call::Connection::open(loop, std::move(transport), &dispatcher, nullptr));
      });
  fmt::print("{} {}\n", listener.address().port(), key.fingerprint());
  std::fflush(stdout);
  loop.run();
  return 0;
}

}  // namespace
}  // namespace alknet::bench

int main(int argc, char** argv) {
  using namespace alknet::bench;
  if (argc == 2 && std::string_view(argv[1]) == "--server") return serve_echo();
  serve({{"unary", unary}, {"throughput", throughput}}, "alknet " ALKNET_VERSION);
}
