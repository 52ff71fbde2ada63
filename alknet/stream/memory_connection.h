#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/stream/connection.h"

namespace alknet::stream {

/// For tests: a connection whose two ends are in this process, on one executor. What it carries, when and in which
/// order is under the test's hand, so that faults come exactly where they are wanted.
class MemoryLink : public std::enable_shared_from_this<MemoryLink> {
 public:
  struct Options {
    std::size_t high_water = std::size_t{64} << 10;  ///< Of one stream, above which `write` answers false.
    std::size_t most_at_once = 16'000;               ///< Bytes of one `received`.
    std::optional<std::uint32_t> shuffle = {};       ///< Seed: streams and sizes in random order.
    std::size_t window = SIZE_MAX;                   ///< Bytes on their way to the client in all, then the link stops.
  };

  static std::shared_ptr<MemoryLink> make(Executor& executor, Options options);
  static std::shared_ptr<MemoryLink> make(Executor& executor) { return make(executor, Options()); }

  /// Each end, once.
  std::unique_ptr<StreamConnection> client_end() { return end(0); }
  std::unique_ptr<StreamConnection> server_end() { return end(1); }

  /// Bytes of streams for which this is true stay where they are.
  std::function<bool(StreamId stream)> held;

  /// May change what travels: the stream, the offset in it, the bytes.
  std::function<void(StreamId stream, std::uint64_t offset, std::span<std::byte> bytes)> tamper;

  /// Another Options::window from now on.
  void set_window(std::size_t bytes) {
    options_.window = bytes;
    schedule();
  }

  /// Both ends see the connection end.
  void drop();

  /// Once so many bytes of the server's unidirectional streams were delivered, the connection drops.
  std::optional<std::uint64_t> drop_after;

  /// Goes on after `held` changed.
  void kick() { schedule(); }

  std::size_t open_streams(bool from_server) const;  ///< Unidirectional ones, opened and not delivered.
  std::size_t most_open_streams() const { return most_open_; }
  std::size_t queued_bytes() const;  ///< Written and not delivered, both directions.
  std::size_t most_queued_bytes() const { return most_queued_; }
  std::uint64_t tensor_bytes() const { return tensor_bytes_; }  ///< Delivered on the server's unidirectional streams.

 private:
  class End;
  struct Channel {  // one direction of one stream
    std::deque<SharedBytes> queue;
    std::size_t taken = 0;  // of the first
    std::size_t queued = 0;
    std::uint64_t delivered = 0;
    bool finished = false, finish_told = false, ended = false;
    bool reading = true, wants_writable = false, dropped = false;
    std::optional<std::uint64_t> reset, stopped;
  };
  using Key = std::pair<int, StreamId>;  // who sends: 0 client, 1 server

  MemoryLink(Executor& executor, Options options) : executor_(executor), options_(options) {}
  std::unique_ptr<StreamConnection> end(int side);
  void schedule();
  bool step();
  bool deliver(Key key, Channel& channel);
  Channel* sending(int side, StreamId stream);

  Executor& executor_;
  Options options_;
  std::minstd_rand random_;
  StreamEvents* events_[2] = {nullptr, nullptr};
  std::map<Key, Channel> channels_;
  StreamId next_[2][2] = {{0, 2}, {1, 3}};  // by side: bidirectional, unidirectional
  bool scheduled_ = false, down_ = false;
  std::size_t most_open_ = 0, most_queued_ = 0;
  std::uint64_t tensor_bytes_ = 0;
};

}  // namespace alknet::stream
