#include "alknet/compute/tensor.h"

#include <fmt/format.h>

#include <array>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

std::size_t byte_count(Dtype dtype, const Shape& shape) {
  return static_cast<std::size_t>(graph::element_count(shape)) * graph::dtype_bytes(dtype);
}

/// Elements [first, last] that a layout touches; nothing for an empty one.
std::pair<std::int64_t, std::int64_t> extent(const Strided& layout) {
  std::int64_t first = layout.offset, last = layout.offset;
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    const std::int64_t reach = (layout.shape[d] - 1) * layout.strides[d];
    (reach < 0 ? first : last) += reach;
  }
  return {first, last};
}

/// Copies strided elements of `size` bytes from `base` to row-major order at `out`, which it advances.
void gather(const std::byte* base, const Strided& layout, std::size_t dim, std::int64_t offset, std::size_t size,
            std::byte*& out) {
  if (dim == layout.shape.size()) {
    std::memcpy(out, base + static_cast<std::size_t>(offset) * size, size);
    out += size;
    return;
  }
  for (std::int64_t i = 0; i < layout.shape[dim]; ++i) {
    gather(base, layout, dim + 1, offset + i * layout.strides[dim], size, out);
  }
}

}  // namespace

Tensor::Tensor(std::shared_ptr<Buffer> buffer, Dtype dtype, Strided layout)
    : buffer_(std::move(buffer)), dtype_(dtype), layout_(std::move(layout)) {
  if (graph::element_count(layout_.shape) == 0) return;
  const auto [first, last] = extent(layout_);
  const auto elements = static_cast<std::int64_t>(buffer_->bytes() / graph::dtype_bytes(dtype_));
  if (first < 0 || last >= elements) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[Tensor] elements {}..{} of shape {} are outside a buffer of {} elements", first, last,
                            graph::shape_text(layout_.shape), elements));
  }
}

Tensor Tensor::view(std::string_view op_name, const JsonObject& attrs) const {
  const OpSpec& op = graph::OpTable::builtin().at(op_name);
  auto layout = graph::apply_view(op, layout_, graph::complete_attributes(op, attrs));
  if (!layout) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[{}] cannot view strides {} of shape {} so; copy with contiguous first", op_name,
                            graph::shape_text(layout_.strides), graph::shape_text(layout_.shape)));
  }
  return {buffer_, dtype_, std::move(*layout)};
}

std::vector<std::byte> Tensor::read() const {
  const std::size_t size = graph::dtype_bytes(dtype_);
  std::vector<std::byte> out(byte_count(dtype_, layout_.shape));
  if (out.empty()) return out;
  const auto memory = buffer_->memory();
  const auto [first, last] = extent(layout_);
  const std::size_t begin = static_cast<std::size_t>(first) * size;
  if (contiguous()) {
    buffer_->backend()->read(*memory, begin, out);
    return out;
  }
  std::vector<std::byte> touched(static_cast<std::size_t>(last - first + 1) * size);
  buffer_->backend()->read(*memory, begin, touched);
  std::byte* next = out.data();
  gather(touched.data(), layout_, 0, layout_.offset - first, size, next);
  return out;
}

void Tensor::require(Dtype dtype) const {
  if (dtype == dtype_) return;
  throw Error(ComputeError::kShapeMismatch, fmt::format("[Tensor::to_vector] the tensor is {}, not {}",
                                                        graph::dtype_name(dtype_), graph::dtype_name(dtype)));
}

Context::Context(std::shared_ptr<BufferManager> buffers, std::shared_ptr<Backend> backend)
    : buffers_(std::move(buffers)), backend_(std::move(backend)) {}

Tensor Context::empty(Dtype dtype, Shape shape, std::string label) const {
  if (!backend_->supports(dtype)) {
    throw Error(ComputeError::kUnsupported, fmt::format("{} has no {} tensors; use another dtype or --device cpu",
                                                        backend_->id(), graph::dtype_name(dtype)));
  }
  auto buffer = buffers_->allocate(backend_, byte_count(dtype, shape), std::move(label));
  auto strides = graph::contiguous_strides(shape);
  return {std::move(buffer), dtype, {std::move(shape), std::move(strides), 0}};
}

Tensor Context::from_bytes(Dtype dtype, Shape shape, std::span<const std::byte> bytes, std::string label) const {
  if (bytes.size() != byte_count(dtype, shape)) {
    throw Error(ComputeError::kShapeMismatch, fmt::format("[{}] {} bytes do not make {} {}", label, bytes.size(),
                                                          graph::dtype_name(dtype), graph::shape_text(shape)));
  }
  Tensor tensor = empty(dtype, std::move(shape), std::move(label));
  if (!bytes.empty()) backend_->write(*tensor.buffer()->memory(), 0, bytes);
  return tensor;
}

Tensor Context::wrap(Dtype dtype, Shape shape, SharedBytes bytes, std::string label) const {
  if (bytes.size() != byte_count(dtype, shape)) {
    throw Error(ComputeError::kShapeMismatch, fmt::format("[{}] {} bytes do not make {} {}", label, bytes.size(),
                                                          graph::dtype_name(dtype), graph::shape_text(shape)));
  }
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % graph::dtype_bytes(dtype) == 0;
  if (!aligned) return from_bytes(dtype, std::move(shape), bytes.span(), std::move(label));
  auto strides = graph::contiguous_strides(shape);
  auto buffer = buffers_->wrap(backend_, std::move(bytes), std::move(label));
  return {std::move(buffer), dtype, {std::move(shape), std::move(strides), 0}};
}

Tensor Context::contiguous(const Tensor& tensor) const {
  if (tensor.contiguous()) return tensor;
  const OpSpec& op = graph::OpTable::builtin().at("contiguous");
  Computation copy;
  copy.inputs = {tensor.dtype()};
  copy.outputs = {tensor.dtype()};
  copy.program.inputs = {tensor.dtype()};
  copy.program.steps = {{&op, {}, {{0, {}}}, tensor.dtype()}};
  copy.program.outputs = {1};
  Tensor result = empty(tensor.dtype(), tensor.shape(), "contiguous");
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(backend_->kernel(copy)->bind(
      {{Operand{0, tensor.dtype(), tensor.layout()}}, {Operand{1, tensor.dtype(), result.layout()}}, {}}));
  const auto from = tensor.buffer()->memory();
  const auto to = result.buffer()->memory();
  const std::array<Memory*, 2> slots = {from.get(), to.get()};
  backend_->run(launches, slots);
  return result;
}

}  // namespace alknet::compute
