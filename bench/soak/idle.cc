#include "bench/soak/idle.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "alknet/base/await.h"
#include "bench/process_memory.h"
#include "bench/soak/child.h"
#include "bench/soak/server.h"
#include "bench/soak/soak.h"

namespace alknet::bench::soak {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Connections = std::vector<std::shared_ptr<call::Connection>>;

constexpr double kMostKibibytes = 64;
constexpr std::size_t kDialledAtOnce = 16;
constexpr std::size_t kWarmUp = 50;
constexpr seconds kQuiet{3};  // what follows a handshake is over by then
constexpr seconds kPatience{60};

/// A server and the connections that rest on it.
class Idle {
 public:
  using Part = Task<void> (Idle::*)();

  explicit Idle(const IdleOptions& options)
      : options_(options),
        place_((Workplace::make(folder_.path()), folder_.path())),
        server_({"serve", "--folder", folder_.path()}),
        addresses_(parse_json(server_.line()).as_object()) {}

  /// Runs one part and prints what it found.
  bool run(Part part) {
    std::optional<Outcome<void>> outcome;
    start(loop_, work(part), [&](Outcome<void> result) {
      outcome.emplace(std::move(result));
      loop_.stop();
    });
    loop_.run();
    outcome->take();
    const int status = server_.wait();
    ok_ = ok_ && status == 0;
    found_.emplace("server ended with", status);
    for (const auto& [name, value] : found_) fmt::print("  {}: {}\n", std::string_view(name), json_text(value));
    found_.emplace("ok", ok_);
    if (options_.json) fmt::print("{}\n", json_text(found_));
    return ok_;
  }

  Task<void> connections() {
    const Memory before = memory();
    Connections all = co_await connect(options_.connections);
    co_await sleep_for(kQuiet);
    const double server = note(before, memory(), all.size(), "connection");
    ok_ = server <= kMostKibibytes;
    co_await close(all);
  }

  Task<void> subscriptions() {
    Connections all = co_await connect(options_.subscribers);
    co_await sleep_for(kQuiet);
    const Memory before = memory();
    for (std::size_t i = 0; i < options_.subscriptions; ++i) {
      start(loop_, subscribe(all[i % all.size()], counts_), [this](const Outcome<void>& outcome) {
        if (!outcome.ok()) ++counts_.broken;
      });
    }
    const auto ready = [&] { return counts_.ready == options_.subscriptions; };
    co_await until(ready, "every subscription begins");
    co_await sleep_for(kQuiet);
    const Memory begun = memory();
    const double server = note(before, begun, options_.subscriptions, "subscription");

    const double used = processor_seconds(server_.pid());
    co_await sleep_for(std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(options_.seconds)));
    const std::size_t disturbed = counts_.broken + counts_.arrived;
    found_.emplace("idle seconds", options_.seconds);
    found_.emplace("ended or spoke meanwhile", disturbed);
    found_.emplace("server growth meanwhile",
                   static_cast<double>(memory().server) / static_cast<double>(begun.server) - 1);
    found_.emplace("server processor share meanwhile", (processor_seconds(server_.pid()) - used) / options_.seconds);

    Message item{JsonObject{{"n", 1}}, {}};
    const Message pushed = co_await control_->call("soak/push", std::move(item));
    const auto over = [&] { return counts_.arrived + counts_.broken >= options_.subscriptions; };
    co_await until(over, "every item arrives");
    found_.emplace("watched at the end", pushed.value.at("watchers"));
    found_.emplace("pushed items that arrived", counts_.arrived);
    ok_ = server <= kMostKibibytes && disturbed == 0 && counts_.arrived == options_.subscriptions;
    co_await close(all);
  }

 private:
  /// What one process takes.
  struct Memory {
    std::uint64_t server = 0;
    std::uint64_t client = 0;
  };
  struct Counts {
    std::size_t ready = 0;    ///< subscriptions that gave their first item
    std::size_t arrived = 0;  ///< and the pushed one
    std::size_t broken = 0;
  };

