#include <algorithm>

#include "alknet/compute/device_cpu/convolution_layout.h"
#include "alknet/compute/device_cpu/gemm_kernels.h"
#include "alknet/compute/device_cpu/operation_kernel.h"

// The gradient of a convolution by its weight as a matrix product: the output's gradient [channels x places] times the
// gathered input [places x channels and taps]. Places of all images are the depth; blocks of both are gathered as rows
// and turned into the panels that the product's innermost loops read. Each thread has channels of its own, so sums are
// in one order whatever the number of threads.

namespace alknet::compute {
namespace {

constexpr std::int64_t kWorthwhileWeightProducts = 1 << 17;
constexpr std::int64_t kPlaceBlock = 512;
constexpr std::int64_t kMaxWeightColumns = 576;

/// Places of a block of depth that lie side by side.
struct PlaceRun {
  std::int64_t place, input, output, length;
};

/// What of the result a unit computes: rows are output channels, columns input channels, both within a group.
struct WeightUnit {
  std::int64_t group, row, rows, channel, channels;
};

template <typename T>
class ConvolutionWeightLaunch final : public CpuLaunch {
 public:
  ConvolutionWeightLaunch(const OperationContext& context, const Binding& binding)
      : resources_(context.resources), sink_(context.epilogue, 2, binding) {
    const Operand& gradient = binding.inputs[0].value();
    const Operand& input = binding.inputs[1].value();
    const auto sizes = graph::convolution_sizes(binding.attrs, input.layout.shape, binding.outputs.front().layout.shape,
                                                gradient.layout.shape);
    batch_ = sizes.batch;
    groups_ = sizes.groups;
    rows_ = sizes.output_channels / groups_;
    depth_ = sizes.input_channels / groups_;
    plan_dims(sizes, input, gradient);
    plan_units();
    plan_scratch();
  }

  void run(Slots slots) const override {
    if (rows_ == 0 || depth_ == 0 || kernel_ == 0) return;
    const std::int64_t products = unit_rows_ * unit_channels_ * kernel_ * batch_ * places_;
    const std::int64_t grain =
        std::max<std::int64_t>(1, kWorthwhileWeightProducts / std::max<std::int64_t>(products, 1));
    resources_->pool.parallel_for(to_size(groups_ * row_blocks_ * channel_blocks_), to_size(grain),
                                  [&](std::size_t begin, std::size_t end) {
                                    const auto scratch = resources_->scratch.lease(scratch_bytes_);
                                    for (std::size_t unit = begin; unit < end; ++unit) {
                                      run_unit(slots, unit_at(to_signed(unit)), scratch.data());
                                    }
                                  });
  }

 private:
  void plan_dims(const graph::ConvolutionSizes& sizes, const Operand& input, const Operand& gradient) {
    const std::size_t missing = 3 - sizes.dims.size();
    std::array<GatherBorder, 3> borders, none;
    std::array<std::vector<GatherDim>, 3> dims;
    for (std::size_t d = 0; d < 3; ++d) {
      dims_[d] = d < missing ? graph::WindowDim{} : sizes.dims[d - missing];
      dims[d] = gather_dims(dims_[d], false);
      borders[d] = gather_border(dims[d], dims_[d].input);
      none[d] = {0, dims_[d].output};
      kernel_ *= dims_[d].kernel;
      places_ *= dims_[d].output;
    }
    input_ = PaddedImages<T>(input, sizes.dims.size(), borders);
    gradient_ = PaddedImages<T>(gradient, sizes.dims.size(), none);
    // A tap that never is inside reads nothing: its sums are 0.
    taps_.assign(to_size(kernel_), -1);
    for (const auto& z : dims[0].front().taps) {
      for (const auto& y : dims[1].front().taps) {
        for (const auto& x : dims[2].front().taps) {
          taps_[to_size((z.kernel * dims_[1].kernel + y.kernel) * dims_[2].kernel + x.kernel)] =
              (z.offset + borders[0].before) * input_.slice() + (y.offset + borders[1].before) * input_.row() +
              x.offset + borders[2].before;
        }
      }
    }
  }

