#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "alknet/compute/eager/autograd.h"

namespace alknet::compute {

struct GradcheckOptions {
  double step = 1e-3;         ///< Of the differences, relative to elements larger than 0.1.
  double tolerance = 1e-6;    ///< Of |analytic - numeric| / (1 + |numeric|).
  bool second_order = false;  ///< Also checks the gradient of the gradient.
};

/// What `gradcheck` found.
struct GradcheckReport {
  std::size_t elements = 0;  ///< Derivatives compared.
  double worst = 0;          ///< Largest error.
  std::string worst_at;      ///< "input 1, element 4: got 2, expected 3".
  bool passed = true;
};

/// Compares gradients of `function` with central differences of fourth order. Its results are weighted by fixed numbers
/// and added up; every input that requires a gradient is varied element by element. Those inputs must be f64, and
/// `function` must give the same for the same. Elements at which the difference is NaN are left out. Throws Error
/// `dtype_mismatch`, or what `function` throws.
GradcheckReport gradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                          const GradcheckOptions& options = {});

}  // namespace alknet::compute
