#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "alknet/compute/generate/shader_generator.h"

namespace alknet::compute {

struct WgslOptions {
  bool shader_f16 = false;  ///< The device has the extension of that name.
  /// Text of a pattern's template; empty when there is none of that name.
  std::function<std::string_view(std::string_view)> pattern;
};

/// Prints kernels as WebGPU Shading Language.
///
/// Bindings of group 0: 0 the parameter block (uniform), then inputs (storage, read), outputs (storage, read_write)
/// and, where the pattern checks indices, the device's error words. A pattern's template sees its placeholders, `size`
/// (of the workgroup), and these functions: `load_NAME(k)`, `locate_NAME(index)` with one member per operand, the
/// spec's functions, the partials `join_lanes`, `matmul_place` and `quantized_input` (templates of those names),
/// `store(index, value)` which applies "apply" to the result at a linear output index and writes it (in "elementwise",
/// `store(first)`), `workgroup_index(id, counts)`, `report_error(index, size)`, `p.NAME` for parameters.
class WgslGenerator : public ShaderGenerator {
 public:
  explicit WgslGenerator(WgslOptions options) : options_(std::move(options)) {}

  std::string_view language() const override { return "wgsl"; }
  std::string generate(const KernelSpec& spec) const override;

 private:
  WgslOptions options_;
};

/// A function of that name in WGSL. Tensor variables are its arguments, parameters are read from `p`; with several
/// outputs it returns a struct NAME_result.
std::string wgsl_function(std::string_view name, const graph::expr::Program& program);

/// Those functions that `source` calls and WGSL lacks or leaves loose: NaN-safe max and min, isnan, erf, tanh, casts.
std::string wgsl_helpers(std::string_view source);

}  // namespace alknet::compute
