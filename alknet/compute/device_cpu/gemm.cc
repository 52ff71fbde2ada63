#include "alknet/compute/device_cpu/gemm.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "alknet/compute/device_cpu/block_byte_kernels.h"
#include "alknet/compute/device_cpu/block_kernels.h"
#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/gemm_kernels.h"
#include "alknet/compute/device_cpu/integer_gemm.h"
#include "alknet/compute/device_cpu/scratch.h"

// The product is cut as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a block
// of b is packed into panels that are read in order, then blocks of a, and each tile of c is summed in registers.

namespace alknet::compute {
namespace {

/// Sizes of packed blocks, in elements: two of them fit the second-level cache of a core.
constexpr std::int64_t kBlockDepth = 384;
constexpr std::int64_t kBlockColumns = 512;
constexpr std::int64_t kBlockPanels = 10;  ///< Panels of a in a block.

/// Products of at most so many rows with a transposed right operand read it where it is; above, packing it pays.
constexpr std::int64_t kMaxDotRows = 24;
constexpr std::int64_t kMinDotDepth = 64;

/// Depth of packed blocks where the right operand is stored in blocks: a multiple of all of those.
constexpr std::int64_t kQuantizedDepth = 256;
/// Columns of such an operand whose values are written out at a time, for few rows.
constexpr std::int64_t kQuantizedColumns = 8;
/// Rows that are rounded to bytes at most, and the columns of blocks that they all pass before the next: these stay in
/// the cache of a core. Above, writing out the values pays.
constexpr std::int64_t kMaxByteRows = 3;
constexpr std::int64_t kByteRowColumns = 16;

template <typename T>
bool holds(const MatrixView& matrix) {
  return matrix.dtype == (std::is_same_v<T, float> ? Dtype::kF32 : Dtype::kF64);
}

const std::byte* element(const MatrixView& matrix, std::int64_t row, std::int64_t column) {
  const std::int64_t offset = row * matrix.row_stride + column * matrix.column_stride;
  return matrix.data +
         offset / graph::block_values(matrix.dtype) * static_cast<std::int64_t>(graph::dtype_bytes(matrix.dtype));
}

template <typename T>
const T* elements(const MatrixView& matrix, std::int64_t row, std::int64_t column) {
  return reinterpret_cast<const T*>(element(matrix, row, column));
}

template <typename T>
bool takes_dots(const GemmShape& shape, const MatrixView& a, const MatrixView& b) {
  return shape.rows <= kMaxDotRows && shape.depth >= kMinDotDepth && holds<T>(a) && holds<T>(b) &&
         a.column_stride == 1 && b.row_stride == 1;
}

template <typename T>
bool takes_few_rows(const GemmShape& shape, const MatrixView& b) {
  return shape.rows <= static_cast<std::int64_t>(kFewRows) && holds<T>(b) && b.column_stride == 1;
}

/// How far into a packed matrix the block of depth k begins; its panels follow each other.
template <typename T>
std::int64_t packed_block(std::int64_t k, std::int64_t columns) {
  const auto width = static_cast<std::int64_t>(gemm_kernels<T>().tile_columns);
  return k * ((columns + width - 1) / width * width);
}

/// Packs rows [k, k + depth) of `width` columns from `column` into a panel.
template <typename T>
void pack_panel(const MatrixView& b, std::int64_t k, std::int64_t depth, std::int64_t column, std::int64_t width,
                T* panel) {
  const GemmKernels<T>& kernels = gemm_kernels<T>();
  if (holds<T>(b)) {
    kernels.pack_columns(elements<T>(b, k, column), b.row_stride, b.column_stride, to_size(depth), to_size(width),
                         panel);
    return;
  }
  const ConvertFunction load = load_function(b.dtype);
  for (std::int64_t i = 0; i < depth; ++i, panel += kernels.tile_columns) {
    load(element(b, k + i, column), b.column_stride, panel, to_size(width));
    std::fill(panel + width, panel + kernels.tile_columns, T{0});
  }
}

template <typename T>
void pack_panels(std::int64_t depth, std::int64_t columns, const MatrixView& b, std::int64_t begin, std::int64_t end,
                 T* packed) {
  const auto width = static_cast<std::int64_t>(gemm_kernels<T>().tile_columns);
  for (std::int64_t k = 0; k < depth; k += kBlockDepth) {
    const std::int64_t rows = std::min(kBlockDepth, depth - k);
    T* const block = packed + packed_block<T>(k, columns);
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const std::int64_t column = panel * width;
      pack_panel(b, k, rows, column, std::min(width, columns - column), block + column * rows);
    }
  }
}

std::int64_t depth_of_blocks(const MatrixView& b) { return graph::is_block(b.dtype) ? kQuantizedDepth : kBlockDepth; }

/// Where the parts of the scratch memory are.
struct Parts {
  std::size_t a_at, b_at, converted_at, values_at, bytes_at, total;
};

/// A smaller shape never needs more than a larger one, though it may be computed in another way.
template <typename T>
Parts parts_of(const GemmShape& shape, const MatrixView& a, const MatrixView& b) {
  const GemmKernels<T>& kernels = gemm_kernels<T>();
  const auto tile_rows = static_cast<std::int64_t>(kernels.tile_rows);
  const auto tile_columns = static_cast<std::int64_t>(kernels.tile_columns);
  const std::int64_t depth = std::min(shape.depth, depth_of_blocks(b));
  const std::int64_t columns = std::min(shape.columns, kBlockColumns);
  const std::int64_t panels = (columns + tile_columns - 1) / tile_columns;
  const bool quantized = graph::is_block(b.dtype);
  const std::int64_t few_rows = quantized ? kMaxDotRows : static_cast<std::int64_t>(kFewRows);
  const std::int64_t few = std::min(shape.rows, few_rows) * shape.depth;
  ScratchLayout layout;
  const auto add = [&](std::int64_t count) { return layout.add(to_size(count) * sizeof(T)); };
  Parts parts;
  parts.a_at = add(std::max(few, std::min(shape.rows, kBlockPanels * tile_rows) * depth));
  parts.b_at = add(takes_few_rows<T>(shape, b) ? 0 : panels * tile_columns * depth);
  parts.converted_at = add(holds<T>(a) ? 0 : std::max(few, tile_rows * depth));
  parts.values_at = add(quantized ? std::max(kQuantizedColumns * shape.depth, tile_columns * depth) : 0);
  const bool bytes = quantized && a.rounds_to_bytes;
  parts.bytes_at =
      layout.add(bytes ? to_size(std::min(shape.rows, kMaxByteRows)) * byte_row_bytes(to_size(shape.depth)) : 0);
  parts.total = layout.total();
  return parts;
}

/// One product: what its steps share.
template <typename T>
class Product {
 public:
  Product(const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, T* c, std::int64_t c_stride,
          std::byte* scratch, const PackedColumns* packed)
      : shape_(shape), a_(a), b_(b), whole_(packed), alpha_(static_cast<T>(alpha)), c_(c), c_stride_(c_stride) {
    const Parts parts = parts_of<T>(shape, a, b);
    packed_a_ = reinterpret_cast<T*>(scratch + parts.a_at);
    packed_b_ = reinterpret_cast<T*>(scratch + parts.b_at);
    converted_ = reinterpret_cast<T*>(scratch + parts.converted_at);
    values_ = reinterpret_cast<T*>(scratch + parts.values_at);
    byte_rows_ = scratch + parts.bytes_at;
  }

