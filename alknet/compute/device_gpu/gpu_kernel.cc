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

constexpr std::uint32_t kNoSlot = UINT32_MAX;  // of an operand in a launch's own memory

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

/// For each input the output that lies in its memory with its layout; empty when none does.
std::vector<std::optional<std::uint32_t>> inputs_written(const Binding& binding) {
  std::vector<std::optional<std::uint32_t>> result;
  for (std::size_t i = 0; i < binding.inputs.size(); ++i) {
    for (std::uint32_t k = 0; binding.inputs[i] && k < binding.outputs.size(); ++k) {
      const Operand &input = *binding.inputs[i], &output = binding.outputs[k];
      if (input.slot != output.slot || input.dtype != output.dtype || !(input.layout == output.layout)) continue;
      result.resize(binding.inputs.size());
      result[i] = k;
    }
  }
  return result;
}

std::size_t storage_bindings(const KernelSpec& spec) {
  const auto own =
      std::count_if(spec.inputs.begin(), spec.inputs.end(), [](const auto& b) { return b.in_place.empty(); });
  return static_cast<std::size_t>(own) + spec.outputs.size() + (spec.checks_indices ? 1 : 0);
}

}  // namespace

GpuKernel::GpuKernel(std::shared_ptr<GpuContext> context, Computation computation)
    : context_(std::move(context)), computation_(std::move(computation)) {
  context_->check_dtypes(computation_);
  forms_.push_back(make_form(context_->opgen_options()));
}

std::unique_ptr<GpuKernel::Form> GpuKernel::make_form(const OpgenOptions& options) const {
  auto form = std::make_unique<Form>();
  form->options = options;
  form->generated = opgen(computation_, options);
  const KernelSpec& spec = form->generated.spec;
  const bool sorts_places = options.sorted && spec.pattern == "scatter_sorted";
  if (spec.checks_indices || sorts_places) form->error_id = context_->register_error_source(computation_.op->name);
  form->source = context_->source(spec);
  if (options.sorted) form->sorter = std::make_unique<LineSorter>(context_, sort_keys(computation_, options));
  return form;
}

OpgenOptions GpuKernel::options_for(const Binding& binding) const {
  OpgenOptions options = context_->opgen_options();
  if (!computation_.op) options.in_place = inputs_written(binding);
  const std::string& pattern = forms_.front()->generated.spec.pattern;
  if (pattern == "softmax_tree" || pattern == "layer_norm_tree") options.kept = kept_elements(binding);
  if (pattern == "attention" && !options.software) {
    options.attention_columns = attention_columns(binding, context_->device().limits().max_workgroup_storage);
    if (attention_slices(binding).count > 1) options.attention_stage = OpgenOptions::AttentionStage::kSlices;
  }
  options.sorted = has_long_lines(computation_, pattern, binding);
  if (pattern.starts_with("matmul_") && !options.software) {
    options.matmul = choose_matmul(binding, context_->matmul_tuning(), context_->matrix_tile(binding.inputs[0]->dtype),
                                   context_->options().matmul_tile);
    options.matmul.dot4 = options.matmul.bytes && context_->byte_products().dot4;
  }
  if (pattern == "elementwise" && !options.software && options.in_place.empty()) {
    choose_flat(computation_, binding, options);
  }
  if (pattern.starts_with("quantized_matmul_") && !options.software) {
    constexpr std::int64_t kFewRows = 16;
    const Shape& input = binding.inputs[0]->layout.shape;
    const std::int64_t rows = graph::element_count(Shape(input.begin(), input.end() - 1));
    options.quantized_rows = rows == 1 ? 1 : rows <= kFewRows ? 4 : 0;
  }
  return options;
}

GpuKernel::Form& GpuKernel::find_form(const OpgenOptions& options) const {
  for (const auto& form : forms_) {
    if (form->options == options) return *form;
  }
  return *forms_.emplace_back(make_form(options));
}