  void plan_units() {
    const auto threads = to_signed(resources_->pool.threads());
    const std::int64_t products = groups_ * rows_ * depth_ * kernel_ * batch_ * places_;
    const std::int64_t wanted =
        threads == 1 ? 1 : std::clamp<std::int64_t>(products / kWorthwhileWeightProducts, 1, threads);
    unit_channels_ = std::clamp<std::int64_t>(kMaxWeightColumns / std::max<std::int64_t>(kernel_, 1), 1,
                                              std::max<std::int64_t>(depth_, 1));
    const auto tile = static_cast<std::int64_t>(kernels_.tile_columns);
    while (unit_channels_ * kernel_ >= 2 * tile && groups_ * blocks(depth_, unit_channels_) < wanted) {
      unit_channels_ = (unit_channels_ + 1) / 2;
    }
    unit_channels_ = std::max<std::int64_t>(unit_channels_, 1);
    channel_blocks_ = blocks(depth_, unit_channels_);
    const std::int64_t have = std::max<std::int64_t>(groups_ * channel_blocks_, 1);
    const std::int64_t parts =
        std::clamp<std::int64_t>((wanted + have - 1) / have, 1, std::max<std::int64_t>(rows_ / 8, 1));
    unit_rows_ = std::max<std::int64_t>(blocks(rows_, parts), 1);
    row_blocks_ = blocks(rows_, unit_rows_);
    images_ = std::clamp<std::int64_t>(kPlaceBlock / std::max<std::int64_t>(places_, 1), 1,
                                       std::max<std::int64_t>(batch_, 1));
  }

