#include <algorithm>

#include "alknet/compute/device_cpu/convolution_layout.h"
#include "alknet/compute/device_cpu/gemm_kernels.h"
#include "alknet/compute/device_cpu/operation_kernel.h"

// A convolution, or its gradient by the input, as a matrix product: weights times a matrix whose columns are places of
// the result and whose rows are channels and taps. That matrix is never whole: blocks of it are gathered straight into
// the panels that the product's innermost loops read.

namespace alknet::compute {
namespace {

/// Multiplications that are worth a thread of their own, and sizes of a gathered block.
constexpr std::int64_t kWorthwhileProducts = 1 << 17;
constexpr std::int64_t kGatherDepth = 384;
constexpr std::int64_t kGatherColumns = 512;
/// Places that a unit of work has when images are small: fewer waste the packed weights.
constexpr std::int64_t kUnitColumns = 256;
constexpr std::int64_t kUnitsPerThread = 4;

/// One remainder of places by the stride, in all dimensions.
struct GatherPhase {
  std::array<const GatherDim*, 3> dims;
  std::vector<std::int64_t> sources, kernels;  ///< Per tap: offset in a padded plane, place in the kernel.
  std::int64_t positions() const { return dims[0]->count * dims[1]->count * dims[2]->count; }
  std::int64_t taps() const { return static_cast<std::int64_t>(sources.size()); }
};

/// Columns of a block that lie side by side: `length` places of one row of the result.
struct GatherRun {
  std::int64_t column, source, target, length;
};

/// What of the result a unit of work computes.
struct GatherUnit {
  std::int64_t image, images, channel, channels;
};

template <typename T>
class ConvolutionLaunch final : public CpuLaunch {
 public:
  ConvolutionLaunch(const OperationContext& context, const Binding& binding, bool backward)
      : resources_(context.resources),
        source_operand_(binding.inputs[0].value()),
        weight_(binding.inputs[1].value()),
        sink_(context.epilogue, context.op->inputs.size(), binding),
        backward_(backward) {
    if (context.op->inputs.size() > 2) bias_ = binding.inputs[2];
    const Shape& result = binding.outputs.front().layout.shape;
    const Shape& source = source_operand_.layout.shape;
    const auto sizes = graph::convolution_sizes(binding.attrs, backward ? result : source, weight_.layout.shape,
                                                backward ? source : result);
    batch_ = sizes.batch;
    groups_ = sizes.groups;
    channels_ = backward ? sizes.input_channels : sizes.output_channels;
    source_channels_ = (backward ? sizes.output_channels : sizes.input_channels) / groups_;
    for (std::size_t d = 0; d < sizes.dims.size(); ++d) kernel_ *= sizes.dims[d].kernel;
    plan_dims(sizes);
    plan_units();
    plan_scratch();
  }

  void run(Slots slots) const override {
    if (batch_ == 0 || channels_ == 0 || plane_ == 0) return;
    const std::int64_t units = image_blocks_ * channel_blocks_;
    const std::int64_t products = images_ * plane_ * block_channels_ * source_channels_ * kernel_;
    const std::int64_t grain = std::max(kWorthwhileProducts / std::max<std::int64_t>(products, 1),
                                        units / (kUnitsPerThread * to_signed(resources_->pool.threads())));
    resources_->pool.parallel_for(to_size(units), to_size(std::max<std::int64_t>(grain, 1)),
                                  [&](std::size_t begin, std::size_t end) {
                                    const auto scratch = resources_->scratch.lease(scratch_bytes_);
                                    run_units(slots, to_signed(begin), to_signed(end), scratch.data());
                                  });
  }

 private:
  void plan_dims(const graph::ConvolutionSizes& sizes) {
    const std::size_t missing = 3 - sizes.dims.size();
    std::array<GatherBorder, 3> borders;
    std::array<std::int64_t, 3> kernels = {1, 1, 1};
    for (std::size_t d = 0; d < 3; ++d) {
      const graph::WindowDim dim = d < missing ? graph::WindowDim{} : sizes.dims[d - missing];
      kernels[d] = dim.kernel;
      result_[d] = backward_ ? dim.input : dim.output;
      plane_ *= result_[d];
      dims_[d] = gather_dims(dim, backward_);
      borders[d] = gather_border(dims_[d], backward_ ? dim.output : dim.input);
    }
    source_ = PaddedImages<T>(source_operand_, sizes.dims.size(), borders);
    for (const GatherDim& z : dims_[0]) {
      for (const GatherDim& y : dims_[1]) {
        for (const GatherDim& x : dims_[2]) add_phase({&z, &y, &x}, borders, kernels);
      }
    }
  }

