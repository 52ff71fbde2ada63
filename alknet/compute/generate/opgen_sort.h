#pragma once

#include "alknet/compute/generate/kernel_spec.h"

namespace alknet::compute {

/// What is sorted along the lines of a tensor named "input".
struct SortKeys {
  graph::Dtype dtype = graph::Dtype::kF32;
  bool descending = false;
  bool places = false;        ///< Indices below the parameter `limit`; others are reported and go last.
  std::uint32_t block = 256;  ///< Elements that `sort_block_spec` puts in order.

  /// The dtype of the words that are compared: u32, or i64 (two words) for i64.
  graph::Dtype word() const;
};

/// Sorting is a merge sort, stable, over the scratch buffers "keys" and "places" (u32: where in its line an element
/// was). This kernel writes both with every block of a line in order. Its maps are "row" and "along" of "input", its
/// parameters `length` (of a line), `count` (of all) and, for places, `limit`.
KernelSpec sort_block_spec(const SortKeys& keys);

/// Makes runs of twice `width` from runs of `width`: "keys" and "places" to "merged_keys" and "merged_places".
KernelSpec sort_merge_spec(const SortKeys& keys);

}  // namespace alknet::compute
