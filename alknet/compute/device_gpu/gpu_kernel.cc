#include "alknet/compute/device_gpu/gpu_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/bind_parameters.h"
#include "alknet/compute/device_gpu/matmul_choice.h"
#include "alknet/compute/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

/// Elements that a layout touches, from its own offset: [first, last]. Empty layouts touch none.
struct Extent {
  std::int64_t first = 0, last = -1;
};
Extent extent(const Strided& layout) {
  if (graph::element_count(layout.shape) == 0) return {layout.offset, layout.offset - 1};
  Extent result{layout.offset, layout.offset};
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    const std::int64_t reach = (layout.shape[d] - 1) * layout.strides[d];
    (reach < 0 ? result.first : result.last) += reach;
  }
  return result;
}

/// Whether outputs may be written in vectors of 4 elements.
bool takes_vectors(const Binding& binding, bool packed_f16) {
  return std::all_of(binding.outputs.begin(), binding.outputs.end(), [&](const Operand& output) {
    const bool words = graph::dtype_bytes(output.dtype) == 4 || (output.dtype == Dtype::kF16 && !packed_f16);
    return words && output.layout.offset % 4 == 0;
  });
}

/// Sets the form "elementwise_flat" where all tensors allow it.
void choose_flat(const Computation& computation, const Binding& binding, OpgenOptions& options) {
  constexpr std::size_t kMostInputs = 32;  // bits of OpgenOptions::single
  if (computation.strided || binding.inputs.size() > kMostInputs) return;
  const Shape& shape = binding.outputs.front().layout.shape;
  std::uint32_t single = 0;
  for (std::size_t i = 0; i < binding.inputs.size(); ++i) {
    const Operand& input = *binding.inputs[i];
    const Strided layout = broadcast_to(input.layout, shape);
    std::int64_t step = 1;
    bool flat = input.layout.offset % 4 == 0, one = true;
    for (std::size_t d = shape.size(); d-- > 0; step *= shape[d]) {
      if (shape[d] == 1) continue;
      flat = flat && layout.strides[d] == step;
      one = one && layout.strides[d] == 0;
    }
    if (input.dtype == Dtype::kI64 || (!flat && !one)) return;
    if (!flat) single |= 1u << i;
  }
  for (const Operand& output : binding.outputs) {
    if (output.dtype == Dtype::kI64 || output.layout.offset % 4 != 0) return;
  }
  options.flat = true;
  options.single = single;
}

/// The rows from `first` of dimension `d`, `count` of them.
Strided narrowed(Strided layout, std::size_t d, std::int64_t first, std::int64_t count) {
  layout.offset += first * layout.strides[d];
  layout.shape[d] = count;
  return layout;
}

/// An element-wise binding in two, along its outermost dimension; nothing when no dimension can be parted so that
/// outputs begin with a word.
std::optional<std::pair<Binding, Binding>> halved(const Binding& binding) {
  const Shape& shape = binding.outputs.front().layout.shape;
  const auto outermost = std::find_if(shape.begin(), shape.end(), [](std::int64_t size) { return size > 1; });
  if (outermost == shape.end()) return std::nullopt;
  const auto d = static_cast<std::size_t>(outermost - shape.begin());
  // A whole number of words of any dtype, where the dimension is long enough.
  const std::int64_t half = shape[d] >= 8 ? shape[d] / 8 * 4 : shape[d] / 2;
  std::pair<Binding, Binding> result{binding, binding};
  const auto part = [&](Operand& first, Operand& second) {
    const Strided whole = broadcast_to(first.layout, shape);
    first.layout = narrowed(whole, d, 0, half);
    second.layout = narrowed(whole, d, half, shape[d] - half);
  };
  for (std::size_t i = 0; i < binding.inputs.size(); ++i) {
    if (binding.inputs[i]) part(*result.first.inputs[i], *result.second.inputs[i]);
  }
  for (std::size_t k = 0; k < binding.outputs.size(); ++k) part(result.first.outputs[k], result.second.outputs[k]);
  return result;
}

[[noreturn]] void exceed(const std::string& name, std::string_view what, std::string_view limit, std::uint64_t value,
                         std::uint64_t maximum) {
  throw Error(gpu::GpuError::kLimitExceeded,
              fmt::format("[{}] {} needs {}, but the device's {} is {}; use smaller tensors or .to('cpu')", name, what,
                          value, limit, maximum),
              {{"op", name}, {"limit", limit}, {"value", value}, {"maximum", maximum}});
}

}  // namespace

