#include "alknet/compute/device_cpu/result_sink.h"

#include "alknet/compute/device_cpu/cpu_kernel.h"

namespace alknet::compute {

Epilogue::Epilogue(const Computation& computation) {
  const bool follows = !computation.program.outputs.empty();
  if (follows) program_.emplace(computation.program);
  result_dtype_ = follows ? computation.program.inputs.front() : computation.outputs.front();
  compute_dtype_ = register_dtype(result_dtype_);
}

ResultSink::ResultSink(const Epilogue& epilogue, std::size_t op_inputs, const Binding& binding)
    : epilogue_(epilogue), output_(binding.outputs.front()), store_(store_function(output_.dtype)) {
  if (epilogue.program()) {
    std::vector<Operand> inputs;
    for (std::size_t i = op_inputs; i < binding.inputs.size(); ++i) inputs.push_back(binding.inputs[i].value());
    bound_.emplace(*epilogue.program(), inputs, binding.outputs, true);
  }
  walk_ = make_walk(output_.layout.shape, std::span(&output_.layout, 1));
  contiguous_ = graph::is_contiguous(output_.layout);
  in_place_ = contiguous_ && binding.outputs.size() == 1 && output_.dtype == epilogue.compute_dtype();
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
  const auto bytes = to_signed(graph::dtype_bytes(output_.dtype));
  std::byte* const target = address(slots, output_);
  if (contiguous_) {
    if (target + begin * bytes != result) store_(result, 1, target + begin * bytes, to_size(end - begin));
    return;
  }
  const auto* from = static_cast<const std::byte*>(result);
  const std::int64_t stride = walk_.inner_stride(0);
  for_each_run(walk_, 0, begin, end, [&](std::int64_t offset, std::int64_t length) {
    const std::int64_t part = stride == 1 ? length : 1;  // stores go to consecutive places
    for (std::int64_t done = 0; done < length; done += part) {
      store_(from, 1, target + (offset + done * stride) * bytes, to_size(part));
      from += to_size(part) * element_bytes();
    }
  });
}

}  // namespace alknet::compute