  void run() {
    if (shape_.depth == 0) {
      for (std::int64_t r = 0; r < shape_.rows; ++r) std::fill_n(c_ + r * c_stride_, shape_.columns, T{0});
    } else if (graph::is_block(b_.dtype) && shape_.rows <= kMaxDotRows) {
      multiply_few_rows();
    } else if (takes_dots<T>(shape_, a_, b_)) {
      kernels_.dots(to_size(shape_.rows), to_size(shape_.columns), to_size(shape_.depth), alpha_, elements<T>(a_, 0, 0),
                    a_.row_stride, elements<T>(b_, 0, 0), b_.column_stride, c_, c_stride_, false);
    } else if (takes_few_rows<T>(shape_, b_)) {
      pack_rows(0, shape_.rows, 0, shape_.depth, packed_a_);
      kernels_.few_rows(to_size(shape_.rows), to_size(shape_.columns), to_size(shape_.depth), alpha_, packed_a_,
                        elements<T>(b_, 0, 0), b_.row_stride, c_, c_stride_, false);
    } else {
      // Where b needs no packing, a is packed once for all columns.
      const std::int64_t step = whole_ ? shape_.columns : kBlockColumns;
      for (std::int64_t j = 0; j < shape_.columns; j += step) {
        for (std::int64_t k = 0; k < shape_.depth; k += block_depth_) {
          multiply_block(j, std::min(step, shape_.columns - j), k, std::min(block_depth_, shape_.depth - k));
        }
      }
    }
  }

