#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alknet/compute/backend.h"

namespace alknet::compute::conformance {

/// What is known of a float format: enough to round to it and to measure errors in it.
struct FloatFormat {
  int precision;     ///< Bits of the significand, the hidden one included.
  int min_exponent;  ///< Of normal numbers.
  int max_exponent;
};
FloatFormat float_format(Dtype dtype);

/// `value` rounded to a number of the dtype: floats to nearest even, integers must fit.
double round_to(double value, Dtype dtype);
/// The distance of neighbouring numbers of the dtype at `value`.
double ulp_at(double value, Dtype dtype);
/// 2^(1 - precision).
double epsilon(Dtype dtype);

void encode(double value, Dtype dtype, std::byte* to);
double decode(const std::byte* from, Dtype dtype);

/// How a test tensor lies in memory.
enum class Arrangement {
  kContiguous,
  kTransposed,  ///< The dimensions in reverse order in memory.
  kSliced,      ///< Every second element of every dimension, not from the start.
  kBroadcast,   ///< Stride 0 in every second dimension, from the first.
};
const char* arrangement_name(Arrangement arrangement);

/// Random numbers to fill a tensor with.
struct Domain {
  double min = -10, max = 10;
  bool special = false;   ///< Some infinities and NaN.
  bool denormal = false;  ///< Some denormal numbers.
};

/// A tensor with its memory on the host.
struct TestTensor {
  Dtype dtype = Dtype::kF32;
  Strided layout;
  std::vector<std::byte> memory;

  /// Element with that row-major index; not of blocks.
  double at(std::int64_t index) const;
  /// All elements in row-major order.
  std::vector<double> values() const;
};

/// Blocks are contiguous whatever `arrangement` says. Also fills what lies between the elements of the layout. Starts
/// `alignment` bytes into its memory when sliced.
TestTensor make_tensor(const Shape& shape, Dtype dtype, Arrangement arrangement, const Domain& domain,
                       std::size_t alignment, std::mt19937_64& random);

/// Makes the matrices of the last two dimensions symmetric, with a diagonal that outweighs the rest.
void make_dominant(TestTensor& tensor);

/// Row-major index to position per dimension.
Shape position_of(std::int64_t index, const Shape& shape);
/// The element of a tensor of shape `from` that broadcasts to `position`: its row-major index.
std::int64_t broadcast_index(const Shape& position, const Shape& from);

}  // namespace alknet::compute::conformance
