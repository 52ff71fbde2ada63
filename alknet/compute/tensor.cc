#include "alknet/compute/tensor.h"

#include <fmt/format.h>

#include "alknet/base/error.h"
#include "alknet/base/float16.h"
#include "alknet/compute/devices.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/tape.h"
#include "alknet/compute/error.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

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
void gather_elements(const std::byte* base, const Strided& layout, std::size_t dim, std::int64_t offset,
                     std::size_t size, std::byte*& out) {
  if (dim == layout.shape.size()) {
    std::memcpy(out, base + static_cast<std::size_t>(offset) * size, size);
    out += size;
    return;
  }
  for (std::int64_t i = 0; i < layout.shape[dim]; ++i) {
    gather_elements(base, layout, dim + 1, offset + i * layout.strides[dim], size, out);
  }
}

/// Makes results of a device transfer: the gradient goes back to where the operand is.
class TransferNode final : public GradNode {
 public:
  TransferNode(ContextState& context, const Tensor& from)
      : GradNode(context, "to", 1), device_(from.buffer()->backend()) {
    add_edge(TensorAccess::state(from)->autograd);
  }

 private:
  std::vector<Tensor> compute(const std::shared_ptr<ContextState>&, std::vector<Tensor> gradients) override {
    return {gradients.front().to(device_)};
  }

  std::shared_ptr<Backend> device_;
};

}  // namespace

const TensorState& Tensor::checked() const {
  if (state_) return *state_;
  throw Error(BaseError::kInvalidArgument, "[Tensor] this is no tensor: it was default-constructed or moved from");
}

Dtype Tensor::dtype() const { return checked().storage.dtype; }
const Shape& Tensor::shape() const { return layout().shape; }
std::int64_t Tensor::rank() const { return std::ssize(shape()); }
std::int64_t Tensor::element_count() const { return checked().storage.layout->elements; }
const Strided& Tensor::layout() const { return checked().storage.layout->strided; }
const std::shared_ptr<Buffer>& Tensor::buffer() const { return checked().storage.buffer; }
bool Tensor::contiguous() const { return checked().storage.layout->contiguous; }
Context Tensor::context() const { return ContextAccess::make(checked().context); }
const std::string& Tensor::device() const { return buffer()->backend()->id(); }

std::int64_t Tensor::size(std::int64_t dim) const {
  if (dim < -rank() || dim >= rank()) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[Tensor::size] there is no dimension {} in {}", dim, graph::shape_text(shape())));
  }
  return shape()[static_cast<std::size_t>(dim < 0 ? dim + rank() : dim)];
}

Tensor Tensor::view(std::string_view op_name, const JsonObject& attrs) const {
  const OpSpec& op = checked().context->ops->at(op_name);
  if (!graph::apply_view(op, layout(), graph::complete_attributes(op, attrs))) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[{}] cannot view strides {} of shape {} so; copy with contiguous first", op_name,
                            graph::shape_text(layout().strides), graph::shape_text(shape())));
  }
  const Argument argument(*this);
  return apply(op_name, std::span(&argument, 1), attrs).front();
}

std::vector<std::byte> Tensor::read() const {
  const std::size_t size = graph::dtype_bytes(dtype());
  std::vector<std::byte> out(graph::storage_bytes(dtype(), element_count()));
  if (out.empty()) return out;
  const auto memory = buffer()->memory();
  const auto [first, last] = extent(layout());
  const std::size_t begin = graph::storage_bytes(dtype(), first);
  if (contiguous()) {
    buffer()->backend()->read(*memory, begin, out);
    return out;
  }
  std::vector<std::byte> touched(static_cast<std::size_t>(last - first + 1) * size);
  buffer()->backend()->read(*memory, begin, touched);
  std::byte* next = out.data();
  gather_elements(touched.data(), layout(), 0, layout().offset - first, size, next);
  return out;
}

void Tensor::require(Dtype wanted) const {
  if (wanted == dtype()) return;
  throw Error(ComputeError::kShapeMismatch, fmt::format("[Tensor::to_vector] the tensor is {}, not {}",
                                                        graph::dtype_name(dtype()), graph::dtype_name(wanted)));
}

Scalar Tensor::item() const {
  if (element_count() != 1) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[Tensor::item] a tensor of shape {} is not one number", graph::shape_text(shape())));
  }
  const auto bytes = read();
  const auto as = [&]<typename T>(T value) {
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  };
  switch (dtype()) {
    case Dtype::kBool: return Scalar::of(as(std::uint8_t{}) != 0);
    case Dtype::kI8: return Scalar::of(std::int64_t{as(std::int8_t{})});
    case Dtype::kU8: return Scalar::of(std::int64_t{as(std::uint8_t{})});
    case Dtype::kI32: return Scalar::of(std::int64_t{as(std::int32_t{})});
    case Dtype::kU32: return Scalar::of(std::int64_t{as(std::uint32_t{})});
    case Dtype::kI64: return Scalar::of(as(std::int64_t{}));
    case Dtype::kF16: return Scalar::of(double{to_float(as(Half{}))});
    case Dtype::kBF16: return Scalar::of(double{to_float(as(BFloat16{}))});
    case Dtype::kF32: return Scalar::of(double{as(0.0F)});
    default: return Scalar::of(as(0.0));
  }
}

