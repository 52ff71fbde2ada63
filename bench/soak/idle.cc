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

class Idle {
 public:
  explicit Idle(const IdleOptions& options)
      : options_(options),
        place_((Workplace::make(folder_.path()), folder_.path())),
        server_({"serve", "--folder", folder_.path()}),
        addresses_(parse_json(server_.line()).as_object()) {}

  bool run() {
    std::optional<Outcome<void>> outcome;
    start(loop_, work(), [&](Outcome<void> result) {
      outcome.emplace(std::move(result));
      loop_.stop();
    });
    loop_.run();
    outcome->take();
    return tell();
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

  Task<void> work() {
    auto dialling = net::dial(loop_, std::string(addresses_.at("unix").as_string()), place_.dial_options());
    control_ = co_await std::move(dialling);
    Connections warm = co_await connect(kWarmUp);
    co_await close(warm);
    co_await idle_connections();
    co_await idle_subscriptions();
    Message nothing{JsonObject{}, {}};
    co_await control_->call("soak/stop", std::move(nothing));
    control_.reset();
  }

  Task<void> idle_connections() {
    const Memory before = memory();
    Connections all = co_await connect(options_.connections);
    co_await sleep_for(kQuiet);
    const Memory after = memory();
    server_connection_ = kibibytes(before.server, after.server, all.size());
    client_connection_ = kibibytes(before.client, after.client, all.size());
    co_await close(all);
  }

  Task<void> idle_subscriptions() {
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
    const double used = processor_seconds(server_.pid());
    co_await sleep_for(std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(options_.seconds)));
    const Memory after = memory();
    processor_share_ = (processor_seconds(server_.pid()) - used) / options_.seconds;
    growth_ = static_cast<double>(after.server) / static_cast<double>(begun.server) - 1;
    server_subscription_ = kibibytes(before.server, begun.server, options_.subscriptions);
    client_subscription_ = kibibytes(before.client, begun.client, options_.subscriptions);
    broken_ = counts_.broken + counts_.arrived;
    Message item{JsonObject{{"n", 1}}, {}};
    const Message pushed = co_await control_->call("soak/push", std::move(item));
    watchers_ = pushed.value.at("watchers").to_number<std::size_t>();
    const auto over = [&] { return counts_.arrived + counts_.broken >= options_.subscriptions; };
    co_await until(over, "every item arrives");
    co_await close(all);
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

  bool tell() {
    JsonObject figures{{"connections", options_.connections},
                       {"server KiB a connection", server_connection_},
                       {"client KiB a connection", client_connection_},
                       {"subscriptions", options_.subscriptions},
                       {"server KiB a subscription", server_subscription_},
                       {"client KiB a subscription", client_subscription_},
                       {"idle seconds", options_.seconds},
                       {"server growth meanwhile", growth_},
                       {"server processor share meanwhile", processor_share_},
                       {"ended or spoke meanwhile", broken_},
                       {"watchers at the end", watchers_},
                       {"pushed items that arrived", counts_.arrived},
                       {"server ended with", server_.wait()}};
    const bool ok = server_connection_ <= kMostKibibytes && server_subscription_ <= kMostKibibytes && broken_ == 0 &&
                    watchers_ == options_.subscriptions && counts_.arrived == options_.subscriptions;
    for (const auto& [name, value] : figures) fmt::print("  {}: {}\n", std::string_view(name), json_text(value));
    figures.emplace("ok", ok);
    if (options_.json) fmt::print("{}\n", json_text(figures));
    return ok;
  }

  const IdleOptions options_;
  const RunFolder folder_;
  const Workplace place_;
  Child server_;
  const JsonObject addresses_;
  Counts counts_;
  Loop loop_;
  std::shared_ptr<call::Connection> control_;
  double server_connection_ = 0, client_connection_ = 0;      // KiB
  double server_subscription_ = 0, client_subscription_ = 0;  // KiB
  double growth_ = 0;
  double processor_share_ = 0;
  std::size_t broken_ = 0;
  std::size_t watchers_ = 0;
};

}  // namespace

bool run_idle(const IdleOptions& options) { return Idle(options).run(); }

}  // namespace alknet::bench::soak
