#pragma once

#include <cstdint>
#include <memory>

#include "alknet/compute/buffer.h"
#include "alknet/compute/context.h"
#include "alknet/compute/eager/call_cache.h"
#include "alknet/compute/eager/layout.h"
#include "alknet/compute/eager/scalar_cache.h"
#include "alknet/compute/kernel_times.h"

namespace alknet::compute {

class BackwardWalk;

/// What the copies of a Context share. Used by one thread at a time.
///
/// Caches hold no tensors, which would keep their own context alive.
struct ContextState : std::enable_shared_from_this<ContextState> {
  std::shared_ptr<BufferManager> buffers;  ///< First, so that it goes last.
  std::shared_ptr<Backend> backend;        ///< Where creation functions make tensors.
  std::shared_ptr<Devices> devices;        ///< May be null.
  std::shared_ptr<KernelTimes> times;      ///< Null: kernels are not measured.
  LayoutTable layouts;
  CallCache calls;
  ScalarCache scalars;
  const graph::OpTable* ops = &graph::OpTable::builtin();  ///< Where names and gradients find operations.
  /// Tables with what was registered, each with one entry more; earlier ones stay, since calls refer to their entries.
  std::vector<std::unique_ptr<const graph::OpTable>> registered;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;        ///< Of the random numbers; rises with each call that draws some.
  std::uint64_t sequence = 0;    ///< Of recorded operations.
  int no_grad = 0;               ///< Depth.
  BackwardWalk* walk = nullptr;  ///< That runs now.
  int depth = 0;                 ///< Of calls inside calls; caches are only emptied at 0.
};

}  // namespace alknet::compute
