#include "alknet/compute/device_cpu/operation_kernel.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using Bind = std::unique_ptr<Launch> (*)(const OperationContext&, const Binding&);

struct Template {
  std::string_view name;
  Bind bind;
};
constexpr std::array kTemplates = {
    Template{"attention", bind_attention},
    Template{"cholesky", bind_cholesky},
    Template{"det", bind_det},
    Template{"inverse", bind_inverse},
    Template{"solve", bind_solve},
    Template{"arg_reduce", bind_arg_reduce},
    Template{"convolution", bind_convolution},
    Template{"convolution_backward_input", bind_convolution_backward_input},
    Template{"convolution_backward_weight", bind_convolution_backward_weight},
    Template{"max_pool", bind_max_pool},
    Template{"max_pool_backward", bind_max_pool_backward},
    Template{"max_pool_indices", bind_max_pool_indices},
    Template{"resample", bind_resample},
    Template{"resample_backward", bind_resample_backward},
    Template{"max_pool_gather", bind_max_pool},
    Template{"dequantize", bind_dequantize},
    Template{"embedding", bind_embedding},
    Template{"gather", bind_gather},
    Template{"layer_norm", bind_layer_norm},
    Template{"log_softmax", bind_log_softmax},
    Template{"matmul", bind_matmul},
    Template{"place", bind_place},
    Template{"quantized_embedding", bind_quantized_embedding},
    Template{"quantized_matmul", bind_quantized_matmul},
    Template{"random_words", bind_random_words},
    Template{"rms_norm", bind_rms_norm},
    Template{"scan", bind_scan},
    Template{"scatter", bind_scatter},
    Template{"softmax", bind_softmax},
    Template{"sort", bind_sort},
};

[[noreturn]] void refuse(const OpSpec& op, const std::string& why) {
  throw Error(ComputeError::kUnsupported, "[" + op.name + "] " + why);
}

Bind bind_function(const Computation& computation) {
  const OpSpec& op = *computation.op;
  if (std::holds_alternative<graph::ReductionForward>(op.forward)) {
    const Dtype input = computation.inputs.front().value();
    if (!find_reduction_kernel(op, input)) {
      refuse(op, "has no CPU kernel for " + std::string(graph::dtype_name(input)) +
                     ": cast to a dtype that the op table lists for it");
    }
    return bind_reduction;
  }
  const auto* forward = std::get_if<graph::TemplateForward>(&op.forward);
  if (!forward) refuse(op, "is neither element-wise nor a template: it has no kernel of its own");
  const auto found =
      std::find_if(kTemplates.begin(), kTemplates.end(), [&](const auto& row) { return row.name == forward->name; });
  if (found == kTemplates.end())
    refuse(op, "the CPU has no template '" + forward->name + "': run it on another device");
  return found->bind;
}

/// Keeps the kernel alive as long as a launch that refers to it.
class OwningLaunch final : public CpuLaunch {
 public:
  OwningLaunch(std::shared_ptr<const Kernel> kernel, std::unique_ptr<Launch> launch)
      : kernel_(std::move(kernel)), launch_(std::move(launch)) {}
  void run(Slots slots) const override { static_cast<const CpuLaunch&>(*launch_).run(slots); }

 private:
  std::shared_ptr<const Kernel> kernel_;
  std::unique_ptr<Launch> launch_;
};

/// For results without elements, whose other sizes may be large.
class EmptyLaunch final : public CpuLaunch {
 public:
  void run(Slots) const override {}
};

bool has_elements(const Operand& operand) { return graph::element_count(operand.layout.shape) != 0; }

class OperationKernel final : public Kernel, public std::enable_shared_from_this<OperationKernel> {
 public:
  OperationKernel(std::shared_ptr<CpuResources> resources, const Computation& computation)
      : epilogue_(computation),
        context_{std::move(resources), computation.op, epilogue_},
        bind_(bind_function(computation)) {}

  std::unique_ptr<Launch> bind(const Binding& binding) const override {
    if (std::none_of(binding.outputs.begin(), binding.outputs.end(), has_elements)) {
      return std::make_unique<EmptyLaunch>();
    }
    return std::make_unique<OwningLaunch>(shared_from_this(), bind_(context_, binding));
  }

 private:
  Epilogue epilogue_;
  OperationContext context_;
  Bind bind_;
};

}  // namespace

std::shared_ptr<const Kernel> make_operation_kernel(std::shared_ptr<CpuResources> resources,
                                                    const Computation& computation) {
  return std::make_shared<OperationKernel>(std::move(resources), computation);
}

}  // namespace alknet::compute
