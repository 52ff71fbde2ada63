#include "alknet/tensor/import/transpose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

namespace alknet::tensor {
namespace {

using Array = std::vector<std::int32_t>;

// By the definition: element (i0, i1, ...) is at sum of i_k * product(shape before k) in Fortran order.
Array expected(const std::vector<std::int64_t>& shape, const Array& fortran) {
  Array c(fortran.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (auto& value : c) {
    std::size_t place = 0;
    std::size_t stride = 1;
    for (std::size_t k = 0; k < shape.size(); ++k) {
      place += static_cast<std::size_t>(index[k]) * stride;
      stride *= static_cast<std::size_t>(shape[k]);
    }
    value = fortran[place];
    for (std::size_t k = shape.size(); k-- > 0 && ++index[k] == shape[k];) index[k] = 0;
  }
  return c;
}

TEST(FortranToC, MovesEveryItemOnceWhateverTheTiles) {
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{
           {}, {5}, {3, 4}, {1, 7}, {7, 1}, {2, 3, 4}, {4, 1, 3, 2}, {17, 2, 5}, {2, 31}, {3, 3, 3, 3}, {0, 3}}) {
    const auto count =
        static_cast<std::size_t>(std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
    Array fortran(count);
    std::iota(fortran.begin(), fortran.end(), 100);
    for (const std::size_t budget : {1u, 16u, 64u, 200u, 4096u}) {
      Array c(count, -1);
      std::size_t read = 0;
      std::size_t written = 0;
      fortran_to_c(
          shape, 4, budget,
          [&](std::uint64_t offset, std::span<std::byte> into) {
            std::memcpy(into.data(), reinterpret_cast<const std::byte*>(fortran.data()) + offset, into.size());
            read += into.size();
          },
          [&](std::uint64_t offset, std::span<const std::byte> bytes) {
            std::memcpy(reinterpret_cast<std::byte*>(c.data()) + offset, bytes.data(), bytes.size());
            written += bytes.size();
          });
      EXPECT_EQ(c, expected(shape, fortran));
      EXPECT_EQ(read, count * 4);
      EXPECT_EQ(written, count * 4);
    }
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(fortran[fortran_index(i, shape)], expected(shape, fortran)[i]);
  }
}

TEST(FortranToC, ReadsAndWritesLongRuns) {
  const std::vector<std::int64_t> shape = {1000, 3};
  std::size_t reads = 0;
  std::size_t writes = 0;
  fortran_to_c(
      shape, 4, 1 << 20, [&](std::uint64_t, std::span<std::byte>) { ++reads; },
      [&](std::uint64_t, std::span<const std::byte>) { ++writes; });
  EXPECT_EQ(reads, 1u);
  EXPECT_EQ(writes, 1u);
}

// Whatever the axes: with a tenth of the array in memory, no access is of a few items.
TEST(FortranToC, ReadsAndWritesLongRunsOfAnyRank) {
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{{3, 40'000, 2},
                                                                                       {2, 60'000, 2},
                                                                                       {240'000, 1},
                                                                                       {1, 240'000},
                                                                                       {1, 3, 80'000},
                                                                                       {80'000, 1, 3},
                                                                                       {490, 490},
                                                                                       {60, 60, 60},
                                                                                       {2, 2, 2, 30'000},
                                                                                       {30'000, 2, 2, 2},
                                                                                       {2, 2, 15'000, 2, 2}}) {
    std::size_t accesses = 0;
    const auto count = [&](std::uint64_t, auto) { ++accesses; };
    fortran_to_c(shape, 8, 200'000, count, count);
    EXPECT_LE(accesses, 5'000u) << shape[0] << "," << shape[1];
  }
}

}  // namespace
}  // namespace alknet::tensor