  Memory memory() const { return {resident_bytes(server_.pid()), resident_bytes(::getpid())}; }

  static double kibibytes(std::uint64_t before, std::uint64_t after, std::size_t count) {
    return (static_cast<double>(after) - static_cast<double>(before)) / 1024 / static_cast<double>(count);
  }

  /// KiB that each of `count` things takes of the server.
  double note(const Memory& before, const Memory& after, std::size_t count, std::string_view what) {
    const double server = kibibytes(before.server, after.server, count);
    found_.emplace("count", count);
    found_.emplace(fmt::format("server KiB a {}", what), server);
    found_.emplace(fmt::format("client KiB a {}", what), kibibytes(before.client, after.client, count));
    return server;
  }

  Task<void> work(Part part) {
    auto dialling = net::dial(loop_, std::string(addresses_.at("unix").as_string()), place_.dial_options());
    control_ = co_await std::move(dialling);
    Connections warm = co_await connect(kWarmUp);
    co_await close(warm);
    auto measuring = (this->*part)();
    co_await std::move(measuring);
    Message nothing{JsonObject{}, {}};
    co_await control_->call("soak/stop", std::move(nothing));
    control_.reset();
  }

  static Task<void> subscribe(std::shared_ptr<call::Connection> connection, Counts& counts) {
    Message input{JsonObject{}, {}};
    auto items = connection->subscribe("soak/watch", std::move(input));
    const auto first = co_await items.next();
    if (!first) throw std::runtime_error("a subscription ended");
    ++counts.ready;
    const auto second = co_await items.next();
    if (!second || second->value.at("n") != Json(1)) throw std::runtime_error("not the item that was pushed");
    ++counts.arrived;
  }

  Task<Connections> connect(std::size_t count) {
    const std::string address(addresses_.at("quic").as_string());
    Connections all;
    std::size_t failed = 0;
    for (std::size_t begun = 0; begun < count;) {
      for (std::size_t i = 0; i < kDialledAtOnce && begun < count; ++i, ++begun) {
        start(loop_, net::dial(loop_, address, place_.dial_options()),
              [&](Outcome<std::shared_ptr<call::Connection>> outcome) {
                if (!outcome.ok()) return void(++failed);
                all.push_back(outcome.take());
              });
      }
      const auto answered = [&] { return all.size() + failed == begun; };
      co_await until(answered, "the dialled connections stand");
    }
    if (failed > 0) throw std::runtime_error(fmt::format("{} connections could not be made", failed));
    co_return all;
  }

  /// Closes them and waits until the server has noticed.
  Task<void> close(Connections& all) {
    for (const auto& one : all) one->close();
    all.clear();
    std::optional<ServerState> state;
    for (const auto end = Loop::Clock::now() + kPatience; Loop::Clock::now() < end;) {
      co_await sleep_for(milliseconds(100));
      state = co_await server_state(control_);
      if (state->empty()) co_return;
    }
    throw std::runtime_error("left on the server: " + json_text(state->to_json()));
  }

  template <typename Condition>
  Task<void> until(Condition condition, const char* what) {
    for (const auto end = Loop::Clock::now() + kPatience; !condition();) {
      if (Loop::Clock::now() > end) throw std::runtime_error(fmt::format("in vain waited until {}", what));
      co_await sleep_for(milliseconds(5));
    }
  }

  const IdleOptions options_;
  const RunFolder folder_;
  const Workplace place_;
  Child server_;
  const JsonObject addresses_;
  Counts counts_;
  Loop loop_;
  std::shared_ptr<call::Connection> control_;
  JsonObject found_;
  bool ok_ = false;
};

}  // namespace

bool run_idle_connections(const IdleOptions& options) { return Idle(options).run(&Idle::connections); }
bool run_idle_subscriptions(const IdleOptions& options) { return Idle(options).run(&Idle::subscriptions); }

}  // namespace alknet::bench::soak
