#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "alknet/compute/buffer.h"

namespace alknet::compute {

/// The dtype of a C++ element type.
template <typename T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::kF32;
  if constexpr (std::is_same_v<T, double>) return Dtype::kF64;
  if constexpr (std::is_same_v<T, std::int8_t>) return Dtype::kI8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::kU8;
  if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::kI32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Dtype::kU32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::kI64;
  if constexpr (std::is_same_v<T, bool>) return Dtype::kBool;
}

/// An array of numbers on a device: a buffer, and where in it the elements lie. A value type: copies share the buffer.
///
/// Views (`view`) share it too. Nothing works in place. Distinct objects may be used by distinct threads.
class Tensor {
 public:
  Tensor() = default;

  /// A tensor over `buffer`; `layout` must lie inside it. Throws Error `shape_mismatch`.
  Tensor(std::shared_ptr<Buffer> buffer, Dtype dtype, Strided layout);

  explicit operator bool() const { return buffer_ != nullptr; }
  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return layout_.shape; }
  const Strided& layout() const { return layout_; }
  const std::shared_ptr<Buffer>& buffer() const { return buffer_; }
  bool contiguous() const { return graph::is_contiguous(layout_); }
  std::int64_t element_count() const { return graph::element_count(layout_.shape); }

  /// A view by an operation of the op table: `t.view("transpose", {{"dim0", 0}, {"dim1", 1}})`.
  /// Throws Error `shape_mismatch` when the elements cannot be so arranged without a copy.
  Tensor view(std::string_view op, const JsonObject& attrs) const;

  /// The elements in row-major order, whatever the strides. Waits for the device.
  std::vector<std::byte> read() const;

  /// The elements as `T`, which must be the dtype. Throws Error `shape_mismatch`.
  template <typename T>
  std::vector<T> to_vector() const {
    require(dtype_of<T>());
    const auto bytes = read();
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

 private:
  void require(Dtype dtype) const;

  std::shared_ptr<Buffer> buffer_;
  Dtype dtype_ = Dtype::kF32;
  Strided layout_;
};

/// Where tensors are made: a device and the manager of its memory. Used by one thread at a time; what it makes may be
/// used by any.
class Context {
 public:
  Context(std::shared_ptr<BufferManager> buffers, std::shared_ptr<Backend> backend);

  const std::shared_ptr<Backend>& backend() const { return backend_; }
  const std::shared_ptr<BufferManager>& buffers() const { return buffers_; }

  /// Uninitialised elements. Throws Error `unsupported` when the device lacks the dtype.
  Tensor empty(Dtype dtype, Shape shape, std::string label = "tensor") const;

  /// A copy of row-major `bytes` on the device. Throws Error `shape_mismatch` when their number is not the shape's.
  Tensor from_bytes(Dtype dtype, Shape shape, std::span<const std::byte> bytes, std::string label = "tensor") const;

  template <typename T>
  Tensor from(std::span<const T> values, const Shape& shape, const std::string& label = "tensor") const {
    return from_bytes(dtype_of<T>(), shape, std::as_bytes(values), label);
  }

  /// Existing row-major bytes: not copied on the CPU, where they stay read-only; uploaded elsewhere.
  Tensor wrap(Dtype dtype, Shape shape, SharedBytes bytes, std::string label = "tensor") const;

  /// A row-major copy, or the tensor itself when it is contiguous.
  Tensor contiguous(const Tensor& tensor) const;

 private:
  std::shared_ptr<BufferManager> buffers_;
  std::shared_ptr<Backend> backend_;
};

}  // namespace alknet::compute
