#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "alknet/base/function_ref.h"
#include "alknet/base/json.h"

namespace alknet::graph {

struct GradcheckOptions {
  double step = 1e-3;         ///< Of the differences, relative to elements larger than 0.1: the operation's `eps`.
  double tolerance = 1e-6;    ///< Of |analytic - numeric| / (1 + |numeric|).
  bool second_order = false;  ///< Also checks the gradient of the gradient.
};

/// What checks of gradients found.
struct GradcheckReport {
  std::set<std::string, std::less<>> ops;  ///< Operations checked.
  std::size_t cases = 0;                   ///< Calls and graphs checked.
  std::size_t elements = 0;                ///< Derivatives compared.
  double worst = 0;                        ///< Largest error.
  std::string worst_at;                    ///< "input 1, element 4: got 2, expected 3".
  bool passed = true;

  /// Adds what another check found; `what` goes before its place.
  void add(const GradcheckReport& other, std::string_view what);

  /// {passed, ops, cases, elements, worst, worst_at}, what the operation compute/gradcheck answers.
  Json to_json() const;

  /// "12 operations, 40 cases, 300 derivatives, worst error 1.2e-09 (mul ...)".
  std::string summary() const;
};

/// Compares the derivatives of `total` by each of `values` with `analytic`: central differences of fourth order, for
/// which `total` is called after each change of one element; all are as before at the end. Elements at which the
/// difference is NaN are left out. `where` names the values in `worst_at`.
void compare_gradient(std::span<double> values, std::span<const double> analytic, FunctionRef<double()> total,
                      std::string_view where, const GradcheckOptions& options, GradcheckReport& report);

}  // namespace alknet::graph
