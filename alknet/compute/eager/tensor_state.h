#pragma once

#include <cstdint>
#include <memory>

#include "alknet/compute/buffer.h"
#include "alknet/compute/eager/layout.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

struct ContextState;
class GradNode;

/// What a gradient needs to know of a tensor: where it came from, or, of a leaf, what it gained.
struct Autograd {
  std::shared_ptr<GradNode> node;  ///< Null for a leaf.
  std::uint32_t output = 0;        ///< Of `node`.
  Tensor gradient;                 ///< Of a leaf: the sum of what `backward` found.
};

/// Elements on a device, without a context: what caches may keep.
struct Storage {
  std::shared_ptr<Buffer> buffer;
  std::shared_ptr<const Layout> layout;
  Dtype dtype = Dtype::kF32;
};

/// What a Tensor points at. Copies of a Tensor share it.
struct TensorState {
  Storage storage;
  std::shared_ptr<ContextState> context;
  std::shared_ptr<Autograd> autograd;  ///< Null when no gradient passes.
};

/// Entry for the parts of the eager API behind Tensor.
struct TensorAccess {
  static const std::shared_ptr<TensorState>& state(const Tensor& tensor) { return tensor.state_; }
  static Tensor make(Storage storage, std::shared_ptr<ContextState> context, std::shared_ptr<Autograd> autograd = {}) {
    return Tensor(
        std::make_shared<TensorState>(TensorState{std::move(storage), std::move(context), std::move(autograd)}));
  }
};

/// Copies elements between tensors of one dtype and shape on one device; `to` is contiguous and has its own memory.
void copy_elements(const Tensor& from, const Tensor& to);

}  // namespace alknet::compute
