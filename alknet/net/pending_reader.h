#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "alknet/base/settler.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/error.h"

namespace alknet::net {

/// Reads a stream with at most one read begun ahead, so that an end or an early message is noticed while nobody waits
/// for bytes. Used on the loop's thread; the stream must outlive it or be closed.
class PendingReader {
 public:
  explicit PendingReader(ByteStream& stream) : stream_(&stream) {}

  /// Begins to read unless a read is begun or its result waits. `arrived` is called once, when that result is there.
  void prefetch(std::function<void()> arrived = {}) {
    state_->arrived = std::move(arrived);
    if (state_->reading || state_->result) return;
    state_->reading = true;
    stream_->read(
        [begun = std::make_shared<BegunRead>(state_)](const std::error_code& error, std::span<const std::byte> bytes) {
          const auto state = std::exchange(begun->state, nullptr);
          state->reading = false;
          state->result = Result{error, bytes};
          if (state->arrived) std::exchange(state->arrived, nullptr)();
          if (state->waiter) std::exchange(state->waiter, std::nullopt)->set_value();
        });
  }

  /// Forgets the function given to `prefetch`.
  void disarm() { state_->arrived = nullptr; }

  /// Whether a result waits, and whether it is the end of the stream or an error.
  bool arrived() const { return state_->result.has_value(); }
  bool ended() const { return arrived() && (state_->result->error || state_->result->bytes.empty()); }

  /// The next bytes, none at the end; valid until the next `read` or `prefetch`. Throws `connection_lost`.
  Task<std::span<const std::byte>> read(std::string where) {
    prefetch();
    if (!state_->result) {
      Completion<void> done;
      state_->waiter.emplace(done);
      co_await done.wait();
    }
    const Result result = *std::exchange(state_->result, std::nullopt);
    if (result.error) throw net_error(NetError::kConnectionLost, where, result.error);
    co_return result.bytes;
  }

 private:
  struct Result {
    std::error_code error;
    std::span<const std::byte> bytes;
  };
  struct State {
    bool reading = false;
    std::optional<Result> result;
    std::function<void()> arrived;
    std::optional<Settler<void>> waiter;
  };
  /// A read that a loop may drop with its end: then who waits gets `aborted`, since the waiting coroutine may own this
  /// reader, and with it what would wake it.
  struct BegunRead {
    explicit BegunRead(std::shared_ptr<State> of) : state(std::move(of)) {}
    BegunRead(const BegunRead&) = delete;
    BegunRead& operator=(const BegunRead&) = delete;
    ~BegunRead() {
      if (!state) return;
      state->reading = false;
      state->arrived = nullptr;
      const auto waiter = std::exchange(state->waiter, std::nullopt);
    }
    std::shared_ptr<State> state;
  };
  ByteStream* stream_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace alknet::net