const GpuKernel::Form& GpuKernel::compiled(const OpgenOptions& options) const {
  Form& form = find_form(options);
  if (form.pipeline) return form;
  const KernelSpec& spec = form.generated.spec;
  const std::size_t storage = storage_bindings(spec), most = context_->device().limits().max_storage_buffers;
  if (storage > most) {
    exceed_limit(spec.name, "the number of its tensors", "maxStorageBuffersPerShaderStage", storage, most);
  }
  form.pipeline = context_->pipeline(spec, form.source);
  return form;
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
    return graph::storage_bytes(operand.dtype, used.last - used.first + 1) + 256 > limit;
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
  if (form.options.matmul.stage == MatmulForm::Stage::kSlices) return bind_product_slices(form, binding);
  if (form.options.attention_stage == OpgenOptions::AttentionStage::kSlices) {
    return bind_attention_slices(form, binding);
  }
  return form.sorter ? bind_sorted(form, binding) : bind_form(form, binding, {});
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_product_slices(const Form& form, const Binding& binding) const {
  OpgenOptions options = context_->opgen_options();
  options.matmul.stage = MatmulForm::Stage::kSum;
  const MatmulSlices slices = matmul_slices(binding, form.options.matmul, context_->matmul_tuning());
  const std::int64_t sums = slices.count * graph::element_count(binding.outputs.front().layout.shape);
  return bind_slices(form, options, binding, slices, {sums}, matmul_sum_dtype(binding.inputs[0]->dtype));
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_attention_slices(const Form& form, const Binding& binding) const {
  OpgenOptions options = context_->opgen_options();
  options.attention_stage = OpgenOptions::AttentionStage::kSum;
  const MatmulSlices slices = attention_slices(binding);
  Shape sums = binding.outputs.front().layout.shape;  // with the largest score and the sum of the weights of a row
  sums.back() += 2;
  sums.insert(sums.begin(), slices.count);
  return bind_slices(form, options, binding, slices, std::move(sums), Dtype::kF32);
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_slices(const Form& form, const OpgenOptions& sum_options,
                                                  const Binding& binding, const MatmulSlices& slices, Shape sums,
                                                  Dtype sum) const {
  const Form& sum_form = [&]() -> const Form& {
    const std::lock_guard lock(mutex_);
    return compiled(sum_options);
  }();
  Extras extras;
  extras.slices = slices;
  extras.sums = std::make_shared<GpuMemory>(
      context_, static_cast<std::size_t>(graph::element_count(sums)) * graph::dtype_bytes(sum));
  Shape strides = graph::contiguous_strides(sums);
  const Operand partial{kNoSlot, sum, {std::move(sums), std::move(strides), 0}};
  Binding first = binding, second = binding;
  first.inputs.resize(computation_.op_inputs());
  first.outputs = {partial};
  std::fill_n(second.inputs.begin(), computation_.op_inputs(), std::nullopt);
  second.inputs[0] = partial;
  auto launch = bind_form(form, first, extras);
  launch->add_part(bind_form(sum_form, second, extras));
  return launch;
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_sorted(const Form& form, const Binding& binding) const {
  Lines lines = sorted_lines(computation_, binding);
  lines.error_id = form.error_id;
  SortedLines sorted = form.sorter->sort(lines);
  auto last = bind_form(form, binding, {&sorted});
  auto launch = std::move(sorted.launches.front());
  for (std::size_t i = 1; i < sorted.launches.size(); ++i) launch->add_part(std::move(sorted.launches[i]));
  launch->add_part(std::move(last));
  return launch;
}

std::unique_ptr<GpuLaunch> GpuKernel::bind_form(const Form& form, const Binding& binding, const Extras& extras) const {
  const KernelSpec& spec = form.generated.spec;
  ParameterBlock block(spec);
  for (const auto& [name, value] : form.generated.constants) block.set_number(name, value);
  bind_parameters(computation_, spec, binding, block);
  if (spec.checks_indices) block.set("error_id", form.error_id);
  if (spec.parameter("slices") != nullptr) block.set("slices", extras.slices.count);
  if (spec.parameter("slice_inner") != nullptr) block.set("slice_inner", extras.slices.inner);
  const auto place = [&](const KernelSpec::Buffer& buffer, const Operand& operand, bool output) {
    auto range = place_operand(*context_, spec, buffer, operand, output, computation_.strided, block);
    if (operand.slot == kNoSlot) range.scratch = extras.sums;
    return range;
  };

  std::vector<GpuLaunch::Range> ranges;
  auto given = binding.inputs.begin();
  for (const KernelSpec::Buffer& buffer : spec.inputs) {
    if (buffer.scratch) {
      ranges.push_back(extras.sorted->bind(spec, buffer, block));
      continue;
    }
    while (!*given) ++given;
    const GpuLaunch::Range range = place(buffer, **given++, false);
    if (buffer.in_place.empty()) ranges.push_back(range);
  }
  for (std::size_t k = 0; k < binding.outputs.size(); ++k) {
    for (std::size_t i = 0; i < binding.inputs.size(); ++i) {
      const auto& input = binding.inputs[i];
      const bool written = i < form.options.in_place.size() && form.options.in_place[i] == k;
      if (!input || input->slot != binding.outputs[k].slot || written) continue;
      throw Error(
          BaseError::kInvalidArgument,
          fmt::format("[{}] output {} lies in the memory of an input; give it memory of its own", spec.name, k));
    }
    ranges.push_back(place(spec.outputs.at(k), binding.outputs[k], true));
  }
  return make_launch(context_, spec, form.pipeline, block, std::move(ranges));
}

}  // namespace alknet::compute
