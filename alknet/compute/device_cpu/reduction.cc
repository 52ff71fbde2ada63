#include <algorithm>
#include <bit>
#include <cstring>

#include "alknet/compute/device_cpu/operation_kernel.h"

namespace alknet::compute {
namespace {

constexpr std::size_t kAccumulatorBytes = 8;  // at most
constexpr std::int64_t kFoldBlock = 1024;     // elements that one fold takes
constexpr std::int64_t kColumnBlock = 16;     // positions folded in sequence in each column
constexpr std::int64_t kColumnTile = 512;
// Long reductions into few results are cut into segments of this size, whatever the number of threads, so that results
// do not depend on it.
constexpr std::int64_t kRowSegment = 65536;
constexpr std::int64_t kColumnSegment = 4096;
constexpr std::int64_t kFewResults = 64;

/// The kept and the reduced dimensions of the input.
struct Split {
  Walk kept, reduced;
};

Split split_dimensions(const Strided& layout, const JsonObject& attrs) {
  std::vector<bool> is_reduced(layout.shape.size(), true);
  if (const Json& dims = attrs.at("dim"); dims.is_array() && !dims.get_array().empty()) {
    is_reduced.assign(layout.shape.size(), false);
    for (const Json& dim : dims.get_array()) {
      const auto d = dim.to_number<std::int64_t>();
      is_reduced[to_size(d < 0 ? d + to_signed(layout.shape.size()) : d)] = true;
    }
  }
  Strided parts[2];
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    parts[is_reduced[d]].shape.push_back(layout.shape[d]);
    parts[is_reduced[d]].strides.push_back(layout.strides[d]);
  }
  return {make_walk(parts[0].shape, std::span(&parts[0], 1)), make_walk(parts[1].shape, std::span(&parts[1], 1))};
}

/// Adds up partial results as a balanced tree while they come: like a binary counter, level i holds 2^i of them.
class PairwiseStack {
 public:
  /// Each entry has `width` accumulators; `memory` has room for `depth(pushes)` of them.
  PairwiseStack(const ReductionKernel& kernel, std::byte* memory, std::size_t width)
      : kernel_(kernel), memory_(memory), width_(width) {}

  static std::size_t depth(std::int64_t pushes) { return std::bit_width(to_size(pushes)) + 1; }

  /// Where the next partial result is to be written.
  std::byte* top() { return at(height_); }
  void push() {
    ++height_;
    for (std::size_t bits = pushes_++; bits & 1; bits >>= 1) merge_top();
  }
  /// The sum of all that was pushed, at least one.
  std::byte* finish() {
    while (height_ > 1) merge_top();
    return memory_;
  }

 private:
  std::byte* at(std::size_t level) { return memory_ + level * width_ * kAccumulatorBytes; }
  void merge_top() {
    --height_;
    kernel_.merge(at(height_), at(height_ - 1), width_);
  }

  const ReductionKernel& kernel_;
  std::byte* memory_;
  std::size_t width_;
  std::size_t height_ = 0, pushes_ = 0;
};

class ReductionLaunch final : public CpuLaunch {
 public:
  ReductionLaunch(std::shared_ptr<CpuResources> resources, const ReductionKernel& kernel, const Epilogue& epilogue,
                  const Binding& binding)
      : resources_(std::move(resources)),
        kernel_(kernel),
        input_(binding.inputs.front().value()),
        sink_(epilogue, 1, binding),
        split_(split_dimensions(input_.layout, binding.attrs)),
        load_(load_function(input_.dtype)),
        widen_(register_dtype(input_.dtype) == register_dtype(kernel.accumulator)
                   ? nullptr
                   : cast_function(input_.dtype, kernel.accumulator)),
        storage_bytes_(graph::dtype_bytes(input_.dtype)),
        accumulator_bytes_(graph::dtype_bytes(register_dtype(kernel.accumulator))),
        converts_(register_dtype(input_.dtype) != input_.dtype || widen_ != nullptr),
        results_(split_.kept.count()),
        length_(split_.reduced.count()) {
    by_columns_ = length_ > 1 && split_.reduced.inner_stride(0) != 1 && split_.kept.inner_stride(0) == 1 &&
                  split_.kept.inner() >= 8;
    const std::int64_t segment = by_columns_ ? kColumnSegment : kRowSegment;
    const std::int64_t few = by_columns_ ? kFewResults * kColumnTile : kFewResults;
    segment_ = length_ > segment && results_ < few ? segment : std::max<std::int64_t>(length_, 1);
    segments_ = std::max<std::int64_t>((length_ + segment_ - 1) / segment_, 1);
    if (by_columns_) {
      group_ = std::min(kColumnTile, split_.kept.inner());
      groups_ = results_ / split_.kept.inner() * ((split_.kept.inner() + group_ - 1) / group_);
    } else {
      group_ = std::clamp<std::int64_t>(to_signed(kGrain) / 2 / std::max<std::int64_t>(length_, 1), 1, kColumnTile);
      groups_ = (results_ + group_ - 1) / group_;
    }
    const std::int64_t blocks = by_columns_ ? segment_ / kColumnBlock + 1 : segment_ / kFoldBlock + 1;
    ScratchLayout layout;
    accumulators_at_ = layout.add(kTileElements * kAccumulatorBytes);
    result_at_ = layout.add(kTileElements * kAccumulatorBytes);
    tile_at_ = layout.add(kTileElements * kAccumulatorBytes);
    narrow_at_ = layout.add(widen_ ? kTileElements * kAccumulatorBytes : 0);
    stack_at_ = layout.add(PairwiseStack::depth(blocks) * (by_columns_ ? to_size(group_) : 1) * kAccumulatorBytes);
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
    if (segments_ > 1) partial_.resize(to_size(segments_ * results_) * accumulator_bytes_);
  }