 private:
  /// The product with a right operand in blocks: straight from them for one row, else some columns at a time.
  void multiply_few_rows() {
    const bool in_place = holds<T>(a_) && a_.column_stride == 1;
    const ConvertFunction load = load_function(a_.dtype);
    for (std::int64_t r = 0; !in_place && r < shape_.rows; ++r) {
      load(element(a_, r, 0), a_.column_stride, packed_a_ + r * shape_.depth, to_size(shape_.depth));
    }
    const T* a = in_place ? elements<T>(a_, 0, 0) : packed_a_;
    const std::int64_t stride = in_place ? a_.row_stride : shape_.depth;
    if constexpr (std::is_same_v<T, float>) {
      if (a_.rounds_to_bytes && multiply_bytes(a, stride)) return;
      if (shape_.rows == 1) {
        const std::int64_t blocks = shape_.depth / graph::block_values(b_.dtype);
        block_kernels(b_.dtype).dots(b_.data, to_size(blocks), to_size(shape_.columns), a, c_);
        for (std::int64_t j = 0; alpha_ != T{1} && j < shape_.columns; ++j) c_[j] *= alpha_;
        return;
      }
    }
    for (std::int64_t j = 0; j < shape_.columns; j += kQuantizedColumns) {
      const std::int64_t columns = std::min(kQuantizedColumns, shape_.columns - j);
      write_values(0, shape_.depth, j, columns);
      kernels_.dots(to_size(shape_.rows), to_size(columns), to_size(shape_.depth), alpha_, a, stride, values_,
                    shape_.depth, c_ + j, c_stride_, false);
    }
  }

  /// The same with rows rounded to bytes. False: they cannot be, or it would not be faster.
  bool multiply_bytes(const float* a, std::int64_t stride) {
    const BlockByteDots dots = block_byte_dots(b_.dtype);
    if (dots == nullptr || shape_.rows > kMaxByteRows) return false;
    const std::size_t depth = to_size(shape_.depth), bytes = byte_row_bytes(depth);
    std::array<ByteRow, kMaxByteRows> rows;
    for (std::int64_t r = 0; r < shape_.rows; ++r) {
      rows[to_size(r)] = byte_row_at(byte_rows_ + to_size(r) * bytes, depth);
      if (!round_to_bytes(a + r * stride, depth, rows[to_size(r)])) return false;
    }
    const std::size_t blocks = depth / to_size(graph::block_values(b_.dtype));
    for (std::int64_t j = 0; j < shape_.columns; j += kByteRowColumns) {
      const std::int64_t columns = std::min(kByteRowColumns, shape_.columns - j);
      for (std::int64_t r = 0; r < shape_.rows; ++r) {
        float* const results = c_ + r * c_stride_ + j;
        dots(element(b_, 0, j), blocks, to_size(columns), rows[to_size(r)], results);
        for (std::int64_t i = 0; alpha_ != T{1} && i < columns; ++i) results[i] *= alpha_;
      }
    }
    return true;
  }

  /// The values of a right operand in blocks, [k, k + depth) of some columns, column by column.
  void write_values(std::int64_t k, std::int64_t depth, std::int64_t column, std::int64_t columns) {
    const BlockKernels& kernels = block_kernels(b_.dtype);
    const std::int64_t values = graph::block_values(b_.dtype);
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::byte* blocks = element(b_, k, column + j);
      T* to = values_ + j * depth;
      if constexpr (std::is_same_v<T, float>) {
        kernels.dequantize(blocks, to_size(depth / values), to);
      } else {
        std::array<float, kQuantizedDepth> narrow;
        for (std::int64_t i = 0; i < depth; i += values, blocks += graph::dtype_bytes(b_.dtype)) {
          kernels.dequantize(blocks, 1, narrow.data());
          std::copy_n(narrow.data(), values, to + i);
        }
      }
    }
  }

  void pack_own_panel(std::int64_t k, std::int64_t depth, std::int64_t column, std::int64_t width, T* panel) {
    if (!graph::is_block(b_.dtype)) return pack_panel(b_, k, depth, column, width, panel);
    write_values(k, depth, column, width);
    kernels_.pack_columns(values_, 1, depth, to_size(depth), to_size(width), panel);
  }

  /// Adds columns [column, column + columns) of the product of depth [k, k + depth) to c.
  void multiply_block(std::int64_t column, std::int64_t columns, std::int64_t k, std::int64_t depth) {
    const T* packed = packed_b_;
    if (whole_) {
      packed = reinterpret_cast<const T*>(whole_->data) + packed_block<T>(k, whole_->columns) +
               (whole_->first + column) * depth;
    } else {
      for (std::int64_t j = 0; j < columns; j += tile_columns_) {
        pack_own_panel(k, depth, column + j, std::min(tile_columns_, columns - j), packed_b_ + j * depth);
      }
    }
    const std::int64_t block_rows = kBlockPanels * tile_rows_;
    for (std::int64_t row = 0; row < shape_.rows; row += block_rows) {
      const std::int64_t rows = std::min(block_rows, shape_.rows - row);
      for (std::int64_t i = 0; i < rows; i += tile_rows_) {
        pack_rows(row + i, std::min(tile_rows_, rows - i), k, depth, packed_a_ + i * depth);
      }
      for (std::int64_t j = 0; j < columns; j += tile_columns_) {
        for (std::int64_t i = 0; i < rows; i += tile_rows_) {
          kernels_.tile(to_size(std::min(tile_rows_, rows - i)), to_size(std::min(tile_columns_, columns - j)),
                        to_size(depth), alpha_, packed_a_ + i * depth, packed + j * depth,
                        c_ + (row + i) * c_stride_ + column + j, c_stride_, k > 0);
        }
      }
    }
  }