  void add_phase(const std::array<const GatherDim*, 3>& dims, const std::array<GatherBorder, 3>& borders,
                 const std::array<std::int64_t, 3>& kernels) {
    GatherPhase phase{dims, {}, {}};
    for (const auto& z : dims[0]->taps) {
      for (const auto& y : dims[1]->taps) {
        for (const auto& x : dims[2]->taps) {
          phase.sources.push_back((z.offset + borders[0].before) * source_.slice() +
                                  (y.offset + borders[1].before) * source_.row() + x.offset + borders[2].before);
          phase.kernels.push_back((z.kernel * kernels[1] + y.kernel) * kernels[2] + x.kernel);
        }
      }
    }
    max_positions_ = std::max(max_positions_, phase.positions());
    phases_.push_back(std::move(phase));
  }

  /// Images together while they are small; channels apart where there are too few images for the threads.
  void plan_units() {
    const auto threads = to_signed(resources_->pool.threads());
    const std::int64_t enough = threads == 1 ? 1 : 2 * threads;
    const std::int64_t spread = std::max<std::int64_t>(1, batch_ / enough);
    images_ = std::clamp<std::int64_t>(kUnitColumns / std::max<std::int64_t>(max_positions_, 1), 1, spread);
    image_blocks_ = (batch_ + images_ - 1) / images_;
    const std::int64_t products = batch_ * plane_ * channels_ * source_channels_ * kernel_;
    const std::int64_t wanted = std::min(enough, products / kWorthwhileProducts);
    const auto tile = static_cast<std::int64_t>(kernels_.tile_rows);
    if (threads > 1 && image_blocks_ < wanted) {
      channel_blocks_ = std::min(std::max<std::int64_t>(1, channels_ / tile),
                                 (wanted + image_blocks_ - 1) / std::max<std::int64_t>(image_blocks_, 1));
    }
    block_channels_ = (channels_ + channel_blocks_ - 1) / channel_blocks_;
    channel_blocks_ = block_channels_ == 0 ? 1 : (channels_ + block_channels_ - 1) / block_channels_;
  }

