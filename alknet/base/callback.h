#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace alknet {

/// A `void()` callable that can be moved but not copied, so that it may own things; called at most once.
class Callback {
 public:
  Callback() = default;

  template <typename Callable, typename = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<Callable>, Callback> &&
                                                           std::is_invocable_v<std::decay_t<Callable>&>>>
  Callback(Callable&& callable)
      : body_(std::make_unique<Holder<std::decay_t<Callable>>>(std::forward<Callable>(callable))) {}

  explicit operator bool() const { return body_ != nullptr; }

  /// Calls it, then destroys the callable.
  void operator()() {
    const auto body = std::move(body_);
    body->call();
  }

 private:
  struct Body {
    virtual ~Body() = default;
    virtual void call() = 0;
  };
  template <typename Callable>
  struct Holder final : Body {
    explicit Holder(Callable held) : callable(std::move(held)) {}
    void call() override { callable(); }
    Callable callable;
  };

  std::unique_ptr<Body> body_;
};

}  // namespace alknet
