#include <algorithm>

#include "alknet/compute/device_cpu/cpu_memory.h"
#include "alknet/compute/device_cpu/gemm.h"
#include "alknet/compute/device_cpu/gemm_kernels.h"
#include "alknet/compute/device_cpu/operation_kernel.h"

namespace alknet::compute {
namespace {

/// Multiplications that are worth a thread of their own.
constexpr std::int64_t kWorthwhile = 1 << 17;
/// Columns of a block are a multiple of this, so that no two threads write one cache line, and of packed panels.
constexpr std::int64_t kColumnStep = 16;
/// Rows of a block, where there are many: each block packs the right operand anew, and that is to cost little; but more
/// blocks than threads wait less for a thread that was held up.
constexpr std::int64_t kManyRows = 168;
constexpr std::int64_t kBlocksPerThread = 4;
/// Columns and rows of a block of a large product. A block packs its part of both operands, so that a square grid packs
/// least; and as many columns as the product packs at a time leave nothing to pack twice within a block.
constexpr std::int64_t kLargeColumns = 512;
constexpr std::int64_t kLargeRows = 504;
/// Rows of a block that a program follows: it finds the product in the cache.
constexpr std::int64_t kMaxBlockRows = 256;

/// Both operands and the result as batches of matrices, by PyTorch's rank rules.
struct Problem {
  GemmShape shape;
  Walk batch;       // operands: input, other
  MatrixView a, b;  // without pointers
};

std::int64_t round_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

MatrixView last_two(const Operand& operand, bool vector_is_row) {
  const auto& [shape, strides, offset] = operand.layout;
  if (shape.size() == 1) {
    return vector_is_row ? MatrixView{nullptr, operand.dtype, 0, strides[0]}
                         : MatrixView{nullptr, operand.dtype, strides[0], 0};
  }
  return {nullptr, operand.dtype, strides[shape.size() - 2], strides[shape.size() - 1]};
}

/// The layout without its last `count` dimensions.
Strided leading(const Strided& layout, std::size_t count) {
  Strided rest = layout;
  rest.shape.resize(layout.shape.size() - std::min(count, layout.shape.size()));
  rest.strides.resize(rest.shape.size());
  return rest;
}

Problem make_problem(const Operand& input, const Operand& other, const Operand& output) {
  Problem problem;
  const Shape& left = input.layout.shape;
  const Shape& right = other.layout.shape;
  problem.a = last_two(input, true);
  problem.b = last_two(other, false);
  problem.shape.rows = left.size() == 1 ? 1 : left[left.size() - 2];
  problem.shape.depth = left.back();
  problem.shape.columns = right.size() == 1 ? 1 : right.back();
  Shape batch = output.layout.shape;
  batch.resize(batch.size() - (left.size() > 1 ? 1 : 0) - (right.size() > 1 ? 1 : 0));
  const Strided parts[2] = {leading(input.layout, 2), leading(other.layout, 2)};
  problem.batch = make_walk(batch, parts);
  // One right operand for the whole batch: the rows of all matrices on the left are one matrix.
  if (problem.batch.sizes.size() == 1 && problem.batch.strides[1][0] == 0) {
    const bool single_row = problem.shape.rows == 1;
    if (single_row || problem.batch.strides[0][0] == problem.shape.rows * problem.a.row_stride) {
      if (single_row) problem.a.row_stride = problem.batch.strides[0][0];
      problem.shape.rows *= problem.batch.sizes[0];
      problem.batch = Walk{{}, {{}, {}}};
    }
  }
  return problem;
}

/// Sums in i32 as the values of a dtype of 8 bits that a program goes on with.
template <typename T>
void wrap(std::byte* result, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  auto* sums = reinterpret_cast<std::int32_t*>(result);
  for (std::int64_t r = 0; r < rows; ++r, sums += stride) {
    for (std::int64_t j = 0; j < columns; ++j) sums[j] = static_cast<T>(sums[j]);
  }
}

class MatmulLaunch final : public CpuLaunch {
 public:
  MatmulLaunch(std::shared_ptr<CpuResources> resources, const Epilogue& epilogue, const Binding& binding,
               bool rounds_to_bytes = false)
      : resources_(std::move(resources)),
        input_(binding.inputs[0].value()),
        other_(binding.inputs[1].value()),
        sink_(epilogue, 2, binding),
        problem_(make_problem(input_, other_, binding.outputs.front())),
        batches_(problem_.batch.count()) {
    problem_.a.rounds_to_bytes = rounds_to_bytes;
    divide();
    const GemmShape block{block_rows_, block_columns_, problem_.shape.depth};
    keeps_packed_ = other_.lasting && batches_ == 1 && problem_.shape.depth > 0 &&
                    gemm_packs(sink_.compute_dtype(), block, problem_.a, problem_.b);
    ScratchLayout layout;
    gemm_at_ = layout.add(gemm_scratch_bytes(sink_.compute_dtype(), block, problem_.a, problem_.b));
    sink_at_ = layout.add(sink_.scratch_bytes());
    result_at_ = layout.add(to_size(block_rows_ * block_columns_) * sink_.element_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    const std::int64_t blocks = batches_ * row_blocks_ * column_blocks_;
    const std::int64_t work = block_rows_ * block_columns_ * std::max<std::int64_t>(problem_.shape.depth, 1);
    const std::int64_t grain = std::max<std::int64_t>(1, kWorthwhile / std::max<std::int64_t>(work, 1));
    const auto packed = keeps_packed_ ? packed_weights(slots) : nullptr;
    resources_->pool.parallel_for(to_size(blocks), to_size(grain), [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      for (std::size_t block = begin; block < end; ++block)
        run_block(slots, to_signed(block), packed.get(), scratch.data());
    });
  }

 private:
  /// The right operand as an earlier run packed it; null when none did.
  std::shared_ptr<const PackedMatrix> packed_weights(Slots slots) const {
    const std::int64_t columns = problem_.shape.columns;
    const std::int64_t depth = problem_.shape.depth;
    const Dtype compute = sink_.compute_dtype();
    const PackedWeights::Key key{other_.layout.offset, problem_.b, compute, depth, columns};
    PackedWeights& weights = static_cast<CpuMemory*>(slots[other_.slot])->packed();
    return weights.find(key, resources_->counters, [&](std::byte* packed) {
      MatrixView b = problem_.b;
      b.data = address(slots, other_.slot, other_.layout.offset, graph::dtype_bytes(other_.dtype));
      const std::int64_t width = packed_panel_columns(compute);
      resources_->pool.parallel_for(to_size((columns + width - 1) / width), grain_of(to_size(depth * width)),
                                    [&](std::size_t begin, std::size_t end) {
                                      pack_matrix(compute, depth, columns, b, to_signed(begin), to_signed(end), packed);
                                    });
    });
  }

  /// Blocks for every thread; rows are divided first, because each block reads its part of the right operand anew.
  void divide() {
    const auto& [rows, columns, depth] = problem_.shape;
    const auto threads = to_signed(resources_->pool.threads());
    block_rows_ = std::max<std::int64_t>(rows, 1);
    block_columns_ = std::max<std::int64_t>(columns, 1);
    const std::int64_t worthwhile =
        std::max<std::int64_t>(1, rows * columns * std::max<std::int64_t>(depth, 1) / kWorthwhile);
    const std::int64_t wanted =
        batches_ >= 2 * threads ? 1
                                : std::min(worthwhile, (threads + batches_ - 1) / std::max<std::int64_t>(batches_, 1));
    const auto tile_rows = static_cast<std::int64_t>(gemm_kernels<float>().tile_rows);
    const std::int64_t column_step = std::max(kColumnStep, packed_panel_columns(sink_.compute_dtype()));
    if (threads > 1 && wanted > 1) {
      if (!sink_.has_program() && batches_ == 1 && columns >= kLargeColumns && rows >= kLargeColumns) {
        const std::int64_t column_parts = std::max(columns / kLargeColumns, threads);
        const std::int64_t row_parts = std::clamp(kBlocksPerThread * threads / column_parts, std::int64_t{1},
                                                  std::max<std::int64_t>(rows / kLargeRows, 1));
        block_columns_ = round_up((columns + column_parts - 1) / column_parts, column_step);
        block_rows_ = round_up((rows + row_parts - 1) / row_parts, tile_rows);
      } else if (rows >= 64 * wanted) {
        const std::int64_t parts = std::clamp(rows / kManyRows / wanted, std::int64_t{1}, kBlocksPerThread) * wanted;
        block_rows_ = (rows + parts - 1) / parts;
      } else if (columns >= column_step * wanted) {
        block_columns_ = round_up((columns + wanted - 1) / wanted, column_step);
      } else {
        block_rows_ = std::max<std::int64_t>(1, (rows + wanted - 1) / wanted);
      }
    }
    if (sink_.has_program() && block_rows_ > kMaxBlockRows) {
      const std::int64_t parts = (block_rows_ + kMaxBlockRows - 1) / kMaxBlockRows;
      block_rows_ = (block_rows_ + parts - 1) / parts;
    }
    row_blocks_ = (rows + block_rows_ - 1) / block_rows_;
    column_blocks_ = (columns + block_columns_ - 1) / block_columns_;
  }

  void run_block(Slots slots, std::int64_t block, const PackedMatrix* packed, std::byte* scratch) const {
    const auto& shape = problem_.shape;
    const std::int64_t column = block % column_blocks_ * block_columns_;
    const std::int64_t row = block / column_blocks_ % row_blocks_ * block_rows_;
    const std::int64_t batch = block / column_blocks_ / row_blocks_;
    const std::int64_t rows = std::min(block_rows_, shape.rows - row);
    const std::int64_t columns = std::min(block_columns_, shape.columns - column);
    MatrixView a = problem_.a, b = problem_.b;
    a.data = address(slots, input_.slot, input_.layout.offset + problem_.batch.offset(0, batch) + row * a.row_stride,
                     graph::dtype_bytes(input_.dtype));
    b.data = element_address(slots, other_,
                             other_.layout.offset + problem_.batch.offset(1, batch) + column * b.column_stride);
    const std::int64_t first = (batch * shape.rows + row) * shape.columns + column;
    std::byte* result = sink_.place(slots, first);
    const std::int64_t stride = result ? shape.columns : columns;
    if (!result) result = scratch + result_at_;
    const PackedColumns packed_b{packed ? packed->data() : nullptr, column, shape.columns};
    gemm(sink_.compute_dtype(), {rows, columns, shape.depth}, a, b, 1.0, result, stride, scratch + gemm_at_,
         packed ? &packed_b : nullptr);
    if (sink_.has_program()) {
      if (sink_.result_dtype() == Dtype::kI8) wrap<std::int8_t>(result, rows, columns, stride);
      if (sink_.result_dtype() == Dtype::kU8) wrap<std::uint8_t>(result, rows, columns, stride);
    }
    if (columns == shape.columns) {
      sink_.store(slots, first, first + rows * columns, result, scratch + sink_at_);
      return;
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t start = first + r * shape.columns;
      sink_.store(slots, start, start + columns, result + to_size(r * stride) * sink_.element_bytes(),
                  scratch + sink_at_);
    }
  }

  std::shared_ptr<CpuResources> resources_;
  Operand input_, other_;
  ResultSink sink_;
  Problem problem_;
  std::int64_t batches_;
  bool keeps_packed_;  // the right operand, from run to run
  std::int64_t block_rows_ = 1, block_columns_ = 1, row_blocks_ = 1, column_blocks_ = 1;
  std::size_t gemm_at_, sink_at_, result_at_, scratch_bytes_;
};

}  // namespace

std::unique_ptr<Launch> bind_matmul(const OperationContext& context, const Binding& binding) {
  return std::make_unique<MatmulLaunch>(context.resources, context.epilogue, binding);
}

std::unique_ptr<Launch> bind_quantized_matmul(const OperationContext& context, const Binding& binding) {
  Binding transposed = binding;
  Strided& weight = transposed.inputs[1]->layout;
  std::swap(weight.shape[0], weight.shape[1]);
  std::swap(weight.strides[0], weight.strides[1]);
  return std::make_unique<MatmulLaunch>(context.resources, context.epilogue, transposed,
                                        binding.attrs.at("activations") == "q8");
}

}  // namespace alknet::compute
