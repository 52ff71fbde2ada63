#include "alknet/compute/device_gpu/bind_quantized.h"

#include <algorithm>

namespace alknet::compute {

void bind_quantized_matmul_parameters(const Binding& binding, ParameterBlock& block) {
  const Strided& input = binding.inputs[0]->layout;
  const Shape& weight = binding.inputs[1]->layout.shape;
  const Shape leading(input.shape.begin(), input.shape.end() - 1);
  const Shape strides(input.strides.begin(), input.strides.end() - 1);
  const auto whole = [](std::int64_t number) { return number % 4 == 0; };
  const bool vectors =
      input.strides.back() == 1 && whole(input.offset) && std::all_of(strides.begin(), strides.end(), whole);
  block.set("rows", graph::element_count(leading));
  block.set("columns", weight[0]);
  block.set("inner", weight[1]);
  block.set("a_column", static_cast<std::uint32_t>(input.strides.back()));
  block.set("a_mode", vectors ? 1 : 0);
  block.set_map("row", {leading, {strides}});
}

void bind_quantized_rows_parameters(const Binding& binding, ParameterBlock& block) {
  const Operand& weight = *binding.inputs[0];
  const Strided& indices = binding.inputs[1]->layout;
  block.set("entries", weight.layout.shape[0]);
  block.set("row_blocks", weight.layout.shape[1] / graph::block_values(weight.dtype));
  block.set_map("index", {indices.shape, {indices.strides}});
}

}  // namespace alknet::compute