  void run(Slots slots) const override {
    const std::size_t cost = to_size(group_) * to_size(std::max<std::int64_t>(std::min(segment_, length_), 1));
    resources_->pool.parallel_for(
        to_size(groups_ * segments_), grain_of(cost), [&](std::size_t begin, std::size_t end) {
          const auto scratch = resources_->scratch.lease(scratch_bytes_);
          for (std::size_t unit = begin; unit < end; ++unit) {
            const auto [first, count] = group(to_signed(unit) % groups_);
            const std::int64_t segment = to_signed(unit) / groups_;
            std::byte* accumulators = segments_ > 1 ? partial(segment, first) : scratch.data() + accumulators_at_;
            reduce(slots, first, count, segment, accumulators, scratch.data());
            if (segments_ == 1) finish(slots, first, count, accumulators, scratch.data());
          }
        });
    if (segments_ > 1) join_segments(slots);
  }

 private:
  struct Group {
    std::int64_t first, count;
  };
  Group group(std::int64_t index) const {
    if (!by_columns_) return {index * group_, std::min(group_, results_ - index * group_)};
    const std::int64_t inner = split_.kept.inner();
    const std::int64_t per_row = (inner + group_ - 1) / group_;
    const std::int64_t column = index % per_row * group_;
    return {index / per_row * inner + column, std::min(group_, inner - column)};
  }

  std::byte* partial(std::int64_t segment, std::int64_t result) const {
    return partial_.data() + to_size(segment * results_ + result) * accumulator_bytes_;
  }

  const std::byte* element(Slots slots, std::int64_t offset) const {
    return address(slots, input_.slot, input_.layout.offset + offset, storage_bytes_);
  }

  /// Elements as the accumulator's dtype.
  void load(const void* from, std::int64_t stride, void* to, std::size_t count, std::byte* scratch) const {
    if (!widen_) return load_(from, stride, to, count);
    load_(from, stride, scratch + narrow_at_, count);
    widen_(scratch + narrow_at_, 1, to, count);
  }

  void reduce(Slots slots, std::int64_t first, std::int64_t count, std::int64_t segment, std::byte* accumulators,
              std::byte* scratch) const {
    const std::int64_t begin = segment * segment_;
    const std::int64_t end = std::min(begin + segment_, length_);
    if (begin >= end) {
      kernel_.clear(accumulators, to_size(count));
    } else if (by_columns_) {
      reduce_columns(slots, first, to_size(count), begin, end, accumulators, scratch);
    } else {
      for (std::int64_t k = 0; k < count; ++k) {
        reduce_row(slots, split_.kept.offset(0, first + k), begin, end, accumulators + to_size(k) * accumulator_bytes_,
                   scratch);
      }
    }
  }