  void plan_scratch() {
    const auto tile_columns = static_cast<std::int64_t>(kernels_.tile_columns);
    const std::int64_t columns =
        std::min(kGatherColumns, (images_ * max_positions_ + tile_columns - 1) / tile_columns * tile_columns);
    std::int64_t depth = 0, packed = 0;
    for (const GatherPhase& phase : phases_) {
      depth = std::max(depth, phase.taps() * source_channels_);
      packed += phase.taps() * source_channels_ * block_channels_;
    }
    ScratchLayout layout;
    const auto add = [&](std::int64_t count) { return layout.add(to_size(count) * sizeof(T) + kCopySlack); };
    source_at_ = layout.add(source_.bytes(images_, groups_ * source_channels_));
    weight_at_ = add(graph::element_count(weight_.layout.shape));
    bias_at_ = add(channels_);
    packed_at_ = add(packed);
    panels_at_ = add(std::min(depth, kGatherDepth) * columns);
    sums_at_ = add(std::min(block_channels_, channels_ / groups_) * columns);
    result_at_ = add(images_ * block_channels_ * plane_);
    runs_at_ = layout.add(to_size(columns) * sizeof(GatherRun));
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run_units(Slots slots, std::int64_t begin, std::int64_t end, std::byte* scratch) const {
    T* source = part(scratch, source_at_);
    source_.clear(source, images_, groups_ * source_channels_);
    const T* weight = dense_elements(slots, weight_, part(scratch, weight_at_));
    const T* bias = bias_ ? dense_elements(slots, *bias_, part(scratch, bias_at_)) : nullptr;
    std::int64_t packed = -1;
    for (std::int64_t index = begin; index < end; ++index) {
      const std::int64_t block = index / image_blocks_;
      GatherUnit unit;
      unit.image = index % image_blocks_ * images_;
      unit.images = std::min(images_, batch_ - unit.image);
      unit.channel = block * block_channels_;
      unit.channels = std::min(block_channels_, channels_ - unit.channel);
      if (packed != block) pack_weights(unit, weight, part(scratch, packed_at_));
      packed = block;
      source_.fill(slots, unit.image, unit.images, 0, groups_ * source_channels_, source);
      run_unit(slots, unit, bias, scratch);
    }
  }

  T* part(std::byte* scratch, std::size_t at) const { return reinterpret_cast<T*>(scratch + at); }

  /// Calls `use(group, first, count)` for the channels of a unit in each group; `first` counts within the group.
  template <typename Use>
  void for_each_group(const GatherUnit& unit, Use&& use) const {
    const std::int64_t rows = channels_ / groups_;
    for (std::int64_t group = unit.channel / rows; group * rows < unit.channel + unit.channels; ++group) {
      const std::int64_t first = std::max(unit.channel, group * rows) - group * rows;
      use(group, first, std::min(unit.channel + unit.channels, (group + 1) * rows) - group * rows - first);
    }
  }

  /// Rows in as many panels as needed, about equally many in each: use(first, count).
  template <typename Use>
  void for_each_panel(std::int64_t rows, Use&& use) const {
    const auto tile = static_cast<std::int64_t>(kernels_.tile_rows);
    const std::int64_t panels = (rows + tile - 1) / tile;
    for (std::int64_t p = 0; p < panels; ++p) use(p * rows / panels, (p + 1) * rows / panels - p * rows / panels);
  }

  /// Weights in the order in which run_unit reads them: by phase, group, block of depth and panel of rows.
  void pack_weights(const GatherUnit& unit, const T* weight, T* to) const {
    const std::int64_t rows = channels_ / groups_;
    const std::int64_t row_stride = backward_ ? kernel_ : source_channels_ * kernel_;
    const std::int64_t depth_stride = backward_ ? rows * kernel_ : kernel_;
    for (const GatherPhase& phase : phases_) {
      const std::int64_t taps = phase.taps(), depth = taps * source_channels_;
      for_each_group(unit, [&](std::int64_t group, std::int64_t first, std::int64_t count) {
        const T* from = weight + group * rows * source_channels_ * kernel_ + first * row_stride;
        for (std::int64_t k = 0; k < depth; k += kGatherDepth) {
          const std::int64_t last = std::min(depth, k + kGatherDepth);
          for_each_panel(count, [&](std::int64_t row, std::int64_t height) {
            for (std::int64_t q = k; q < last; ++q) {
              const T* element = from + row * row_stride + q / taps * depth_stride + phase.kernels[to_size(q % taps)];
              for (std::int64_t r = 0; r < height; ++r) *to++ = element[r * row_stride];
            }
          });
        }
      });
    }
  }

  void run_unit(Slots slots, const GatherUnit& unit, const T* bias, std::byte* scratch) const {
    T* result = reinterpret_cast<T*>(sink_.place(slots, (unit.image * channels_ + unit.channel) * plane_));
    const std::int64_t image_stride = (result ? channels_ : unit.channels) * plane_;
    if (!result) result = part(scratch, result_at_);
    const T* weights = part(scratch, packed_at_);
    for (const GatherPhase& phase : phases_) {
      const std::int64_t depth = phase.taps() * source_channels_, columns = unit.images * phase.positions();
      for_each_group(unit, [&](std::int64_t group, std::int64_t first, std::int64_t count) {
        const std::int64_t channel = group * (channels_ / groups_) + first;
        T* to = result + (channel - unit.channel) * plane_;
        for (std::int64_t column = 0; column < columns; column += kGatherColumns) {
          const std::int64_t width = std::min(kGatherColumns, columns - column);
          auto* runs = reinterpret_cast<GatherRun*>(scratch + runs_at_);
          const std::int64_t run_count = find_runs(phase, column, width, image_stride, runs);
          multiply(phase, group, count, width, std::span(runs, to_size(run_count)), weights, scratch);
          scatter(phase, count, width, std::span(runs, to_size(run_count)), bias ? bias + channel : nullptr,
                  part(scratch, sums_at_), to);
        }
        weights += depth * count;
      });
    }
    for (std::int64_t n = 0; n < unit.images; ++n) {
      const std::int64_t begin = ((unit.image + n) * channels_ + unit.channel) * plane_;
      sink_.store(slots, begin, begin + unit.channels * plane_, result + n * image_stride, scratch + sink_at_);
    }
  }

  /// The runs that make up columns [column, column + width), none across panels.
  std::int64_t find_runs(const GatherPhase& phase, std::int64_t column, std::int64_t width, std::int64_t image_stride,
                         GatherRun* runs) const {
    const auto tile = static_cast<std::int64_t>(kernels_.tile_columns);
    const auto& [z_dim, y_dim, x_dim] = phase.dims;
    const std::int64_t source_image = groups_ * source_channels_ * source_.plane();
    std::int64_t found = 0;
    for (std::int64_t at = 0; at < width;) {
      std::int64_t rest = column + at;
      const std::int64_t x = rest % x_dim->count, y = (rest /= x_dim->count) % y_dim->count;
      const std::int64_t z = (rest /= y_dim->count) % z_dim->count, image = rest / z_dim->count;
      GatherRun& run = runs[found++];
      run.column = at;
      run.length = std::min({x_dim->count - x, width - at, tile - at % tile});
      run.source = image * source_image + z * z_dim->source_step * source_.slice() +
                   y * y_dim->source_step * source_.row() + x * x_dim->source_step;
      run.target = image * image_stride +
                   ((z_dim->first + z * z_dim->step) * result_[1] + y_dim->first + y * y_dim->step) * result_[2] +
                   x_dim->first + x * x_dim->step;
      at += run.length;
    }
    return found;
  }

  /// sums[count x width] = weights times the gathered columns.
  void multiply(const GatherPhase& phase, std::int64_t group, std::int64_t count, std::int64_t width,
                std::span<const GatherRun> runs, const T* weights, std::byte* scratch) const {
    const std::int64_t depth = phase.taps() * source_channels_;
    const auto tile = static_cast<std::int64_t>(kernels_.tile_columns);
    T* sums = part(scratch, sums_at_);
    T* panels = part(scratch, panels_at_);
    const T* source = part(scratch, source_at_) + group * source_channels_ * source_.plane();
    if (depth == 0) std::fill_n(sums, count * width, T{0});
    for (std::int64_t k = 0; k < depth; k += kGatherDepth) {
      const std::int64_t block = std::min(kGatherDepth, depth - k);
      gather(phase, k, block, source, runs, panels);
      for (std::int64_t column = 0; column < width; column += tile) {
        for_each_panel(count, [&](std::int64_t row, std::int64_t height) {
          kernels_.tile(to_size(height), to_size(std::min(tile, width - column)), to_size(block), T{1},
                        weights + row * block, panels + column * block, sums + row * width + column, width, k > 0);
        });
      }
      weights += count * block;
    }
  }

  void gather(const GatherPhase& phase, std::int64_t k, std::int64_t block, const T* source,
              std::span<const GatherRun> runs, T* panels) const {
    const auto tile = static_cast<std::int64_t>(kernels_.tile_columns);
    const std::int64_t taps = phase.taps(), step = phase.dims[2]->source_step;
    for (std::size_t begin = 0; begin < runs.size();) {
      const std::int64_t panel = runs[begin].column / tile;
      std::size_t end = begin;
      while (end < runs.size() && runs[end].column / tile == panel) ++end;
      T* to = panels + panel * tile * block;
      std::int64_t channel = k / taps, tap = k % taps;
      for (std::int64_t q = 0; q < block; ++q, to += tile) {
        const T* from = source + channel * source_.plane() + phase.sources[to_size(tap)];
        for (std::size_t r = begin; r < end; ++r) {
          const GatherRun& run = runs[r];
          T* lanes = to + (run.column - panel * tile);
          if (step == 1) {
            copy_blocks(from + run.source, lanes, run.length);
          } else {
            for (std::int64_t x = 0; x < run.length; ++x) lanes[x] = from[run.source + x * step];
          }
        }
        if (++tap == taps) tap = 0, ++channel;
      }
      begin = end;
    }
  }

  void scatter(const GatherPhase& phase, std::int64_t count, std::int64_t width, std::span<const GatherRun> runs,
               const T* bias, const T* sums, T* to) const {
    const std::int64_t step = phase.dims[2]->step;
    for (std::int64_t row = 0; row < count; ++row, sums += width, to += plane_) {
      const T more = bias ? bias[row] : T{0};
      for (const GatherRun& run : runs) {
        const T* from = sums + run.column;
        T* target = to + run.target;
        if (step == 1) {
          for (std::int64_t x = 0; x < run.length; ++x) target[x] = from[x] + more;
        } else {
          for (std::int64_t x = 0; x < run.length; ++x) target[x * step] = from[x] + more;
        }
      }
    }
  }

  std::shared_ptr<CpuResources> resources_;
  const GemmKernels<T>& kernels_ = gemm_kernels<T>();
  Operand source_operand_, weight_;
  std::optional<Operand> bias_;
  ResultSink sink_;
  bool backward_;
  PaddedImages<T> source_;
  std::array<std::vector<GatherDim>, 3> dims_;
  std::vector<GatherPhase> phases_;
  std::array<std::int64_t, 3> result_ = {1, 1, 1};
  std::int64_t batch_ = 1, groups_ = 1, channels_ = 0, source_channels_ = 0;  // source channels: of a group
  std::int64_t kernel_ = 1, plane_ = 1, max_positions_ = 0;
  std::int64_t images_ = 1, image_blocks_ = 1, block_channels_ = 1, channel_blocks_ = 1;
  std::size_t source_at_, weight_at_, bias_at_, packed_at_, panels_at_, sums_at_, result_at_, runs_at_, sink_at_;
  std::size_t scratch_bytes_;
};

std::unique_ptr<Launch> bind_gather(const OperationContext& context, const Binding& binding, bool backward) {
  if (context.epilogue.compute_dtype() == Dtype::kF64) {
    return std::make_unique<ConvolutionLaunch<double>>(context, binding, backward);
  }
  return std::make_unique<ConvolutionLaunch<float>>(context, binding, backward);
}

}  // namespace

std::unique_ptr<Launch> bind_convolution(const OperationContext& context, const Binding& binding) {
  return bind_gather(context, binding, false);
}

std::unique_ptr<Launch> bind_convolution_backward_input(const OperationContext& context, const Binding& binding) {
  return bind_gather(context, binding, true);
}

}  // namespace alknet::compute
