#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "alknet/compute/device_gpu/gpu_launch.h"
#include "alknet/compute/generate/opgen_sort.h"

namespace alknet::compute {

/// What is sorted: lines of an operand.
struct Lines {
  Operand operand;
  DimensionTable rows;         ///< Where the lines begin.
  DimensionTable along;        ///< The elements of one.
  std::int64_t limit = 0;      ///< Of places (see SortKeys).
  std::uint32_t error_id = 0;  ///< The kernel that reports places beyond it.
};

/// Sorted lines, in scratch memory that later dispatches read, and the dispatches that sort them.
struct SortedLines {
  std::shared_ptr<const GpuMemory> keys, places;
  std::int64_t count = 0;  ///< Elements.
  Dtype word = Dtype::kU32;
  std::vector<std::unique_ptr<GpuLaunch>> launches;  ///< In order; at least one.

  /// Binds the buffer "keys" or "places" of a kernel.
  GpuLaunch::Range bind(const KernelSpec& spec, const KernelSpec::Buffer& buffer, ParameterBlock& block) const;
};

/// Sorts lines of any length: blocks first, then merges of runs twice as long each, all on the device. Stable.
/// Immutable, thread-safe.
class LineSorter {
 public:
  LineSorter(std::shared_ptr<GpuContext> context, SortKeys keys);

  /// Throws Error `limit_exceeded`, `out_of_memory`.
  SortedLines sort(const Lines& lines) const;

 private:
  struct Stage {
    KernelSpec spec;
    gpu::Pipeline pipeline;
  };
  Stage stage(KernelSpec spec) const;

  std::shared_ptr<GpuContext> context_;
  SortKeys keys_;
  Stage block_, merge_;
};

/// Whether the lines that the pattern "sort" or "scatter" looks along are long enough that sorting them first pays.
bool has_long_lines(const Computation& computation, std::string_view pattern, const Binding& binding);

/// What such a computation sorts by, and along which lines.
SortKeys sort_keys(const Computation& computation, const OpgenOptions& options);
Lines sorted_lines(const Computation& computation, const Binding& binding);

/// By dimension of a scatter's index: the step between sorted lines along it, 0 where the lines are the same.
Shape line_strides(const Strided& index, std::optional<std::size_t> axis);

}  // namespace alknet::compute