  void reduce_row(Slots slots, std::int64_t origin, std::int64_t begin, std::int64_t end, std::byte* accumulator,
                  std::byte* scratch) const {
    const Walk& walk = split_.reduced;
    const std::int64_t inner = walk.inner();
    const bool contiguous = walk.inner_stride(0) == 1 && !converts_;
    PairwiseStack stack(kernel_, scratch + stack_at_, 1);
    for (std::int64_t at = begin; at < end;) {
      const std::int64_t count = std::min(kFoldBlock, end - at);
      const void* block;
      if (contiguous && at % inner + count <= inner) {
        block = element(slots, origin + walk.offset(0, at));
      } else {
        std::byte* to = scratch + tile_at_;
        block = to;
        for_each_run(walk, 0, at, at + count, [&](std::int64_t offset, std::int64_t length) {
          load(element(slots, origin + offset), walk.inner_stride(0), to, to_size(length), scratch);
          to += to_size(length) * accumulator_bytes_;
        });
      }
      kernel_.fold(block, to_size(count), stack.top());
      stack.push();
      at += count;
    }
    std::memcpy(accumulator, stack.finish(), accumulator_bytes_);
  }

  void reduce_columns(Slots slots, std::int64_t first, std::size_t count, std::int64_t begin, std::int64_t end,
                      std::byte* accumulators, std::byte* scratch) const {
    const std::int64_t origin = split_.kept.offset(0, first);
    PairwiseStack stack(kernel_, scratch + stack_at_, count);
    for (std::int64_t at = begin; at < end; at += kColumnBlock) {
      kernel_.clear(stack.top(), count);
      for (std::int64_t r = at; r < std::min(at + kColumnBlock, end); ++r) {
        const void* row = element(slots, origin + split_.reduced.offset(0, r));
        if (converts_) {
          load(row, 1, scratch + tile_at_, count, scratch);
          row = scratch + tile_at_;
        }
        kernel_.fold_columns(row, stack.top(), count);
      }
      stack.push();
    }
    std::memcpy(accumulators, stack.finish(), count * accumulator_bytes_);
  }

  void finish(Slots slots, std::int64_t first, std::int64_t count, const std::byte* accumulators,
              std::byte* scratch) const {
    // Whole vectors: the tile after the last accumulator is zero.
    std::byte* tile = scratch + accumulators_at_;
    const std::size_t padded = (to_size(count) + kTileMultiple - 1) / kTileMultiple * kTileMultiple;
    if (accumulators != tile) std::memcpy(tile, accumulators, to_size(count) * accumulator_bytes_);
    std::memset(tile + to_size(count) * accumulator_bytes_, 0, (padded - to_size(count)) * accumulator_bytes_);
    TileParameters parameters;
    parameters.number[0] = static_cast<double>(length_);
    parameters.integer[0] = length_;
    const void* from = tile;
    void* result = scratch + result_at_;
    kernel_.finish(&from, &result, padded, parameters);
    sink_.store(slots, first, first + count, result, scratch + sink_at_);
  }

  void join_segments(Slots slots) const {
    const auto scratch = resources_->scratch.lease(scratch_bytes_);
    for (std::int64_t step = 1; step < segments_; step *= 2) {
      for (std::int64_t s = 0; s + step < segments_; s += 2 * step) {
        kernel_.merge(partial(s + step, 0), partial(s, 0), to_size(results_));
      }
    }
    for (std::int64_t g = 0; g < groups_; ++g) {
      const auto [first, count] = group(g);
      finish(slots, first, count, partial(0, first), scratch.data());
    }
  }

  std::shared_ptr<CpuResources> resources_;
  const ReductionKernel& kernel_;
  Operand input_;
  ResultSink sink_;
  Split split_;
  ConvertFunction load_, widen_;  // to registers; from those to the accumulator's dtype, null where they are it
  std::size_t storage_bytes_, accumulator_bytes_;
  bool converts_;
  bool by_columns_;
  std::int64_t results_, length_;    // how many results; elements reduced to each
  std::int64_t segment_, segments_;  // elements of a segment; how many
  std::int64_t group_, groups_;      // results that a unit of work computes; how many groups
  std::size_t accumulators_at_, result_at_, tile_at_, narrow_at_, stack_at_, sink_at_, scratch_bytes_;
  mutable std::vector<std::byte> partial_;  // [segments][results]; a launch is used by one run at a time
};

}  // namespace

std::unique_ptr<Launch> bind_reduction(const OperationContext& context, const Binding& binding) {
  const auto* kernel = find_reduction_kernel(*context.op, binding.inputs.front()->dtype);
  return std::make_unique<ReductionLaunch>(context.resources, *kernel, context.epilogue, binding);
}

}  // namespace alknet::compute
