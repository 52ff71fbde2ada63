#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_launch.h"
#include "alknet/compute/device_gpu/line_sorter.h"
#include "alknet/compute/device_gpu/matmul_choice.h"
#include "alknet/compute/generate/opgen.h"

namespace alknet::compute {

/// A computation compiled for the device, in the forms that the shapes bound so far asked for. Thread-safe.
class GpuKernel final : public Kernel {
 public:
  GpuKernel(std::shared_ptr<GpuContext> context, Computation computation);
  std::unique_ptr<Launch> bind(const Binding& binding) const override;

 private:
  std::unique_ptr<GpuLaunch> bind_whole(const Binding& binding) const;
  bool exceeds_binding(const Binding& binding) const;
  /// A form of the computation: its specification, compiled on first use.
  struct Form {
    OpgenOptions options;
    GeneratedKernel generated;
    std::uint32_t error_id = 0;
    std::string source;
    gpu::Pipeline pipeline;              ///< Null until it is bound.
    std::unique_ptr<LineSorter> sorter;  ///< What runs before forms for long lines.
  };
  /// What a form's dispatches before it or beside it know: where sorted lines lie, how a product is cut into slices.
  struct Extras {
    const SortedLines* sorted = nullptr;
    MatmulSlices slices = {};
    std::shared_ptr<const GpuMemory> sums = {};  ///< Of the slices.
  };
  OpgenOptions options_for(const Binding& binding) const;
  std::unique_ptr<Form> make_form(const OpgenOptions& options) const;
  Form& find_form(const OpgenOptions& options) const;  // mutex_ is held, as of the next
  const Form& compiled(const OpgenOptions& options) const;
  const Form& form_for(const Binding& binding) const;
  std::unique_ptr<GpuLaunch> bind_sorted(const Form& form, const Binding& binding) const;
  std::unique_ptr<GpuLaunch> bind_product_slices(const Form& form, const Binding& binding) const;
  std::unique_ptr<GpuLaunch> bind_attention_slices(const Form& form, const Binding& binding) const;
  /// Two dispatches: `form` writes `sums`, a tensor of its own, and what `sum_options` stand for joins them.
  std::unique_ptr<GpuLaunch> bind_slices(const Form& form, const OpgenOptions& sum_options, const Binding& binding,
                                         const MatmulSlices& slices, Shape sums, Dtype sum) const;
  std::unique_ptr<GpuLaunch> bind_form(const Form& form, const Binding& binding, const Extras& extras) const;

  std::shared_ptr<GpuContext> context_;
  Computation computation_;
  mutable std::mutex mutex_;  // guards the list and pipelines to come; a form never changes else
  mutable std::vector<std::unique_ptr<Form>> forms_;
};

}  // namespace alknet::compute
