#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "alknet/base/executor.h"
#include "alknet/call/engine/transport.h"

namespace alknet::call {

struct LocalLinkOptions {
  /// With several streams (then Framing::kLengthPrefix), as QUIC has; else one.
  bool multiplexed = false;
  Framing framing = Framing::kLengthPrefix;

  /// `write` answers false while more than this waits to be read, for each stream.
  std::size_t high_water = std::size_t{1} << 20;
};

/// Two transports joined in memory: what one writes the other receives in a later turn of the executor, in order,
/// without a copy. For callers and handlers in one process, and for tests. Both live on `executor`'s thread; either may
/// be destroyed first.
std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> make_local_link(Executor& executor,
                                                                                  const LocalLinkOptions& options = {});

}  // namespace alknet::call
