#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "alknet/compute/backend.h"
#include "alknet/graph/op_table.h"

namespace alknet::compute {

/// What `run_conformance` checks and how strictly.
struct ConformanceOptions {
  /// Only these operations; empty means all of the table.
  std::vector<std::string> ops;

  /// Only operations of these kinds; empty means all.
  std::vector<graph::OpKind> kinds = {};

  /// Also element-wise programs of several steps, unless `ops` names operations.
  bool chains = true;

  /// Seed of the random operands.
  std::uint64_t seed = 1;

  /// Leaves out the largest shapes, and for dtypes but f32 most shapes: for sanitizers and software devices.
  bool quick = false;

  /// The device may take denormal operands for zero and give zero for denormal results.
  bool flushes_denormals = false;

  /// The device may give anything for infinite and NaN operands (WGSL promises nothing about them).
  bool undefined_specials = false;

  /// The device is a GPU: the bound "gpu" of an entry holds where it has one.
  bool gpu_bounds = false;

  /// The error allowed to an operation on a dtype, in ulp, given what the op table says (or 4, the CPU's bound, where
  /// it says nothing). Null: that. A GPU's test returns WGSL's bound here.
  std::function<double(const graph::OpSpec& op, Dtype dtype, double table_ulp)> ulp;

  /// Stop adding to the report after so many failures.
  std::size_t max_failures = 50;
};

/// What was found.
struct ConformanceReport {
  std::size_t cases = 0;                 ///< Comparisons made, one a binding.
  std::vector<std::string> failures;     ///< Readable: op, dtype, shape, layout, element, got, expected, bound.
  std::vector<std::string> unsupported;  ///< "op dtype: message" for what the device refused with `unsupported`.
};

/// Runs every operation of the built-in table that is neither view nor composite on `backend` and compares each element
/// with a float64 reference: the interpreter of expressions for element-wise operations and reductions, plain loops for
/// templates.
///
/// Operands: every dtype the entry lists and the device supports; shapes empty, 1, odd, larger than a workgroup, rank
/// 0 to 6; layouts contiguous, transposed, sliced with steps, broadcast with stride 0; special values inside the
/// entry's test domain. Element-wise programs of several steps and programs after structured operations are checked as
/// well. Element-wise operations and reductions are picked up from the table; a template without a reference is a
/// failure. Deterministic for one seed.
ConformanceReport run_conformance(Backend& backend, const ConformanceOptions& options = {});

}  // namespace alknet::compute
