#include "alknet/compute/device_cpu/walk.h"

namespace alknet::compute {

std::int64_t Walk::count() const {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

std::int64_t Walk::offset(std::size_t operand, std::int64_t index) const {
  const Shape& steps = strides[operand];
  std::int64_t sum = 0;
  for (std::size_t d = sizes.size(); d-- > 0 && index > 0;) {
    sum += index % sizes[d] * steps[d];
    index /= sizes[d];
  }
  return sum;
}

Walk make_walk(const Shape& shape, std::span<const Strided> operands) {
  // An operand's stride along dimension d of `shape`; its own dimensions are the last ones.
  const auto stride_of = [&](const Strided& operand, std::size_t d) -> std::int64_t {
    const std::size_t missing = shape.size() - operand.shape.size();
    if (d < missing || operand.shape[d - missing] == 1) return 0;
    return operand.strides[d - missing];
  };
  Walk walk;
  walk.strides.resize(operands.size());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    bool joins = !walk.sizes.empty();
    for (std::size_t k = 0; k < operands.size() && joins; ++k) {
      joins = walk.strides[k].back() == stride_of(operands[k], d) * shape[d];
    }
    if (joins)
      walk.sizes.back() *= shape[d];
    else
      walk.sizes.push_back(shape[d]);
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (joins)
        walk.strides[k].back() = stride_of(operands[k], d);
      else
        walk.strides[k].push_back(stride_of(operands[k], d));
    }
  }
  return walk;
}

}  // namespace alknet::compute
