#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/compute/context.h"
#include "alknet/compute/eager/arguments.h"
#include "alknet/compute/eager/index.h"
#include "alknet/compute/eager/tensor_methods.h"

namespace alknet::compute {

struct TensorState;

/// An array of numbers on a device: a buffer, and where in it the elements lie. A handle: copies are the same tensor.
///
/// Operations of the op table are its methods (TensorMethods, generated) and functions of eager/operations.h. Nothing
/// works in place, but `assign` and `write` change the elements of a buffer, and so of every view of it. A tensor that
/// requires a gradient records the operations on it for `backward`. Distinct tensors of distinct contexts may be used
/// by distinct threads; reading elements is thread-safe.
class Tensor : public TensorMethods {
 public:
  /// No tensor: only `operator bool` and assignment may be used.
  Tensor() = default;

  explicit operator bool() const { return state_ != nullptr; }
  Dtype dtype() const;
  const Shape& shape() const;
  /// The size of a dimension; negative ones count from the end. Throws Error `shape_mismatch`.
  std::int64_t size(std::int64_t dim) const;
  std::int64_t rank() const;
  std::int64_t element_count() const;
  const Strided& layout() const;
  const std::shared_ptr<Buffer>& buffer() const;
  bool contiguous() const;
  Context context() const;
  /// The id of the device: "cpu", "gpu:0".
  const std::string& device() const;

  /// A view by an operation of the op table: `t.view("transpose", {{"dim0", 0}, {"dim1", 1}})`.
  /// Throws Error `shape_mismatch` when the elements cannot be so arranged without a copy.
  Tensor view(std::string_view op, const JsonObject& attrs) const;

  /// A view by positions as in Python: `t[0]`, `t[{Slice(1, -1), 2}]`, `t[{kEllipsis, kNewAxis}]`. Throws Error
  /// `index_out_of_range` for an integer outside its dimension, `shape_mismatch` for too many positions.
  Tensor operator[](std::initializer_list<Index> positions) const;
  Tensor operator[](const Index& position) const { return (*this)[{position}]; }

  /// The elements in row-major order, whatever the strides. Waits for the device.
  std::vector<std::byte> read() const;

  /// The elements as `T`, which must be the dtype. Throws Error `shape_mismatch`.
  template <typename T>
  std::vector<T> to_vector() const {
    require(dtype_of<T>());
    const auto bytes = read();
    std::vector<T> values(bytes.size() / sizeof(T));
    if constexpr (std::is_same_v<T, bool>) {
      for (std::size_t i = 0; i < bytes.size(); ++i) values[i] = bytes[i] != std::byte{0};
    } else if (!bytes.empty()) {
      std::memcpy(static_cast<void*>(values.data()), bytes.data(), bytes.size());
    }
    return values;
  }

  /// The one element. Throws Error `shape_mismatch` when there are more or none.
  Scalar item() const;
  template <typename T>
  T item() const {
    const Scalar value = item();
    return value.kind == graph::DtypeClass::kFloat ? static_cast<T>(value.number) : static_cast<T>(value.integer);
  }

  /// As PyTorch prints it: 4 digits, at most 1000 elements.
  std::string to_string() const;

  /// The same elements in another dtype, on another device, or in memory of their own. Gradients pass through.
  Tensor to(Dtype dtype) const;
  Tensor to(const std::shared_ptr<Backend>& device) const;
  /// By name; needs a context that was made with Devices. Throws Error `unknown_device`.
  Tensor to(std::string_view device) const;
  Tensor to(const char* device) const { return to(std::string_view(device)); }
  Tensor clone() const;

  /// Writes `value`, broadcast and cast, over the elements: those of every tensor that shares the buffer change, and a
  /// `backward` that needs the old ones is refused. Not recorded. Throws Error `read_only` for mapped memory,
  /// `not_differentiable` for a tensor that was computed with gradients.
  void assign(const Tensor& value) const;
  /// The same from row-major bytes of this dtype; the tensor must be contiguous.
  void write(std::span<const std::byte> bytes) const;

  /// The same elements; no gradient passes.
  Tensor detach() const;
  /// Makes a leaf: `backward` adds to its gradient. Only floats have one (Error `not_differentiable`).
  Tensor& requires_grad_(bool required = true);  // NOLINT(readability-identifier-naming): PyTorch's name
  bool requires_grad() const;
  bool is_leaf() const;
  /// What `backward` added up in a leaf; empty when nothing.
  Tensor grad() const;
  void set_grad(const Tensor& gradient) const;
  void zero_grad() const { set_grad({}); }

  /// Adds to every leaf that this tensor was computed from the gradient of this tensor's sum weighted by `gradient`,
  /// which only a tensor of one element may leave out. Frees what was recorded; see `GradOptions`.
  void backward(const Tensor& gradient = {}) const;

 private:
  friend struct TensorAccess;
  explicit Tensor(std::shared_ptr<TensorState> state) : state_(std::move(state)) {}
  const TensorState& checked() const;
  void require(Dtype dtype) const;

  std::shared_ptr<TensorState> state_;
};

/// The tensor itself when it is contiguous, else a row-major copy.
Tensor contiguous(const Tensor& tensor);

template <typename T>
Tensor Context::from(std::span<const T> values, const Shape& shape, const std::string& label) const {
  return from_bytes(dtype_of<T>(), shape, std::as_bytes(values), label);
}

}  // namespace alknet::compute