  static std::int64_t blocks(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

  void plan_scratch() {
    const auto tile = static_cast<std::int64_t>(kernels_.tile_columns);
    const std::int64_t columns = blocks(unit_channels_ * kernel_, tile) * tile;
    const std::int64_t block = std::min(kPlaceBlock, images_ * places_);
    ScratchLayout layout;
    const auto add = [&](std::int64_t count) { return layout.add(to_size(count) * sizeof(T) + kCopySlack); };
    input_at_ = layout.add(input_.bytes(images_, unit_channels_));
    gradient_at_ = layout.add(gradient_.bytes(images_, unit_rows_));
    line_at_ = add(std::max(tile, to_signed(kernels_.tile_rows)) * block);
    left_at_ = add(unit_rows_ * block);
    right_at_ = add(columns * block);
    sums_at_ = add(unit_rows_ * unit_channels_ * kernel_);
    runs_at_ = layout.add(to_size(block) * sizeof(PlaceRun));
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  WeightUnit unit_at(std::int64_t index) const {
    WeightUnit unit;
    unit.channel = index % channel_blocks_ * unit_channels_;
    unit.row = index / channel_blocks_ % row_blocks_ * unit_rows_;
    unit.group = index / channel_blocks_ / row_blocks_;
    unit.channels = std::min(unit_channels_, depth_ - unit.channel);
    unit.rows = std::min(unit_rows_, rows_ - unit.row);
    return unit;
  }

  T* part(std::byte* scratch, std::size_t at) const { return reinterpret_cast<T*>(scratch + at); }

  void run_unit(Slots slots, const WeightUnit& unit, std::byte* scratch) const {
    T* input = part(scratch, input_at_);
    T* gradient = part(scratch, gradient_at_);
    T* sums = part(scratch, sums_at_);
    const std::int64_t columns = unit.channels * kernel_;
    input_.clear(input, images_, unit.channels);
    std::fill_n(sums, unit.rows * columns, T{0});
    for (std::int64_t image = 0; image < batch_; image += images_) {
      const std::int64_t images = std::min(images_, batch_ - image);
      input_.fill(slots, image, images, unit.group * depth_ + unit.channel, unit.channels, input);
      gradient_.fill(slots, image, images, unit.group * rows_ + unit.row, unit.rows, gradient);
      for (std::int64_t place = 0; place < images * places_; place += kPlaceBlock) {
        add_block(unit, place, std::min(kPlaceBlock, images * places_ - place), scratch);
      }
    }
    const std::int64_t width = depth_ * kernel_;
    for (std::int64_t r = 0; r < unit.rows; ++r) {
      const std::int64_t begin = (unit.group * rows_ + unit.row + r) * width + unit.channel * kernel_;
      T* result = reinterpret_cast<T*>(sink_.place(slots, begin));
      T* from = sums + r * columns;
      if (result) std::copy_n(from, columns, result);
      sink_.store(slots, begin, begin + columns, result ? result : from, scratch + sink_at_);
    }
  }

  /// sums += the products of places [place, place + block) of the images at hand.
  void add_block(const WeightUnit& unit, std::int64_t place, std::int64_t block, std::byte* scratch) const {
    auto* runs = reinterpret_cast<PlaceRun*>(scratch + runs_at_);
    const std::span<const PlaceRun> found(runs, to_size(find_runs(unit, place, block, runs)));
    const auto tile_rows = static_cast<std::int64_t>(kernels_.tile_rows);
    const auto tile = static_cast<std::int64_t>(kernels_.tile_columns);
    const std::int64_t columns = unit.channels * kernel_;
    T* line = part(scratch, line_at_);
    T* left = part(scratch, left_at_);
    T* right = part(scratch, right_at_);
    for (std::int64_t row = 0; row < unit.rows; row += tile_rows) {
      const std::int64_t height = std::min(tile_rows, unit.rows - row);
      for (std::int64_t r = 0; r < height; ++r) {
        const T* from = part(scratch, gradient_at_) + (row + r) * places_;
        for (const PlaceRun& run : found) copy_blocks(from + run.output, line + r * block + run.place, run.length);
      }
      kernels_.pack_rows(line, block, 1, to_size(height), to_size(block), left + row * block);
    }
    for (std::int64_t column = 0; column < columns; column += tile) {
      const std::int64_t width = std::min(tile, columns - column);
      for (std::int64_t c = 0; c < width; ++c) gather_line(column + c, found, scratch, line + c * block);
      kernels_.pack_columns(line, 1, block, to_size(block), to_size(width), right);
      for (std::int64_t row = 0; row < unit.rows; row += tile_rows) {
        kernels_.tile(to_size(std::min(tile_rows, unit.rows - row)), to_size(width), to_size(block), T{1},
                      left + row * block, right, part(scratch, sums_at_) + row * columns + column, columns, true);
      }
    }
  }

  void gather_line(std::int64_t column, std::span<const PlaceRun> runs, std::byte* scratch, T* to) const {
    const std::int64_t tap = taps_[to_size(column % kernel_)], step = dims_[2].stride;
    const T* from = part(scratch, input_at_) + column / kernel_ * input_.plane() + tap;
    for (const PlaceRun& run : runs) {
      if (tap < 0) {
        std::fill_n(to + run.place, run.length, T{0});
      } else if (step == 1) {
        copy_blocks(from + run.input, to + run.place, run.length);
      } else {
        for (std::int64_t x = 0; x < run.length; ++x) to[run.place + x] = from[run.input + x * step];
      }
    }
  }

  /// Runs of places of the images at hand; offsets of the input from an image's first channel and tap.
  std::int64_t find_runs(const WeightUnit& unit, std::int64_t place, std::int64_t block, PlaceRun* runs) const {
    const std::int64_t width = dims_[2].output, height = dims_[1].output;
    std::int64_t found = 0;
    for (std::int64_t at = 0; at < block;) {
      std::int64_t rest = place + at;
      const std::int64_t x = rest % width, y = (rest /= width) % height;
      const std::int64_t z = (rest /= height) % dims_[0].output, image = rest / dims_[0].output;
      PlaceRun& run = runs[found++];
      run.place = at;
      run.length = std::min(width - x, block - at);
      run.input = image * unit.channels * input_.plane() + z * dims_[0].stride * input_.slice() +
                  y * dims_[1].stride * input_.row() + x * dims_[2].stride;
      run.output = image * unit.rows * places_ + (z * height + y) * width + x;
      at += run.length;
    }
    return found;
  }

  std::shared_ptr<CpuResources> resources_;
  const GemmKernels<T>& kernels_ = gemm_kernels<T>();
  ResultSink sink_;
  PaddedImages<T> input_, gradient_;
  std::array<graph::WindowDim, 3> dims_;
  std::vector<std::int64_t> taps_;  ///< Per element of the kernel: offset in a padded plane.
  std::int64_t batch_ = 1, groups_ = 1, rows_ = 0, depth_ = 0;  // rows and depth: channels of a group
  std::int64_t kernel_ = 1, places_ = 1, images_ = 1;
  std::int64_t unit_rows_ = 1, unit_channels_ = 1, row_blocks_ = 1, channel_blocks_ = 1;
  std::size_t input_at_, gradient_at_, line_at_, left_at_, right_at_, sums_at_, runs_at_, sink_at_, scratch_bytes_;
};

}  // namespace

std::unique_ptr<Launch> bind_convolution_backward_weight(const OperationContext& context, const Binding& binding) {
  if (context.epilogue.compute_dtype() == Dtype::kF64) {
    return std::make_unique<ConvolutionWeightLaunch<double>>(context, binding);
  }
  return std::make_unique<ConvolutionWeightLaunch<float>>(context, binding);
}

}  // namespace alknet::compute
