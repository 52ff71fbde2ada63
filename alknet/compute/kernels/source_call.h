#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/compute/kernels/source_kernel.h"

namespace alknet::compute {

/// Numbers of workgroups of one call; a total has 1 as its other counts.
using WorkgroupCounts = std::array<std::int64_t, 3>;

/// What one call of a user's kernel comes to.
struct SourceCall {
  JsonObject parameters;              ///< Every one, as a number.
  std::vector<graph::Shape> outputs;  ///< Parallel to SourceKernel::outputs.
  WorkgroupCounts workgroups = {1, 1, 1};

  /// As the attributes of a Binding of the kernel.
  JsonObject attributes() const;
};

/// Binds the dimensions that `inputs` tell, and computes all expressions. Throws Error `shape_mismatch` for shapes that
/// do not fit, `missing_input` for an input, parameter or workgroup count that nobody gave, `bad_attribute` for a
/// parameter that is unknown, computed, or not a number of its dtype; each names the kernel.
SourceCall resolve_call(const SourceKernel& kernel, std::span<const graph::Shape> inputs, const JsonObject& parameters,
                        const std::optional<WorkgroupCounts>& workgroups = {});

}  // namespace alknet::compute
