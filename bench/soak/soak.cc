#include "bench/soak/soak.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/heap.h"
#include "bench/process_memory.h"
#include "bench/soak/child.h"
#include "bench/soak/server.h"
#include "bench/soak/user.h"

namespace alknet::bench::soak {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Seconds = std::chrono::duration<double>;

constexpr seconds kRampUp{10};
constexpr double kHaste = 1.5;  // of the first tenth: what the allocator keeps and connections pool is there early
constexpr seconds kKillEvery{20};
constexpr seconds kTellEvery{10};
constexpr seconds kOverdue{120};  // a request that runs for so long has no answer any more
constexpr seconds kSettle{100};   // the server notices killed users after its idle timeout of 60 s

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::uint64_t median(std::vector<std::uint64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Seconds mean_pause(const SoakOptions& options) {
  return Seconds(static_cast<double>(options.connections) / options.rate);
}

class Soak {
 public:
  explicit Soak(const SoakOptions& options)
      : options_(options),
        place_((Workplace::make(folder_.path()), folder_.path())),
        server_({"serve", "--folder", folder_.path()}),
        addresses_text_(server_.line()),
        addresses_(parse_json(addresses_text_).as_object()),
        crowd_(loop_, place_, ledger_, addresses_, options.seed, mean_pause(options)),
        users_(make_users(crowd_, options.connections)) {
    crowd_.actions = options.actions;
  }

  bool run() {
    std::optional<Outcome<void>> outcome;
    start(loop_, work(), [&](Outcome<void> result) {
      outcome.emplace(std::move(result));
      loop_.stop();
    });
    loop_.run();
    outcome->take();
    return summarize();
  }

 private:
  struct Samples {
    std::vector<std::uint64_t> server, client;
  };

  Task<void> work() {
    auto dialling = net::dial(loop_, std::string(addresses_.at("unix").as_string()), place_.dial_options());
    control_ = co_await std::move(dialling);
    first_ = co_await server_state(control_);
    begin_users();
    tell_header();
    co_await watch();
    killed_.reset();
    if (living_ == 0) co_await settle();
    Message nothing{JsonObject{}, {}};
    co_await control_->call("soak/stop", std::move(nothing));
    control_->close();
    control_.reset();
  }

  void begin_users() {
    begin_ = Ledger::Clock::now();
    living_ = users_.size();
    for (std::size_t i = 0; i < users_.size(); ++i) {
      const Seconds delay = options_.actions ? Seconds(0) : Seconds(kRampUp) * i / users_.size();
      start(loop_, users_[i]->live(delay), [this](Outcome<void> outcome) {
        --living_;
        if (outcome.ok()) return;
        try {
          outcome.take();
        } catch (const std::exception& error) {
          ledger_.lose("user", error.what());
        }
      });
    }
  }

  /// Looks at everything until the users have ended.
  Task<void> watch() {
    const Seconds time(60 * options_.minutes);
    Seconds told{0}, killed{0};
    while (living_ > 0) {
      co_await sleep_for(milliseconds(options_.actions ? 100 : 1'000));
      const Seconds now = elapsed();
      if (!options_.actions) {
        crowd_.over = now >= time;
        crowd_.mean_pause = mean_pause(options_) / (10 * now < time ? kHaste : 1);
      }
      ledger_.lose_overdue(kOverdue);
      if (now >= time + 2 * kOverdue) co_return ledger_.lose("user", fmt::format("{} did not end", living_));
      if (!crowd_.over) {
        samples_.server.push_back(resident_bytes(server_.pid()));
        samples_.client.push_back(resident_bytes(::getpid()));
        if (options_.killed > 0 && now - killed >= kKillEvery) {
          killed = now;
          restart_killed();
        }
      }
      if (now - told < kTellEvery) continue;
      told = now;
      trimmer_.trim();  // as a node does
      const ServerState state = co_await server_state(control_);
      tell(state);
    }
  }

  void restart_killed() {
    const std::vector<std::string> arguments{"users",
                                             "--folder",
                                             folder_.path(),
                                             "--addresses",
                                             addresses_text_,
                                             "--connections",
                                             std::to_string(options_.killed),
                                             "--rate",
                                             std::to_string(options_.rate / 20),
                                             "--seed",
                                             std::to_string(options_.seed + ++kills_)};
    killed_.emplace(arguments);  // the last one is killed in the midst of its work
  }

  /// Waits until the server has forgotten everybody.
  Task<void> settle() {
    const auto until = Ledger::Clock::now() + kSettle;
    do {
      co_await sleep_for(milliseconds(100));
      last_ = co_await server_state(control_);
    } while (!last_->empty() && Ledger::Clock::now() < until);
  }

  Seconds elapsed() const { return Ledger::Clock::now() - begin_; }

  static void tell_header() {
    fmt::print("{:>7} {:>9} {:>7} {:>7} {:>8} {:>8} {:>7} {:>7} {:>5} {:>7} {:>10} {:>9} {:>10} {:>11}\n", "time, s",
               "calls", "subscr.", "streams", "aborted", "timeouts", "refused", "dialled", "lost", "running",
               "server MiB", "heap MiB", "client MiB", "files");
  }

  void tell(const ServerState& state) const {
    fmt::print(
        "{:>7.0f} {:>9} {:>7} {:>7} {:>8} {:>8} {:>7} {:>7} {:>5} {:>7} {:>10.1f} {:>9.1f} {:>10.1f} {:>5}+{:<5}\n",
        elapsed().count(), ledger_.begun(Family::kCall), ledger_.begun(Family::kSubscription),
        ledger_.begun(Family::kStream), ledger_.ended(Ending::kAborted), ledger_.ended(Ending::kTimedOut),
        ledger_.ended(Ending::kRefused), ledger_.connected, ledger_.lost(), ledger_.running(),
        mebibytes(resident_bytes(server_.pid())), mebibytes(static_cast<std::uint64_t>(state.heap_bytes)),
        mebibytes(resident_bytes(::getpid())), open_files(server_.pid()), open_files(::getpid()));
    std::fflush(stdout);
  }

  bool summarize() {
    const int status = server_.wait();
    JsonObject summary{{"seconds", elapsed().count()}, {"connections", options_.connections}, {"lost", ledger_.lost()}};
    for (std::size_t i = 0; i < kFamilyNames.size(); ++i) {
      summary.emplace(kFamilyNames.at(i), ledger_.begun(static_cast<Family>(i)));
    }
    for (std::size_t i = 0; i < kEndingNames.size(); ++i) {
      summary.emplace(kEndingNames.at(i), ledger_.ended(static_cast<Ending>(i)));
    }
    summary.emplace("slowest answer, s", Seconds(ledger_.slowest()).count());
    summary.emplace("of", ledger_.slowest_what());
    summary.emplace("dialled", ledger_.connected);
    summary.emplace("processes killed", kills_);
    const bool empty = last_ && last_->empty();
    summary.emplace("server empty at the end", empty);
    summary.emplace("server ended with", status);
    bool flat = true;
    if (!options_.actions) {
      const double server = rise(samples_.server), client = rise(samples_.client);
      flat = server <= options_.most_rise && client <= options_.most_rise;
      summary.emplace("server MiB", mebibytes(samples_.server.back()));
      summary.emplace("client MiB", mebibytes(samples_.client.back()));
      summary.emplace("server rise", server);
      summary.emplace("client rise", client);
    }
    if (last_) {
      summary.emplace("server heap MiB at first", mebibytes(static_cast<std::uint64_t>(first_.heap_bytes)));
      summary.emplace("server heap MiB at last", mebibytes(static_cast<std::uint64_t>(last_->heap_bytes)));
    }
    for (const auto& [name, value] : summary) fmt::print("  {}: {}\n", std::string_view(name), json_text(value));
    if (last_ && !empty) fmt::print("  left on the server: {}\n", json_text(last_->to_json()));
    const bool ok = ledger_.lost() == 0 && empty && flat && status == 0;
    summary.emplace("ok", ok);
    if (options_.json) fmt::print("{}\n", json_text(summary));
    return ok;
  }

  const SoakOptions options_;
  const RunFolder folder_;
  const Workplace place_;
  Child server_;
  const std::string addresses_text_;
  const JsonObject addresses_;
  Ledger ledger_;
  Loop loop_;
  Crowd crowd_;
  std::vector<std::unique_ptr<User>> users_;
  std::shared_ptr<call::Connection> control_;
  std::optional<Child> killed_;
  std::uint64_t kills_ = 0;
  std::size_t living_ = 0;
  Ledger::Clock::time_point begin_;
  Samples samples_;
  HeapTrimmer trimmer_;
  ServerState first_;
  std::optional<ServerState> last_;
};

}  // namespace

double rise(const std::vector<std::uint64_t>& samples) {
  const auto tenth = static_cast<std::ptrdiff_t>(samples.size() / 10);
  if (tenth == 0) return 0;
  const auto early = static_cast<double>(median({samples.begin() + 5 * tenth, samples.begin() + 6 * tenth}));
  const auto late = static_cast<double>(median({samples.end() - tenth, samples.end()}));
  return late / early - 1;
}

RunFolder::RunFolder() : path_((std::filesystem::temp_directory_path() / "alknet_soak_XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool run_soak(const SoakOptions& options) { return Soak(options).run(); }

void run_killed_users(const std::string& folder, const std::string& addresses, const SoakOptions& options) {
  const Workplace place(folder);
  Ledger ledger;
  Loop loop;
  Crowd crowd(loop, place, ledger, parse_json(addresses).as_object(), options.seed, mean_pause(options));
  const auto users = make_users(crowd, options.connections);
  for (const auto& user : users) start(loop, user->live(Seconds(0)), [](const Outcome<void>&) {});
  loop.run();
}

}  // namespace alknet::bench::soak