GpuLaunch::GpuLaunch(std::shared_ptr<GpuContext> context, std::string name, gpu::Pipeline pipeline,
                     ParameterPlace parameters, std::vector<Range> ranges, gpu::Workgroups workgroups,
                     bool checks_indices)
    : context_(std::move(context)),
      name_(std::move(name)),
      pipeline_(std::move(pipeline)),
      parameters_(std::move(parameters)),
      ranges_(std::move(ranges)),
      workgroups_(workgroups),
      checks_indices_(checks_indices) {
  groups_.reserve(kBindGroups);
}

void GpuLaunch::record(gpu::Encoder& encoder, Slots slots) {
  if (workgroups_.x != 0) encoder.dispatch(pipeline_, bind_group(slots), workgroups_, {}, name_);
  for (const auto& part : parts_) part->record(encoder, slots);
}

const GpuMemory& GpuLaunch::memory(std::uint32_t slot, Slots slots) const {
  return slot == kScratch ? *scratch_ : own_memory(*context_, slots[slot]);
}

const gpu::BindGroup& GpuLaunch::bind_group(Slots slots) {
  ++clock_;
  for (Group& group : groups_) {
    bool same = true;
    for (std::size_t i = 0; same && i < ranges_.size(); ++i) {
      same = memory(ranges_[i].slot, slots).serial() == group.serials[i];
    }
    if (!same) continue;
    group.used = clock_;
    return group.bind_group;
  }
  std::vector<gpu::Binding> bindings = {{parameters_.buffer.get(), parameters_.offset, parameters_.bytes}};
  Group group;
  group.used = clock_;
  for (const Range& range : ranges_) {
    const GpuMemory& bound = memory(range.slot, slots);
    group.serials.push_back(bound.serial());
    bindings.push_back({&bound.buffer(), range.offset, range.size});
  }
  if (checks_indices_) bindings.push_back({&context_->error_words(), 0, 0});
  group.bind_group = context_->device().create_bind_group(pipeline_, bindings);
  if (groups_.size() < kBindGroups) return groups_.emplace_back(std::move(group)).bind_group;
  auto& oldest =
      *std::min_element(groups_.begin(), groups_.end(), [](const Group& a, const Group& b) { return a.used < b.used; });
  oldest = std::move(group);
  return oldest.bind_group;
}

GpuKernel::GpuKernel(std::shared_ptr<GpuContext> context, Computation computation)
    : context_(std::move(context)), computation_(std::move(computation)) {
  context_->check_dtypes(computation_);
  forms_.push_back(make_form(context_->opgen_options()));
  // Where shapes decide the form, it is compiled when they are known.
  const std::string& pattern = forms_.front()->generated.spec.pattern;
  if (pattern == "elementwise" || pattern.starts_with("matmul_")) return;
  forms_.front()->pipeline = context_->pipeline(forms_.front()->generated.spec);
}

std::unique_ptr<GpuKernel::Form> GpuKernel::make_form(const OpgenOptions& options) const {
  auto form = std::make_unique<Form>();
  form->options = options;
  form->generated = opgen(computation_, options);
  const KernelSpec& spec = form->generated.spec;
  const std::size_t storage = spec.inputs.size() + spec.outputs.size() + (spec.checks_indices ? 1 : 0);
  if (storage > context_->device().limits().max_storage_buffers) {
    exceed(spec.name, "the number of its tensors", "maxStorageBuffersPerShaderStage", storage,
           context_->device().limits().max_storage_buffers);
  }
  form->workgroup_count = graph::Dim::parse(spec.workgroup_count);
  if (spec.checks_indices) form->error_id = context_->register_error_source(computation_.op->name);
  return form;
}

OpgenOptions GpuKernel::options_for(const Binding& binding) const {
  OpgenOptions options = context_->opgen_options();
  const std::string& pattern = forms_.front()->generated.spec.pattern;
  if (pattern.starts_with("matmul_") && !options.software) {
    MatmulForm& form = options.matmul;
    form = choose_matmul(binding, context_->matmul_tuning(), context_->matrix_tile(), context_->options().matmul_tile);
    form.vector_stores =
        form.whole && (form.stage == MatmulForm::Stage::kSlices || takes_vectors(binding, options.packed_f16));
  }
  if (pattern == "elementwise" && !options.software) choose_flat(computation_, binding, options);
  return options;
}

