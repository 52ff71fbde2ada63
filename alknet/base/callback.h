#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace alknet {

/// A `void()` callable that can be moved but not copied, so that it may own things; called at most once.
class Callback {
 public:
  Callback() = default;

  template <typename Callable>
  requires(!std::same_as<std::remove_cvref_t<Callable>, Callback> && std::invocable<std::decay_t<Callable>&>)
      Callback(Callable&& callable)  // NOLINT(google-explicit-constructor): lambdas convert on their own
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
    template <typename From>
    explicit Holder(From&& from) : callable(std::forward<From>(from)) {}
    void call() override { callable(); }
    Callable callable;
  };

  std::unique_ptr<Body> body_;
};

}  // namespace alknet
