#pragma once

#include <string>
#include <string_view>

#include "alknet/compute/generate/shader_generator.h"

namespace alknet::compute {

/// Prints kernels as GLSL 4.50 compute shaders for Vulkan, the way to SPIR-V.
///
/// Bindings of set 0 as WgslGenerator's: 0 the parameter block (uniform, std140), then inputs and outputs (storage
/// buffers, std430). Only the pattern "elementwise": the templates of the others are WGSL. Functions that GLSL has are
/// its own, with its precision; lgamma, digamma, erfinv and zeta are `unsupported`. bool buffers are packed four to a
/// word; f16 is not supported.
class GlslGenerator : public ShaderGenerator {
 public:
  std::string_view language() const override { return "glsl"; }
  std::string generate(const KernelSpec& spec) const override;
};

/// A function of that name in GLSL. Tensor variables are its arguments, parameters are read from `p`; with several
/// outputs it returns a struct NAME_result.
std::string glsl_function(std::string_view name, const graph::expr::Program& program);

/// Those functions that `source` calls and GLSL lacks or leaves loose.
std::string glsl_helpers(std::string_view source);

}  // namespace alknet::compute