const GpuKernel::Form& GpuKernel::compiled(const OpgenOptions& options) const {
  auto place = std::find_if(forms_.begin(), forms_.end(), [&](const auto& form) { return form->options == options; });
  if (place == forms_.end()) place = forms_.insert(forms_.end(), make_form(options));
  if (!(*place)->pipeline) (*place)->pipeline = context_->pipeline((*place)->generated.spec);
  return **place;
}

const GpuKernel::Form& GpuKernel::form_for(const Binding& binding) const {
  const std::lock_guard lock(mutex_);
  const OpgenOptions options = options_for(binding);
  try {
    return compiled(options);
  } catch (const Error& error) {
    // The extension is experimental: what another version of the library does not compile runs without it.
    if (options.matmul.kind != MatmulForm::Kind::kMatrix) throw;
    if (error.code() != make_error_code(gpu::GpuError::kShaderInvalid)) throw;
    context_->give_up_matrix_units();
  }
  return compiled(options_for(binding));
}

bool GpuKernel::exceeds_binding(const Binding& binding) const {
  const std::uint64_t limit = context_->device().limits().max_storage_binding_size;
  const auto exceeds = [&](const Operand& operand) {
    const Extent used = extent(operand.layout);
    return static_cast<std::uint64_t>(used.last - used.first + 1) * graph::dtype_bytes(operand.dtype) + 256 > limit;
  };
  return std::any_of(binding.inputs.begin(), binding.inputs.end(), [&](const auto& i) { return i && exceeds(*i); }) ||
         std::any_of(binding.outputs.begin(), binding.outputs.end(), exceeds);
}

