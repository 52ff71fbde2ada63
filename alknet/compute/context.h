#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alknet/compute/buffer.h"
#include "alknet/compute/element_type.h"

namespace alknet::compute {

class Devices;
class KernelTimes;
class Tensor;
struct ContextState;

/// Where tensors are made and what operations on them share: a default device, the manager of its memory, random
/// numbers, whether gradients are recorded. A handle: copies are the same context. Used by one thread at a time.
///
/// Operations take their context from their operands; tensors of two contexts do not go together (Error
/// `context_mismatch`).
class Context {
 public:
  /// `devices` lets `Tensor::to` find others by name; it may be null.
  Context(std::shared_ptr<BufferManager> buffers, std::shared_ptr<Backend> backend,
          std::shared_ptr<Devices> devices = nullptr);

  /// A context of its own on a device by name (see Devices::open), with a manager of its own.
  explicit Context(std::string_view device = "");

  const std::shared_ptr<Backend>& backend() const;
  const std::shared_ptr<BufferManager>& buffers() const;

  /// Uninitialised elements. Throws Error `unsupported` when the device lacks the dtype.
  Tensor empty(Dtype dtype, Shape shape, std::string label = "tensor") const;

  /// A copy of row-major `bytes` on the device. Throws Error `shape_mismatch` when their number is not the shape's.
  Tensor from_bytes(Dtype dtype, Shape shape, std::span<const std::byte> bytes, std::string label = "tensor") const;

  template <typename T>
  Tensor from(std::span<const T> values, const Shape& shape, const std::string& label = "tensor") const;

  /// Existing row-major bytes: not copied on the CPU, where they stay read-only; uploaded elsewhere.
  Tensor wrap(Dtype dtype, Shape shape, SharedBytes bytes, std::string label = "tensor") const;

  /// A row-major copy, or the tensor itself when it is contiguous. No gradient passes.
  Tensor contiguous(const Tensor& tensor) const;

  /// Adds an element-wise operation to those of this context, which it then runs, differentiates and fuses as its own:
  /// `apply("wobble", inputs)`. See graph::expression_entry. Throws Error `op_table_invalid`.
  const OpSpec& register_operation(const Json& entry) const;

  /// The operations of this context: the built-in ones and those registered.
  const graph::OpTable& operations() const;

  /// Starts the random numbers anew from a seed. They are those of Philox4x32-10 with stream 0 and a step that rises
  /// with each call that draws some, the same on every device.
  void manual_seed(std::uint64_t seed) const;

  /// From now on adds the time of every kernel of this context's operations, and of sessions that open on its stores,
  /// to `times`; null ends it.
  void measure(std::shared_ptr<KernelTimes> times) const;

  /// Whether operations are recorded for `backward`; see NoGrad.
  bool grad_enabled() const;

  /// The same context, not one of equal parts.
  friend bool operator==(const Context& a, const Context& b) { return a.state_ == b.state_; }

 private:
  friend struct ContextAccess;
  explicit Context(std::shared_ptr<ContextState> state) : state_(std::move(state)) {}
  std::shared_ptr<ContextState> state_;
};

/// While it lives, operations of the context are not recorded: their results need no gradient.
class NoGrad {
 public:
  explicit NoGrad(const Context& context);
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  std::shared_ptr<ContextState> state_;
};

/// Entry for the parts of the eager API behind Context.
struct ContextAccess {
  static const std::shared_ptr<ContextState>& state(const Context& context) { return context.state_; }
  static Context make(std::shared_ptr<ContextState> state) { return Context(std::move(state)); }
};

}  // namespace alknet::compute
