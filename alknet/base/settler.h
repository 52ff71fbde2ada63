#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "alknet/base/await.h"

namespace alknet {

/// The side of a Completion that a callback holds when an executor may drop the callback without calling it: with the
/// last copy gone and nothing set, the waiting coroutine gets `aborted` instead of being left behind.
template <typename T = void>
class Settler {
 public:
  explicit Settler(Completion<T> completion) : guard_(std::make_shared<Guard>(std::move(completion))) {}

  void set_value(typename Completion<T>::Value value = {}) const { guard_->completion.set_value(std::move(value)); }
  void set_error(const Error& error) const { guard_->completion.set_error(std::make_exception_ptr(error)); }
  void set_error(std::exception_ptr error) const { guard_->completion.set_error(std::move(error)); }

 private:
  struct Guard {
    explicit Guard(Completion<T> held) : completion(std::move(held)) {}
    ~Guard() { completion.set_error(std::make_exception_ptr(Error(BaseError::kAborted, "[loop] the loop has ended"))); }
    Completion<T> completion;
  };
  std::shared_ptr<Guard> guard_;
};

}  // namespace alknet
