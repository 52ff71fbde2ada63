#include "alknet/compute/device_cpu/staged_launch.h"

#include <algorithm>

namespace alknet::compute {

StagedLaunch::StagedLaunch(const OperationContext& context, const Binding& binding, Dtype result)
    : resources_(context.resources),
      op_(*context.op),
      output_(binding.outputs.front()),
      sink_(context.epilogue, context.op->inputs.size(), binding),
      result_(result),
      staged_(sink_.has_program() || result != output_.dtype),
      converts_(register_dtype(result) != result),
      load_(load_function(result)) {
  ScratchLayout layout;
  tile_at_ = layout.add(kTileElements * sink_.element_bytes());
  sink_at_ = layout.add(sink_.scratch_bytes());
  scratch_bytes_ = layout.total();
  if (!staged_) return;
  resources_->scratch.reserve(scratch_bytes_);
  staging_.resize(to_size(graph::element_count(output_.layout.shape)) * graph::dtype_bytes(result));
}

void StagedLaunch::run(Slots slots) const {
  compute(slots, staged_ ? staging_.data() : address(slots, output_));
  if (staged_) hand_over(slots);
}

void StagedLaunch::hand_over(Slots slots) const {
  const std::size_t bytes = graph::dtype_bytes(result_);
  const std::size_t count = staging_.size() / bytes;
  const std::size_t tiles = (count + kTileElements - 1) / kTileElements;
  resources_->pool.parallel_for(tiles, grain_of(kTileElements), [&](std::size_t first, std::size_t last) {
    const auto scratch = resources_->scratch.lease(scratch_bytes_);
    for (std::size_t tile = first; tile < last; ++tile) {
      const std::size_t begin = tile * kTileElements, end = std::min(begin + kTileElements, count);
      const void* result = staging_.data() + begin * bytes;
      if (converts_) {
        load_(result, 1, scratch.data() + tile_at_, end - begin);
        result = scratch.data() + tile_at_;
      }
      sink_.store(slots, to_signed(begin), to_signed(end), result, scratch.data() + sink_at_);
    }
  });
}

}  // namespace alknet::compute
