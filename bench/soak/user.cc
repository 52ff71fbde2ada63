#include "bench/soak/user.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "alknet/call/error.h"
#include "bench/soak/actions.h"

namespace alknet::bench::soak {
namespace {

constexpr std::chrono::seconds kPatience{100};  // for an answer: others may keep the machine busy

std::chrono::milliseconds milliseconds_of(std::chrono::duration<double> time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

SharedBytes make_noise(std::uint64_t seed) {
  constexpr std::size_t kWords = (std::size_t{4} << 20) / sizeof(std::uint64_t);
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> words(kWords);
  for (auto& word : words) word = random();
  return SharedBytes::copy(std::as_bytes(std::span(words)));
}

/// Picks an action by its weight.
const Action& pick(std::size_t at) {
  for (const Action& action : actions()) {
    if (at < action.weight) return action;
    at -= action.weight;
  }
  return actions().front();
}

}  // namespace

Crowd::Crowd(Loop& on, const Workplace& at, Ledger& in, const JsonObject& served, std::uint64_t first,
             std::chrono::duration<double> pause)
    : loop(on), place(at), ledger(in), addresses(served), seed(first), noise(make_noise(first)), mean_pause(pause) {}

Task<void> User::live(std::chrono::duration<double> delay) {
  std::size_t weights = 0;
  for (const Action& action : actions()) weights += action.weight;
  co_await sleep_for(milliseconds_of(delay));
  co_await connect();
  for (int done = 0; !crowd_.over && done != crowd_.actions.value_or(-1); ++done) {
    co_await sleep_for(milliseconds_of(pause()));
    if (connection_->closed()) co_await connect();  // noted as lost when it closed
    const Action& action = pick(below(weights));
    co_await action.run(*this);
  }
  *planned_ = true;
  connection_->close();
  connection_.reset();
}

std::chrono::duration<double> User::pause() {
  return crowd_.mean_pause * std::uniform_real_distribution<double>(0, 2)(random_);
}

std::string User::new_text(std::size_t size) {
  std::string text = fmt::format("{}/{}/", number_, ++texts_);
  text.resize(std::max(size, text.size()), static_cast<char>('a' + texts_ % 26));
  return text;
}

Task<void> User::connect() {
  constexpr std::chrono::seconds kAgain{1};
  handles.clear();
  connection_.reset();
  while (!connection_) {
    auto dialling = net::dial(crowd_.loop, address_, crowd_.place.dial_options());
    try {
      connection_ = co_await std::move(dialling);
    } catch (const Error& error) {
      crowd_.ledger.lose("dial " + address_, error.message());
    }
    if (!connection_) co_await sleep_for(kAgain);
  }
  ++crowd_.ledger.connected;
  planned_ = std::make_shared<bool>(false);
  connection_->on_close([&ledger = crowd_.ledger, planned = planned_, address = address_](const Error& reason) {
    if (!*planned) ledger.lose("connection " + address, reason.message());
  });
}

Task<void> User::redial(std::vector<std::unique_ptr<Beside>> running) {
  *planned_ = true;
  if (running.empty() && below(2) == 0) {
    connection_.reset();
  } else {
    connection_->close();
  }
  for (const auto& one : running) co_await one->ended();
  co_await connect();
}

void User::note(Ledger::Entry& entry, const Error& error, const std::string& expected, bool stopped) {
  const std::string code = error.code_name();
  if (code == "aborted" && stopped) return entry.end(Ending::kAborted);
  if (code == expected) return entry.end(code == "timeout" ? Ending::kTimedOut : Ending::kRefused);
  if (*planned_ && error.message() == "connection closed") return entry.end(Ending::kClosed);
  entry.lose(fmt::format("{}: {}: {}", address_, code, error.message()));
}

Task<void> User::ask(Request request) {
  Ledger::Entry entry = crowd_.ledger.begin(Family::kCall, request.operation);
  const TaskContext& context = co_await current_context();
  try {
    call::CallOptions options;
    options.timeout = request.timeout.value_or(kPatience);
    auto answering = connection_->call(request.operation, std::move(request.input), std::move(options));
    const Message answer = co_await std::move(answering);
    if (!request.fails_with.empty()) {
      entry.lose("answered instead of " + request.fails_with);
    } else if (request.right && !request.right(answer)) {
      entry.lose("a wrong answer");
    } else {
      entry.end(Ending::kAnswered);
    }
  } catch (const Error& error) {
    note(entry, error, request.fails_with, context.stop.stop_requested());
  }
}

Task<void> User::read(Reading reading) {
  Ledger::Entry entry = crowd_.ledger.begin(Family::kSubscription, "soak/items");
  const TaskContext& context = co_await current_context();
  try {
    Message input{JsonObject{{"count", reading.count}, {"size", reading.size}}, {}};
    auto items = connection_->subscribe("soak/items", std::move(input));
    for (std::int64_t n = 0; n < reading.take; ++n) {
      const auto item = co_await items.next();
      if (!item || item->value.at("n").to_number<std::int64_t>() != n) {
        entry.lose(fmt::format("item {} of {} is {}", n, reading.count, item ? json_text(item->value) : "missing"));
        co_return;
      }
      if (reading.pause.count() > 0) co_await sleep_for(reading.pause);
    }
    if (reading.take < reading.count) {
      entry.end(Ending::kAborted);
    } else if (const auto more = co_await items.next()) {
      entry.lose("more items than there are");
    } else {
      entry.end(Ending::kAnswered);
    }
  } catch (const Error& error) {
    note(entry, error, "", context.stop.stop_requested());
  }
}

std::vector<std::unique_ptr<User>> make_users(Crowd& crowd, std::size_t count) {
  constexpr std::array<const char*, 3> kOthers{"ws", "unix", "tls"};
  constexpr std::size_t kRound = 20;
  std::vector<std::unique_ptr<User>> users;
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = i % kRound < kOthers.size() ? kOthers.at(i % kRound) : "quic";
    users.push_back(std::make_unique<User>(crowd, i, std::string(crowd.addresses.at(name).as_string())));
  }
  return users;
}

}  // namespace alknet::bench::soak
