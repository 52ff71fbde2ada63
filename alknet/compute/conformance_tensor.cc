#include "alknet/compute/conformance_tensor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace alknet::compute::conformance {
namespace {

template <typename T>
void put(double value, std::byte* to) {
  const T element = static_cast<T>(value);
  std::memcpy(to, &element, sizeof element);
}

template <typename T>
double get(const std::byte* from) {
  T element;
  std::memcpy(&element, from, sizeof element);
  return static_cast<double>(element);
}

/// The bits of a 16-bit float: a sign, an exponent, and a significand of precision - 1 bits.
std::uint16_t to_bits(double value, FloatFormat format) {
  const int fraction = format.precision - 1;
  const unsigned sign = std::signbit(value) ? 0x8000U : 0U;
  const unsigned top = static_cast<unsigned>(format.max_exponent - format.min_exponent + 2);
  const double magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | top << fraction | 1U << (fraction - 1));
  if (std::isinf(value)) return static_cast<std::uint16_t>(sign | top << fraction);
  if (magnitude < std::ldexp(1.0, format.min_exponent)) {
    return static_cast<std::uint16_t>(sign |
                                      static_cast<unsigned>(std::ldexp(magnitude, fraction - format.min_exponent)));
  }
  const int exponent = std::ilogb(magnitude);
  const auto significand = static_cast<unsigned>(std::ldexp(magnitude, fraction - exponent)) - (1U << fraction);
  return static_cast<std::uint16_t>(sign | static_cast<unsigned>(exponent - format.min_exponent + 1) << fraction |
                                    significand);
}

double from_bits(std::uint16_t bits, FloatFormat format) {
  const int fraction = format.precision - 1;
  const int top = format.max_exponent - format.min_exponent + 2;
  const int exponent = (bits & 0x7FFF) >> fraction;
  const int significand = bits & ((1 << fraction) - 1);
  double magnitude;
  if (exponent == top)
    magnitude = significand ? std::nan("") : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(significand, format.min_exponent - fraction);
  else
    magnitude = std::ldexp(significand + (1 << fraction), exponent - 1 + format.min_exponent - fraction);
  return bits & 0x8000 ? -magnitude : magnitude;
}

double random_value(Dtype dtype, const Domain& domain, std::mt19937_64& random) {
  if (dtype == Dtype::kBool) return static_cast<double>(random() & 1);
  if (!graph::is_float(dtype)) {
    double low = std::ceil(domain.min);
    if (dtype == Dtype::kU8 || dtype == Dtype::kU32) low = std::max(low, 0.0);
    const auto count = static_cast<std::uint64_t>(std::max(std::floor(domain.max) - low, 0.0)) + 1;
    return low + static_cast<double>(random() % count);
  }
  const double infinity = std::numeric_limits<double>::infinity();
  const std::uint64_t choice = random() % 16;
  if (choice == 0 && domain.min <= 0) return random() & 1 ? 0.0 : -0.0;
  if (choice == 1 && domain.special) return std::array{infinity, -infinity, std::nan("")}[random() % 3];
  if (choice == 2 && domain.denormal) {
    const FloatFormat format = float_format(dtype);
    const double unit = std::ldexp(1.0, format.min_exponent - format.precision + 1);
    return (random() & 1 ? unit : -unit) * static_cast<double>(1 + random() % 100);
  }
  const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
  return round_to(domain.min + (domain.max - domain.min) * unit, dtype);
}

}  // namespace

FloatFormat float_format(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF16: return {11, -14, 15};
    case Dtype::kBF16: return {8, -126, 127};
    case Dtype::kF32: return {24, -126, 127};
    default: return {53, -1022, 1023};
  }
}

double ulp_at(double value, Dtype dtype) {
  const FloatFormat format = float_format(dtype);
  const int exponent =
      value == 0 || !std::isfinite(value) ? format.min_exponent : std::max(std::ilogb(value), format.min_exponent);
  return std::ldexp(1.0, exponent - format.precision + 1);
}

double epsilon(Dtype dtype) { return std::ldexp(1.0, 1 - float_format(dtype).precision); }

double round_to(double value, Dtype dtype) {
  if (!graph::is_float(dtype) || dtype == Dtype::kF64 || !std::isfinite(value) || value == 0) return value;
  if (dtype == Dtype::kF32 && std::fabs(value) <= std::numeric_limits<float>::max()) {
    return static_cast<double>(static_cast<float>(value));
  }
  const double unit = ulp_at(value, dtype);
  const double rounded = std::nearbyint(value / unit) * unit;
  if (std::fabs(rounded) >= std::ldexp(1.0, float_format(dtype).max_exponent + 1)) {
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  }
  return std::copysign(rounded, value);
}