  void pack_rows(std::int64_t row, std::int64_t rows, std::int64_t k, std::int64_t depth, T* panel) {
    if (holds<T>(a_)) {
      kernels_.pack_rows(elements<T>(a_, row, k), a_.row_stride, a_.column_stride, to_size(rows), to_size(depth),
                         panel);
      return;
    }
    const ConvertFunction load = load_function(a_.dtype);
    for (std::int64_t r = 0; r < rows; ++r) {
      load(element(a_, row + r, k), a_.column_stride, converted_ + r * depth, to_size(depth));
    }
    kernels_.pack_rows(converted_, depth, 1, to_size(rows), to_size(depth), panel);
  }

  const GemmKernels<T>& kernels_ = gemm_kernels<T>();
  const std::int64_t tile_rows_ = static_cast<std::int64_t>(kernels_.tile_rows);
  const std::int64_t tile_columns_ = static_cast<std::int64_t>(kernels_.tile_columns);
  const GemmShape shape_;
  const MatrixView a_, b_;
  const PackedColumns* const whole_;  // of b, or null
  const T alpha_;
  T* const c_;
  const std::int64_t c_stride_;
  T* packed_a_;
  T* packed_b_;
  T* converted_;
  T* values_;
  std::byte* byte_rows_;
  const std::int64_t block_depth_ = depth_of_blocks(b_);
};

}  // namespace

std::size_t gemm_scratch_bytes(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b) {
  if (!graph::is_float(compute)) return integer_gemm_scratch_bytes(compute, shape, a, b);
  return compute == Dtype::kF64 ? parts_of<double>(shape, a, b).total : parts_of<float>(shape, a, b).total;
}

bool gemm_packs(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b) {
  if (!graph::is_float(compute)) return packs_bytes(compute, a, b);
  if (graph::is_block(b.dtype)) return false;
  const auto packs = [&]<typename T>(T) { return !takes_dots<T>(shape, a, b) && !takes_few_rows<T>(shape, b); };
  return compute == Dtype::kF64 ? packs(double{}) : packs(float{});
}

std::int64_t packed_panel_columns(Dtype compute) {
  if (!graph::is_float(compute)) return byte_panel_columns();
  const auto columns =
      compute == Dtype::kF64 ? gemm_kernels<double>().tile_columns : gemm_kernels<float>().tile_columns;
  return static_cast<std::int64_t>(columns);
}

std::size_t packed_matrix_bytes(Dtype compute, std::int64_t depth, std::int64_t columns) {
  if (!graph::is_float(compute)) return packed_bytes_size(depth, columns);
  const std::int64_t width = packed_panel_columns(compute);
  return to_size((columns + width - 1) / width * width * depth) * graph::dtype_bytes(compute);
}

void pack_matrix(Dtype compute, std::int64_t depth, std::int64_t columns, const MatrixView& b, std::int64_t begin,
                 std::int64_t end, std::byte* packed) {
  if (!graph::is_float(compute)) {
    pack_byte_matrix(depth, columns, b, begin, end, packed);
  } else if (compute == Dtype::kF64) {
    pack_panels(depth, columns, b, begin, end, reinterpret_cast<double*>(packed));
  } else {
    pack_panels(depth, columns, b, begin, end, reinterpret_cast<float*>(packed));
  }
}

void gemm(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, void* c,
          std::int64_t c_stride, std::byte* scratch, const PackedColumns* packed) {
  if (shape.rows == 0 || shape.columns == 0) return;
  if (!graph::is_float(compute)) {
    integer_gemm(compute, shape, a, b, c, c_stride, scratch, packed);
  } else if (compute == Dtype::kF64) {
    Product<double>(shape, a, b, alpha, static_cast<double*>(c), c_stride, scratch, packed).run();
  } else {
    Product<float>(shape, a, b, alpha, static_cast<float*>(c), c_stride, scratch, packed).run();
  }
}

}  // namespace alknet::compute