std::unique_ptr<Launch> GpuKernel::bind(const Binding& binding) const {
  if (computation_.op || !exceeds_binding(binding)) return bind_whole(binding);
  const auto& steps = computation_.program.steps;
  const bool reads_places =
      std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step.op->reads_coordinates(); });
  std::unique_ptr<GpuLaunch> launch;
  std::vector<Binding> todo = {binding};
  while (!todo.empty()) {
    Binding part = std::move(todo.back());
    todo.pop_back();
    auto halves = exceeds_binding(part) && !reads_places ? halved(part) : std::nullopt;
    if (halves) {
      todo.push_back(std::move(halves->second));
      todo.push_back(std::move(halves->first));
    } else if (auto bound = bind_whole(part); launch) {
      launch->add_part(std::move(bound));
    } else {
      launch = std::move(bound);
    }
  }
  return launch;
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_whole(const Binding& binding) const {
  const Form& form = form_for(binding);
  if (form.options.matmul.stage == MatmulForm::Stage::kSlices) return bind_slices(form, binding);
  return bind_form(form, binding, {});
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_slices(const Form& form, const Binding& binding) const {
  const MatmulSlices slices = matmul_slices(binding, form.options.matmul, context_->matmul_tuning());
  OpgenOptions options = context_->opgen_options();
  options.matmul.stage = MatmulForm::Stage::kSum;
  const Form& sum_form = [&]() -> const Form& {
    const std::lock_guard lock(mutex_);
    return compiled(options);
  }();
  const std::int64_t sums = slices.count * graph::element_count(binding.outputs.front().layout.shape);
  const Operand partial{GpuLaunch::kScratch, Dtype::kF32, {{sums}, {1}, 0}};
  Binding first = binding, second = binding;
  first.inputs.resize(computation_.op_inputs());
  first.outputs = {partial};
  second.inputs[0] = partial;
  second.inputs[1] = std::nullopt;
  auto launch = bind_form(form, first, slices);
  auto sum = bind_form(sum_form, second, slices);
  const auto scratch = std::make_shared<GpuMemory>(context_, static_cast<std::size_t>(sums) * sizeof(float));
  launch->set_scratch(scratch);
  sum->set_scratch(scratch);
  launch->add_part(std::move(sum));
  return launch;
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_form(const Form& form, const Binding& binding,
                                                const MatmulSlices& slices) const {
  const KernelSpec& spec = form.generated.spec;
  ParameterBlock block(spec);
  for (const auto& [name, value] : form.generated.constants) block.set_number(name, value);
  bind_parameters(computation_, spec, binding, block);
  if (spec.checks_indices) block.set("error_id", form.error_id);
  if (spec.parameter("slices") != nullptr) block.set("slices", slices.count);
  if (spec.parameter("slice_inner") != nullptr) block.set("slice_inner", slices.inner);

  std::vector<GpuLaunch::Range> ranges;
  std::size_t buffer = 0;
  for (const auto& input : binding.inputs) {
    if (input) ranges.push_back(place(spec, spec.inputs.at(buffer++), *input, false, block));
  }
  for (std::size_t k = 0; k < binding.outputs.size(); ++k) {
    for (const auto& input : binding.inputs) {
      if (!input || input->slot != binding.outputs[k].slot) continue;
      throw Error(
          BaseError::kInvalidArgument,
          fmt::format("[{}] output {} lies in the memory of an input; give it memory of its own", spec.name, k));
    }
    ranges.push_back(place(spec, spec.outputs.at(k), binding.outputs[k], true, block));
  }
  const gpu::Workgroups groups = workgroups(form, block);
  return std::make_unique<GpuLaunch>(context_, spec.name, form.pipeline, context_->place_parameters(block.bytes()),
                                     std::move(ranges), groups, spec.checks_indices);
}

GpuLaunch::Range GpuKernel::place(const KernelSpec& spec, const KernelSpec::Buffer& buffer, const Operand& operand,
                                  bool output, ParameterBlock& block) const {
  const gpu::Limits& limits = context_->device().limits();
  const auto element = static_cast<std::int64_t>(graph::dtype_bytes(buffer.dtype));
  const auto alignment = static_cast<std::int64_t>(limits.min_storage_offset_alignment);
  if (operand.dtype != buffer.dtype || (output && !computation_.strided && !graph::is_contiguous(operand.layout))) {
    throw Error(
        ComputeError::kShapeMismatch,
        fmt::format("[{}] {} is {} where the kernel has {}{}", spec.name, buffer.name, graph::dtype_name(operand.dtype),
                    graph::dtype_name(buffer.dtype), output ? ", contiguous" : ""));
  }
  if (output && (operand.layout.offset * element) % 4 != 0) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[{}] output {} starts inside a word (element {}); copy to a fresh tensor instead",
                            spec.name, buffer.name, operand.layout.offset));
  }
  // What a buffer always has, for a binding that no element of is touched: one of any type.
  constexpr std::uint64_t kEmptyBinding = 16;
  const Extent used = extent(operand.layout);
  if (used.last < used.first) {
    block.set(buffer.name + "_offset", 0);
    return {operand.slot, 0, kEmptyBinding};
  }
  const std::int64_t start = used.first * element / alignment * alignment;
  const std::int64_t end = (used.last + 1) * element;
  // Whole vectors of 4 where the kernel reads such: buffers end with one.
  const std::int64_t granularity = buffer.vectors ? std::max<std::int64_t>(4, 4 * element) : 4;
  const auto size = static_cast<std::uint64_t>((end - start + granularity - 1) / granularity * granularity);
  if (size > limits.max_storage_binding_size) {
    exceed(spec.name, buffer.name, "maxStorageBufferBindingSize", size, limits.max_storage_binding_size);
  }
  block.set(buffer.name + "_offset", operand.layout.offset - start / element);
  return {operand.slot, static_cast<std::uint64_t>(start), size};
}

gpu::Workgroups GpuKernel::workgroups(const Form& form, const ParameterBlock& block) const {
  const KernelSpec& spec = form.generated.spec;
  const graph::DimValues values = block.values();
  if (values.at("count") == 0) return {0, 0, 0};
  const auto total = static_cast<std::uint64_t>(form.workgroup_count.evaluate(values));
  // Invocations are numbered in 32 bits, those of the last folded row that has nothing to do included.
  const std::uint64_t widest = context_->device().limits().max_workgroups_per_dimension;
  const std::uint64_t per_group = spec.workgroup_size[0] * spec.elements_per_invocation;
  const std::uint64_t x = std::min(total, widest), y = x == 0 ? 0 : (total + x - 1) / x;
  const std::uint64_t maximum = (std::uint64_t{1} << 32) / per_group;
  if (x * y > maximum || y > widest)
    exceed(spec.name, "its number of workgroups", "32-bit index range", x * y, maximum);
  return {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 1};
}

}  // namespace alknet::compute
