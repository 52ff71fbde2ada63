#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alknet/compute/conformance_tensor.h"
#include "alknet/graph/op_table.h"

namespace alknet::compute::conformance {

/// One binding of a template to check: shapes and arrangements of its inputs, absent ones nullopt.
struct TemplateCase {
  struct Input {
    Shape shape;
    Arrangement arrangement = Arrangement::kContiguous;
    std::optional<Dtype> dtype = {};         ///< Instead of the case's own.
    std::optional<std::int64_t> index = {};  ///< Its elements are 0 .. this - 1.
  };
  std::string template_name;  ///< Of every operation with that template, unless `op` names one.
  std::vector<std::optional<Input>> inputs;
  JsonObject attrs;
  bool large = false;              ///< Left out in quick runs.
  std::string op = {};             ///< The one operation that it is for.
  bool dominant_diagonal = false;  ///< The first input's matrices are symmetric positive definite and well-conditioned.
  bool special = false;            ///< Some elements are infinite or NaN.
};

/// The cases of all templates.
std::vector<TemplateCase> template_cases();

/// Shapes for element-wise operations and reductions: ranks 0 to 6, empty, odd, larger than a workgroup; a few of them
/// where a quick run has another dtype than f32.
std::vector<Shape> common_shapes(bool quick, Dtype dtype);

/// Complete attributes worth trying for an operation: every choice of enumerations and booleans, its default numbers
/// and 2. Parameters that depend on shapes (`dim`) are left to the caller: they must have defaults.
std::vector<JsonObject> attribute_choices(const graph::OpSpec& op);

}  // namespace alknet::compute::conformance