void encode(double value, Dtype dtype, std::byte* to) {
  switch (dtype) {
    case Dtype::kBool: return put<std::uint8_t>(value != 0 ? 1 : 0, to);
    case Dtype::kI8: return put<std::int8_t>(value, to);
    case Dtype::kU8: return put<std::uint8_t>(value, to);
    case Dtype::kI32: return put<std::int32_t>(value, to);
    case Dtype::kU32: return put<std::uint32_t>(value, to);
    case Dtype::kI64: return put<std::int64_t>(value, to);
    case Dtype::kF16:
    case Dtype::kBF16: {
      const std::uint16_t bits = to_bits(value, float_format(dtype));
      std::memcpy(to, &bits, sizeof bits);
      return;
    }
    case Dtype::kF32: return put<float>(value, to);
    case Dtype::kF64: return put<double>(value, to);
  }
}

double decode(const std::byte* from, Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool:
    case Dtype::kU8: return get<std::uint8_t>(from);
    case Dtype::kI8: return get<std::int8_t>(from);
    case Dtype::kI32: return get<std::int32_t>(from);
    case Dtype::kU32: return get<std::uint32_t>(from);
    case Dtype::kI64: return get<std::int64_t>(from);
    case Dtype::kF16:
    case Dtype::kBF16: {
      std::uint16_t bits;
      std::memcpy(&bits, from, sizeof bits);
      return from_bits(bits, float_format(dtype));
    }
    case Dtype::kF32: return get<float>(from);
    case Dtype::kF64: return get<double>(from);
  }
  return 0;
}

const char* arrangement_name(Arrangement arrangement) {
  constexpr std::array kNames = {"contiguous", "transposed", "sliced", "broadcast"};
  return kNames[static_cast<std::size_t>(arrangement)];
}

void make_dominant(TestTensor& tensor) {
  const Strided& layout = tensor.layout;
  const std::size_t rank = layout.shape.size();
  const auto place = [&](const Shape& at) {
    std::int64_t offset = layout.offset;
    for (std::size_t d = 0; d < rank; ++d) offset += at[d] * layout.strides[d];
    return tensor.memory.data() + offset * static_cast<std::int64_t>(graph::dtype_bytes(tensor.dtype));
  };
  for (std::int64_t i = 0; i < graph::element_count(layout.shape); ++i) {
    Shape at = position_of(i, layout.shape), turned = at;
    std::swap(turned[rank - 1], turned[rank - 2]);
    if (at == turned) encode(static_cast<double>(layout.shape.back()) + 1, tensor.dtype, place(at));
    if (at[rank - 1] > at[rank - 2]) encode(decode(place(turned), tensor.dtype), tensor.dtype, place(at));
  }
}

Shape position_of(std::int64_t index, const Shape& shape) {
  Shape position(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    position[d] = index % shape[d];
    index /= shape[d];
  }
  return position;
}

std::int64_t broadcast_index(const Shape& position, const Shape& from) {
  std::int64_t index = 0;
  const std::size_t missing = position.size() - from.size();
  for (std::size_t d = 0; d < from.size(); ++d) index = index * from[d] + (from[d] == 1 ? 0 : position[d + missing]);
  return index;
}

double TestTensor::at(std::int64_t index) const {
  const Shape position = position_of(index, layout.shape);
  std::int64_t element = layout.offset;
  for (std::size_t d = 0; d < position.size(); ++d) element += position[d] * layout.strides[d];
  return decode(memory.data() + element * static_cast<std::int64_t>(graph::dtype_bytes(dtype)), dtype);
}

std::vector<double> TestTensor::values() const {
  std::vector<double> result(static_cast<std::size_t>(graph::element_count(layout.shape)));
  Shape position(layout.shape.size(), 0);
  std::int64_t element = layout.offset;
  for (double& value : result) {
    value = decode(memory.data() + element * static_cast<std::int64_t>(graph::dtype_bytes(dtype)), dtype);
    for (std::size_t d = position.size(); d-- > 0;) {
      element += layout.strides[d];
      if (++position[d] < layout.shape[d]) break;
      element -= layout.strides[d] * layout.shape[d];
      position[d] = 0;
    }
  }
  return result;
}

TestTensor make_tensor(const Shape& shape, Dtype dtype, Arrangement arrangement, const Domain& domain,
                       std::size_t alignment, std::mt19937_64& random) {
  TestTensor tensor{dtype, {shape, Shape(shape.size()), 0}, {}};
  const auto bytes = graph::dtype_bytes(dtype);
  const bool sliced = arrangement == Arrangement::kSliced;
  if (sliced) tensor.layout.offset = static_cast<std::int64_t>(std::max(alignment, bytes) / bytes);
  std::int64_t stride = sliced ? 2 : 1;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    const std::size_t d = arrangement == Arrangement::kTransposed ? k : shape.size() - 1 - k;
    if (arrangement == Arrangement::kBroadcast && d % 2 == 0) continue;  // stays 0
    tensor.layout.strides[d] = stride;
    stride *= std::max<std::int64_t>(shape[d], 1) * (sliced ? 2 : 1);
  }
  const auto count = static_cast<std::size_t>(tensor.layout.offset + stride);
  tensor.memory.resize(count * bytes);
  for (std::size_t i = 0; i < count; ++i)
    encode(random_value(dtype, domain, random), dtype, tensor.memory.data() + i * bytes);
  return tensor;
}

}  // namespace alknet::compute::conformance
