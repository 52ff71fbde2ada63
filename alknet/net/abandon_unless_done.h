#pragma once

#include <memory>
#include <utility>

namespace alknet::net {

/// Calls `abandon()` of a connection's state at the end of the scope, when its handshake is given up; `done` prevents
/// that.
template <typename State>
class AbandonUnlessDone {
 public:
  explicit AbandonUnlessDone(std::shared_ptr<State> state) : state_(std::move(state)) {}
  AbandonUnlessDone(const AbandonUnlessDone&) = delete;
  AbandonUnlessDone& operator=(const AbandonUnlessDone&) = delete;
  ~AbandonUnlessDone() {
    if (state_) state_->abandon();
  }

  void done() { state_.reset(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
