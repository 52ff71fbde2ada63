#include "alknet/compute/device_cpu/result_sink.h"

#include "alknet/compute/device_cpu/cpu_kernel.h"

namespace alknet::compute {

Epilogue::Epilogue(const Computation& computation) {
  const bool follows = !computation.program.outputs.empty();
  if (follows) program_.emplace(computation.program);
  compute_dtype_ = register_dtype(follows ? computation.program.inputs.front() : computation.outputs.front());
}

ResultSink::ResultSink(const Epilogue& epilogue, std::size_t op_inputs, const Binding& binding)
    : epilogue_(epilogue), output_(binding.outputs.front()), store_(store_function(output_.dtype)) {
  if (epilogue.program()) {
    std::vector<Operand> inputs;
    for (std::size_t i = op_inputs; i < binding.inputs.size(); ++i) inputs.push_back(binding.inputs[i].value());
    bound_.emplace(*epilogue.program(), inputs, binding.outputs, true);
  }
  in_place_ = binding.outputs.size() == 1 && output_.dtype == epilogue.compute_dtype();
}

std::byte* ResultSink::place(Slots slots, std::int64_t index) const {
  return in_place_ ? address(slots, output_) + to_size(index) * element_bytes() : nullptr;
}

void ResultSink::store(Slots slots, std::int64_t begin, std::int64_t end, const void* result,
                       std::byte* scratch) const {
  if (begin >= end) return;
  if (bound_) {
    bound_->run(slots, begin, end, result, scratch);
    return;
  }
  std::byte* target = address(slots, output_) + to_size(begin) * graph::dtype_bytes(output_.dtype);
  if (target != result) store_(result, 1, target, to_size(end - begin));
}

}  // namespace alknet::compute
