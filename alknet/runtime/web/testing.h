#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/web/web.h"

namespace alknet::runtime::web {

/// For tests: an isolate with the web platform on an event loop of its own, which keeps what console prints.
class WebIsolate {
 public:
  explicit WebIsolate(IsolateLimits limits = {}, WebOptions web = {}) {
    IsolateOptions options;
    options.executor = &loop_;
    options.limits = limits;
    options.on_uncaught = [this](const ScriptError& error) { uncaught_.push_back(error.message()); };
    web.print = [this](ConsoleLevel level, std::string_view text) { printed_.emplace_back(level, text); };
    isolate_ = std::make_unique<Isolate>(std::move(options));
    install_web(*isolate_, std::move(web));
  }

  Isolate& isolate() { return *isolate_; }
  std::vector<std::pair<ConsoleLevel, std::string>>& printed() { return printed_; }
  std::vector<std::string>& uncaught() { return uncaught_; }

  std::string text_of(std::string_view source) { return isolate_->eval(source).to_string(); }

  /// Runs until nothing more can happen.
  void run() {
    isolate_->when_idle([this] { loop_.stop(); });
    loop_.run();
  }

  /// The text of what the promise of `source` is fulfilled with.
  std::string settle(std::string_view source) {
    const Value promise = isolate_->eval(source);
    run();
    return promise_result(promise).to_string();
  }

 private:
  Loop loop_;
  std::vector<std::pair<ConsoleLevel, std::string>> printed_;
  std::vector<std::string> uncaught_;
  std::unique_ptr<Isolate> isolate_;
};

}  // namespace alknet::runtime::web
