#include "alknet/compute/device_gpu/gpu_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/bind_parameters.h"
#include "alknet/compute/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

/// What a buffer always has, for a binding that no element of is touched: one of any type.
constexpr std::uint64_t kEmptyBinding = 16;

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

/// Large tiles where they give every part of a GPU something to do, smaller ones for smaller results, and slices of the
/// inner dimension where even those are few.
void choose_matmul(const Binding& binding, const GpuBackendOptions& backend, OpgenOptions& options) {
  if (backend.matmul_tile) {
    options.matmul = *backend.matmul_tile;
    return;
  }
  constexpr MatmulTile kSmall = {64, 64, 16, 8, 4};
  constexpr std::int64_t kManyTiles = 100, kFewTiles = 40, kFewRows = 16, kLongInner = 256;
  const Shape &a = binding.inputs[0]->layout.shape, &b = binding.inputs[1]->layout.shape;
  const std::int64_t rows = a.size() > 1 ? a[a.size() - 2] : 1, columns = b.size() > 1 ? b.back() : 1;
  const std::int64_t inner = a.back(), results = graph::element_count(binding.outputs.front().layout.shape);
  const std::int64_t batch = results / std::max<std::int64_t>(1, rows * columns);
  const auto tiles = [&](const MatmulTile& tile) {
    const std::int64_t r = tile.rows, c = tile.columns;
    return batch * ((rows + r - 1) / r) * ((columns + c - 1) / c);
  };
  options.matmul_split = rows <= kFewRows || columns <= kFewRows || (tiles(kSmall) < kFewTiles && inner >= kLongInner);
  if (tiles(options.matmul) < kManyTiles || options.matmul_split) options.matmul = kSmall;
}

/// Products of f16 that fill a good part of a tile of the form "matmul_matrix".
bool fits_matrix_units(const Binding& binding) {
  constexpr std::int64_t kSmallest = 64;
  const Shape &a = binding.inputs[0]->layout.shape, &b = binding.inputs[1]->layout.shape;
  return binding.inputs[0]->dtype == Dtype::kF16 && binding.inputs[1]->dtype == Dtype::kF16 && a.size() > 1 &&
         b.size() > 1 && a[a.size() - 2] >= kSmallest && b.back() >= kSmallest && a.back() > 0;
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
                     gpu::Buffer parameters, std::vector<Range> ranges, gpu::Workgroups workgroups, bool checks_indices)
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

const gpu::BindGroup& GpuLaunch::bind_group(Slots slots) {
  ++clock_;
  for (Group& group : groups_) {
    bool same = true;
    for (std::size_t i = 0; same && i < ranges_.size(); ++i) {
      same = own_memory(*context_, slots[ranges_[i].slot]).serial() == group.serials[i];
    }
    if (!same) continue;
    group.used = clock_;
    return group.bind_group;
  }
  std::vector<gpu::Binding> bindings = {{&parameters_, 0, 0}};
  Group group;
  group.used = clock_;
  for (const Range& range : ranges_) {
    const GpuMemory& memory = own_memory(*context_, slots[range.slot]);
    group.serials.push_back(memory.serial());
    bindings.push_back({&memory.buffer(), range.offset, range.size});
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
  form->pipeline = context_->pipeline(spec);
  return form;
}

const GpuKernel::Form& GpuKernel::form_for(const Binding& binding) const {
  OpgenOptions options = context_->opgen_options();
  if (forms_.front()->generated.spec.pattern.starts_with("matmul_") && !options.software) {
    choose_matmul(binding, context_->options(), options);
    options.matmul_matrix = context_->matrix_units() && fits_matrix_units(binding);
  }
  if (forms_.front()->generated.spec.pattern.starts_with("quantized_matmul_")) {
    constexpr std::int64_t kFewRows = 16;
    const Shape& input = binding.inputs[0]->layout.shape;
    const std::int64_t rows = graph::element_count(Shape(input.begin(), input.end() - 1));
    options.quantized_rows = rows == 1 ? 1 : rows <= kFewRows ? 4 : 0;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& form : forms_) {
    if (form->options == options) return *form;
  }
  if (!options.matmul_matrix) return *forms_.emplace_back(make_form(options));
  try {
    return *forms_.emplace_back(make_form(options));
  } catch (const Error& error) {
    // The extension is experimental: what another version of the library does not compile runs without it.
    if (error.code() != make_error_code(gpu::GpuError::kShaderInvalid)) throw;
    context_->give_up_matrix_units();
    options.matmul_matrix = false;
    return *forms_.emplace_back(make_form(options));
  }
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
  const KernelSpec& spec = form.generated.spec;
  ParameterBlock block(spec);
  for (const auto& [name, value] : form.generated.constants) block.set_number(name, value);
  bind_parameters(computation_, spec, binding, block);
  if (spec.checks_indices) block.set("error_id", form.error_id);

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
  gpu::Buffer parameters = context_->device().create_buffer(block.bytes(), gpu::BufferUsage::kUniform, spec.name);
  return std::make_unique<GpuLaunch>(context_, spec.name, form.pipeline, std::move(parameters), std::move(ranges),
                                     groups, spec.checks_indices);
}

/// Bytes of a binding of weights in blocks, which begin a memory: views of them do not exist.
std::uint64_t GpuKernel::blocks_size(const KernelSpec& spec, const KernelSpec::Buffer& buffer, const Operand& operand,
                                     const gpu::Limits& limits) {
  const std::uint64_t bytes = graph::storage_bytes(operand.dtype, graph::element_count(operand.layout.shape));
  if (operand.layout.offset != 0 || !graph::is_contiguous(operand.layout)) {
    throw Error(BaseError::kInternal, fmt::format("[{}] {} is a view of blocks", spec.name, buffer.name));
  }
  const std::uint64_t size = std::max<std::uint64_t>((bytes + 3) / 4 * 4, kEmptyBinding);
  if (size > limits.max_storage_binding_size) {
    exceed(spec.name, buffer.name, "maxStorageBufferBindingSize", size, limits.max_storage_binding_size);
  }
  return size;
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
  if (graph::is_block(operand.dtype)) {
    block.set(buffer.name + "_offset", 0);
    return {operand.slot, 0, blocks_size(spec, buffer, operand, limits)};
  }
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
