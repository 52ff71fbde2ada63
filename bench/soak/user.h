#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/json.h"
#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "bench/soak/ledger.h"
#include "bench/soak/workplace.h"

namespace alknet::bench::soak {

/// A task that runs beside the one that began it, and that may be stopped. Await `ended` before it goes away.
class Beside {
 public:
  Beside(Loop& loop, Task<void> task) {
    start(
        loop, std::move(task),
        [ended = ended_](Outcome<void> outcome) mutable {
          if (outcome.ok()) return void(ended.set_value());
          ended.set_error(outcome.error());
        },
        stop_.get_token());
  }
  void stop() { stop_.request_stop(); }
  Completion<void>::Wait ended() const { return ended_.wait(); }

 private:
  std::stop_source stop_;
  Completion<void> ended_;
};

/// A call and what is known of its answer.
struct Request {
  std::string operation;
  Message input;
  std::function<bool(const Message&)> right;  ///< of the answer
  std::string fails_with;                     ///< the code with which it fails; empty: it does not
  std::optional<std::chrono::milliseconds> timeout;
};

/// A read of soak/items.
struct Reading {
  std::int64_t count = 0;
  std::int64_t size = 0;
  std::int64_t take = 0;               ///< less than count: the reader goes away then
  std::chrono::milliseconds pause{0};  ///< after each item
};

/// What all users of a process share.
struct Crowd {
  /// Random numbers begin with `seed`; `mean_pause` is between the actions of a user.
  Crowd(Loop& on, const Workplace& at, Ledger& in, const JsonObject& served, std::uint64_t first,
        std::chrono::duration<double> pause);

  Loop& loop;
  const Workplace& place;
  Ledger& ledger;
  const JsonObject addresses;  ///< {"quic": "quic://...", ...}
  const std::uint64_t seed;
  const SharedBytes noise;  ///< 4 MiB of which attachments are made
  std::chrono::duration<double> mean_pause;
  std::optional<int> actions;  ///< of each user; without it until `over`
  bool over = false;
};

/// One user of the node, with one connection, who does one thing after another, at random but the same for the same
/// seed. On the crowd's loop.
class User {
 public:
  User(Crowd& crowd, std::size_t number, std::string address)
      : crowd_(crowd), number_(number), address_(std::move(address)), random_(crowd.seed * 1'000'003 + number) {}
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  /// Connects after `delay`, acts, and closes.
  Task<void> live(std::chrono::duration<double> delay);

  // For actions.

  Crowd& crowd() { return crowd_; }
  bool unrestricted() const { return address_.starts_with("unix:"); }

  /// A random number below `limit`.
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
  std::chrono::milliseconds up_to(std::size_t most) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(below(most + 1)));
  }

  /// A text that no other request has, of at least `size` bytes.
  std::string new_text(std::size_t size);

  /// Makes a call and notes how it ends: never throws.
  Task<void> ask(Request request);

  /// Reads a subscription and notes how it ends: never throws.
  Task<void> read(Reading reading);

  /// Notes the error of a request: as one of the endings that it may have now, or as a loss.
  void note(Ledger::Entry& entry, const Error& error, const std::string& expected, bool stopped);

  /// Closes the connection under what runs on it, which `running` are, and makes a new one.
  Task<void> redial(std::vector<std::unique_ptr<Beside>> running);

  std::vector<std::string> handles;  ///< of soak/keep on this connection

 private:
  Task<void> connect();
  std::chrono::duration<double> pause();

  Crowd& crowd_;
  const std::size_t number_;
  const std::string address_;
  std::mt19937_64 random_;
  std::shared_ptr<call::Connection> connection_;
  std::shared_ptr<bool> planned_;  // that this connection ends
  std::uint64_t texts_ = 0;
};

/// Users of a crowd, spread over the node's transports: of 20 one each comes by WebSocket, Unix socket and TLS.
std::vector<std::unique_ptr<User>> make_users(Crowd& crowd, std::size_t count);

}  // namespace alknet::bench::soak
