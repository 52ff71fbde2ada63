#include "alknet/compute/device_cpu/integer_gemm.h"

#include <algorithm>
#include <type_traits>

#include "alknet/compute/device_cpu/byte_kernels.h"
#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/scratch.h"
#include "alknet/compute/device_cpu/storage_type.h"

namespace alknet::compute {
namespace {

using Word = std::int32_t;

// Blocks as in gemm.cc, in elements of i8: a panel of b fits the first-level cache.
constexpr std::int64_t kByteDepth = 1024;  // a multiple of the kernels' steps
constexpr std::int64_t kByteColumns = 512;
constexpr std::int64_t kBytePanels = 10;  // of a in a block

std::int64_t round_up_div(std::int64_t value, std::int64_t step) { return (value + step - 1) / step; }

/// The kernels' sizes as signed numbers, and what follows from them.
struct ByteSizes {
  const ByteKernels& kernels = byte_kernels();
  std::int64_t rows = to_signed(kernels.tile_rows), columns = to_signed(kernels.tile_columns);

  std::int64_t words(std::int64_t depth) const { return round_up_div(depth, to_signed(kernels.step)); }
  std::int64_t panel(std::int64_t depth) const { return columns * (1 + words(depth)); }
  std::int64_t panels(std::int64_t width) const { return round_up_div(width, columns); }
  /// Where the block of depth k begins in a matrix packed whole.
  std::int64_t block(std::int64_t k, std::int64_t width) const {
    return k / kByteDepth * panels(width) * panel(kByteDepth);
  }
};

const std::int8_t* byte_at(const MatrixView& matrix, std::int64_t row, std::int64_t column) {
  return reinterpret_cast<const std::int8_t*>(matrix.data) + row * matrix.row_stride + column * matrix.column_stride;
}

void pack_byte_panel(const ByteSizes& sizes, const MatrixView& b, std::int64_t k, std::int64_t depth,
                     std::int64_t column, std::int64_t width, Word* panel) {
  sizes.kernels.pack_columns(byte_at(b, k, column), b.row_stride, b.column_stride, to_size(depth), to_size(width),
                             panel);
}

struct ByteParts {
  std::size_t a_at, b_at, total;
};
ByteParts byte_parts(const GemmShape& shape) {
  const ByteSizes sizes;
  const std::int64_t depth = std::min(shape.depth, kByteDepth), columns = std::min(shape.columns, kByteColumns);
  const std::int64_t rows = std::min(shape.rows, kBytePanels * sizes.rows);
  ScratchLayout layout;
  ByteParts parts;
  parts.a_at = layout.add(to_size(rows * sizes.words(depth)) * sizeof(Word));
  parts.b_at = layout.add(to_size(sizes.panels(columns) * sizes.panel(depth)) * sizeof(Word));
  parts.total = layout.total();
  return parts;
}

void byte_gemm(const GemmShape& shape, const MatrixView& a, const MatrixView& b, Word* c, std::int64_t c_stride,
               std::byte* scratch, const PackedColumns* whole) {
  const ByteSizes sizes;
  const ByteParts parts = byte_parts(shape);
  auto* const packed_a = reinterpret_cast<Word*>(scratch + parts.a_at);
  auto* const packed_b = reinterpret_cast<Word*>(scratch + parts.b_at);
  const std::int64_t step = whole ? shape.columns : kByteColumns, block_rows = kBytePanels * sizes.rows;
  for (std::int64_t column = 0; column < shape.columns; column += step) {
    const std::int64_t columns = std::min(step, shape.columns - column);
    for (std::int64_t k = 0; k < shape.depth; k += kByteDepth) {
      const std::int64_t depth = std::min(kByteDepth, shape.depth - k);
      const std::int64_t words = sizes.words(depth), panel = sizes.panel(depth);
      const Word* right = packed_b;
      if (whole) {
        right = reinterpret_cast<const Word*>(whole->data) + sizes.block(k, whole->columns) +
                (whole->first + column) / sizes.columns * panel;
      } else {
        for (std::int64_t j = 0; j < columns; j += sizes.columns) {
          pack_byte_panel(sizes, b, k, depth, column + j, std::min(sizes.columns, columns - j),
                          packed_b + j / sizes.columns * panel);
        }
      }
      for (std::int64_t row = 0; row < shape.rows; row += block_rows) {
        const std::int64_t rows = std::min(block_rows, shape.rows - row);
        for (std::int64_t i = 0; i < rows; i += sizes.rows) {
          sizes.kernels.pack_rows(byte_at(a, row + i, k), a.row_stride, a.column_stride,
                                  to_size(std::min(sizes.rows, rows - i)), to_size(depth), packed_a + i * words);
        }
        for (std::int64_t j = 0; j < columns; j += sizes.columns) {
          for (std::int64_t i = 0; i < rows; i += sizes.rows) {
            sizes.kernels.tile(to_size(std::min(sizes.rows, rows - i)), to_size(std::min(sizes.columns, columns - j)),
                               to_size(words), packed_a + i * words, right + j / sizes.columns * panel,
                               c + (row + i) * c_stride + column + j, c_stride, k > 0);
          }
        }
      }
    }
  }
}

/// In what products of T are summed and stored: bytes are computed in i32.
template <typename T>
using Sum = std::conditional_t<sizeof(T) == 1, std::int32_t, T>;

/// One row at a time; a row of b is added to it in one pass where its elements lie side by side.
template <typename T>
void plain_gemm(const GemmShape& shape, const MatrixView& a, const MatrixView& b, Sum<T>* c, std::int64_t c_stride) {
  using Wide = std::make_unsigned_t<Sum<T>>;  // wraps
  const auto* const left = reinterpret_cast<const T*>(a.data);
  const auto* const right = reinterpret_cast<const T*>(b.data);
  const bool by_rows = b.column_stride == 1;
  for (std::int64_t r = 0; r < shape.rows; ++r, c += c_stride) {
    const T* const row = left + r * a.row_stride;
    if (!by_rows) {
      for (std::int64_t j = 0; j < shape.columns; ++j) {
        const T* const column = right + j * b.column_stride;
        Wide sum = 0;
        for (std::int64_t k = 0; k < shape.depth; ++k) {
          sum += static_cast<Wide>(row[k * a.column_stride]) * static_cast<Wide>(column[k * b.row_stride]);
        }
        c[j] = static_cast<Sum<T>>(sum);
      }
      continue;
    }
    std::fill_n(c, shape.columns, Sum<T>{0});
    for (std::int64_t k = 0; k < shape.depth; ++k) {
      const auto factor = static_cast<Wide>(row[k * a.column_stride]);
      const T* const from = right + k * b.row_stride;
      for (std::int64_t j = 0; j < shape.columns; ++j) {
        c[j] = static_cast<Sum<T>>(static_cast<Wide>(c[j]) + factor * static_cast<Wide>(from[j]));
      }
    }
  }
}

}  // namespace

bool packs_bytes(Dtype compute, const MatrixView& a, const MatrixView& b) {
  return compute == Dtype::kI32 && a.dtype == Dtype::kI8 && b.dtype == Dtype::kI8;
}

std::int64_t byte_panel_columns() { return ByteSizes().columns; }

std::size_t packed_bytes_size(std::int64_t depth, std::int64_t columns) {
  const ByteSizes sizes;
  const std::int64_t rest = depth % kByteDepth;
  const std::int64_t last = rest == 0 ? 0 : sizes.panels(columns) * sizes.panel(rest);
  return to_size(sizes.block(depth, columns) + last) * sizeof(Word);
}

void pack_byte_matrix(std::int64_t depth, std::int64_t columns, const MatrixView& b, std::int64_t begin,
                      std::int64_t end, std::byte* packed) {
  const ByteSizes sizes;
  for (std::int64_t k = 0; k < depth; k += kByteDepth) {
    const std::int64_t rows = std::min(kByteDepth, depth - k);
    Word* const block = reinterpret_cast<Word*>(packed) + sizes.block(k, columns);
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const std::int64_t column = panel * sizes.columns;
      pack_byte_panel(sizes, b, k, rows, column, std::min(sizes.columns, columns - column),
                      block + panel * sizes.panel(rows));
    }
  }
}

std::size_t integer_gemm_scratch_bytes(Dtype compute, const GemmShape& shape, const MatrixView& a,
                                       const MatrixView& b) {
  return packs_bytes(compute, a, b) ? byte_parts(shape).total : 0;
}

void integer_gemm(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b, void* c,
                  std::int64_t c_stride, std::byte* scratch, const PackedColumns* packed) {
  if (packs_bytes(compute, a, b) && shape.depth > 0) {
    byte_gemm(shape, a, b, static_cast<Word*>(c), c_stride, scratch, packed);
    return;
  }
  visit_storage(a.dtype, [&]<typename T>(T) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      plain_gemm<T>(shape, a, b, static_cast<Sum<T>*>(c), c_stride);
    }
  });
}

}  // namespace alknet::compute
