#include "alknet/compute/device_cpu/lines.h"

namespace alknet::compute {

Lines make_lines(const Shape& shape, std::int64_t dim, std::span<const Strided> operands) {
  Lines lines;
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (rank == 0) {
    lines.walk.strides.resize(operands.size());
    lines.steps.assign(operands.size(), 0);
    return lines;
  }
  const auto axis = dim < 0 ? dim + rank : dim;
  const auto without_axis = [&](const Shape& list) {
    Shape rest = list;
    rest.erase(rest.begin() + axis);
    return rest;
  };
  std::vector<Strided> rest;
  for (const Strided& operand : operands) {
    rest.push_back({without_axis(shape), without_axis(operand.strides), 0});
    lines.steps.push_back(operand.strides[static_cast<std::size_t>(axis)]);
  }
  lines.length = shape[static_cast<std::size_t>(axis)];
  lines.walk = make_walk(without_axis(shape), rest);
  return lines;
}

}  // namespace alknet::compute