Tensor Tensor::to(Dtype wanted) const {
  if (wanted == dtype()) return *this;
  return apply(checked().context->ops->at(graph::is_block(dtype()) ? "dequantize" : "cast"), {*this}, {wanted});
}

Tensor Tensor::to(const std::shared_ptr<Backend>& device) const {
  if (buffer()->backend() == device) return *this;
  const auto& context = checked().context;
  if (!device->supports(dtype())) {
    throw Error(ComputeError::kUnsupported, fmt::format("{} has no {} tensors; cast to another dtype first",
                                                        device->id(), graph::dtype_name(dtype())));
  }
  const auto bytes = read();
  Storage storage{context->buffers->allocate(device, bytes.size(), "to"),
                  context->layouts.intern({shape(), graph::contiguous_strides(shape()), 0}), dtype()};
  if (!bytes.empty()) device->write(*storage.buffer->memory(), 0, bytes);
  Tensor result = TensorAccess::make(std::move(storage), context);
  if (needs_gradient(*this) && context->no_grad == 0) {
    connect(std::make_shared<TransferNode>(*context, *this), std::span(&result, 1));
  }
  return result;
}

Tensor Tensor::to(std::string_view name) const {
  if (name == device()) return *this;
  const auto& context = checked().context;
  if (context->backend->id() == name) return to(context->backend);
  if (!context->devices) {
    throw Error(ComputeError::kUnknownDevice,
                fmt::format("[Tensor::to] the context knows only {}: make it with Devices to use \"{}\"",
                            context->backend->id(), name));
  }
  return to(context->devices->open(name));
}

Tensor Tensor::clone() const { return apply(checked().context->ops->at("contiguous"), {*this}); }

Tensor contiguous(const Tensor& tensor) { return tensor.contiguous() ? tensor : tensor.clone(); }

void Tensor::assign(const Tensor& value) const {
  const TensorState& state = checked();
  if (state.autograd && state.autograd->node) {
    throw Error(graph::GraphError::kNotDifferentiable,
                fmt::format("[assign] the tensor was computed by {}: assign to its detach() or a leaf",
                            state.autograd->node->name()));
  }
  const NoGrad guard(context());
  Tensor source = value.to(dtype()).to(buffer()->backend());
  if (source.shape() != shape()) {
    source = apply(state.context->ops->at("expand"), {source}, {Ints(shape())});
  }
  if (!contiguous()) {
    throw Error(ComputeError::kUnsupported, "[assign] to a tensor that is not contiguous: assign to the whole buffer");
  }
  const auto memory = buffer()->memory();
  if (memory->read_only()) {
    throw Error(ComputeError::kReadOnly,
                "[assign] the tensor is mapped from a file, or a GPUBuffer without COPY_DST: assign to a clone()");
  }
  if (source.buffer() == buffer()) source = source.clone();  // a kernel may not read what it writes
  copy_elements(source, *this);
  buffer()->note_write("assign");
}

void Tensor::write(std::span<const std::byte> bytes) const {
  if (!contiguous() || bytes.size() != graph::storage_bytes(dtype(), element_count())) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[write_tensor] {} bytes do not fill a contiguous {} {}", bytes.size(),
                            graph::dtype_name(dtype()), graph::shape_text(shape())));
  }
  if (bytes.empty()) return;
  buffer()->backend()->write(*buffer()->memory(), graph::storage_bytes(dtype(), layout().offset), bytes);
  buffer()->note_write("write_tensor");
}

Tensor Tensor::detach() const { return TensorAccess::make(checked().storage, checked().context); }

Tensor& Tensor::requires_grad_(bool required) {
  checked();
  if (required && !graph::is_float(dtype())) {
    throw Error(graph::GraphError::kNotDifferentiable,
                fmt::format("[requires_grad_] only floats have gradients, and this is {}", graph::dtype_name(dtype())));
  }
  if (!is_leaf()) {
    if (required) return *this;
    throw Error(
        graph::GraphError::kNotDifferentiable,
        fmt::format("[requires_grad_] the tensor was computed by {}: use detach()", state_->autograd->node->name()));
  }
  if (required && !state_->autograd) state_->autograd = std::make_shared<Autograd>();
  if (!required) state_->autograd = nullptr;
  return *this;
}

bool Tensor::requires_grad() const { return checked().autograd != nullptr; }
bool Tensor::is_leaf() const { return checked().autograd == nullptr || checked().autograd->node == nullptr; }

Tensor Tensor::grad() const { return checked().autograd ? checked().autograd->gradient : Tensor(); }

void Tensor::set_grad(const Tensor& gradient) const {
  if (!checked().autograd || state_->autograd->node) {
    throw Error(graph::GraphError::kNotDifferentiable, "[set_grad] only a leaf that requires a gradient keeps one");
  }
  if (gradient && (gradient.dtype() != dtype() || gradient.shape() != shape())) {
    throw Error(
        ComputeError::kShapeMismatch,
        fmt::format("[set_grad] a gradient of {} {} for {} {}", graph::dtype_name(gradient.dtype()),
                    graph::shape_text(gradient.shape()), graph::dtype_name(dtype()), graph::shape_text(shape())));
  }
  state_->autograd->gradient = gradient;
}

}  // namespace alknet::compute
