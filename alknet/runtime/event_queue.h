#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::runtime {

/// The items of a subscription that callbacks make and one coroutine hands out. What it may hold is its users' affair.
/// Copies are the same queue. One thread.
class EventQueue {
 public:
  void push(Json item) const {
    if (state_->ended) return;
    state_->waiting.push_back(std::move(item));
    state_->changed.set_value();
  }

  /// The last item was pushed; `error` says why when that is not the end of everything. The first end counts.
  void end(std::optional<Error> error = {}) const {
    if (std::exchange(state_->ended, true)) return;
    state_->error = std::move(error);
    state_->changed.set_value();
    state_->taken.set_value();
  }
  bool ended() const { return state_->ended; }

  /// Waits while `most` items or more wait to be taken, until the end.
  Task<void> room(std::size_t most) const { return room_of(state_, most); }

  /// The next item; nothing after the last. Throws the error of the end.
  Task<std::optional<Json>> next() const { return next_of(state_); }

 private:
  struct State {
    std::deque<Json> waiting;
    Completion<void> changed;
    Completion<void> taken;
    std::optional<Error> error;
    bool ended = false;
  };

  static Task<std::optional<Json>> next_of(std::shared_ptr<State> state) {
    while (state->waiting.empty() && !state->ended) {
      state->changed = Completion<void>();
      co_await state->changed.wait();
    }
    std::optional<Json> item;
    if (!state->waiting.empty()) {
      item = std::move(state->waiting.front());
      state->waiting.pop_front();
      state->taken.set_value();
    } else if (state->error) {
      throw Error(*state->error);
    }
    co_return item;
  }

  static Task<void> room_of(std::shared_ptr<State> state, std::size_t most) {
    while (state->waiting.size() >= most && !state->ended) {
      state->taken = Completion<void>();
      co_await state->taken.wait();
    }
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace alknet::runtime
