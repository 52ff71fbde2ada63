#pragma once

#include <functional>
#include <memory>

#include "alknet/base/loop.h"

namespace alknet::app {

/// Standard input, waited for on an event loop, so that timers run while somebody types. One thread.
class TerminalInput {
 public:
  explicit TerminalInput(Loop& loop);
  ~TerminalInput();

  /// Calls `then` on the loop when there is something to read, or its end has come. One wait at a time.
  void when_readable(std::function<void()> then);

 private:
  struct Descriptor;
  std::unique_ptr<Descriptor> descriptor_;
};

}  // namespace alknet::app
