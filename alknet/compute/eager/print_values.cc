#include "alknet/compute/eager/print_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "alknet/base/float16.h"

namespace alknet::compute {
namespace {

constexpr double kMaxPlain = 1e8;   // larger numbers are written with an exponent,
constexpr double kMinPlain = 1e-4;  // smaller ones as well,
constexpr double kMaxRatio = 1000;  // and all when they differ more than that

template <typename T, typename To, typename Convert>
void append_values(std::span<const std::byte> bytes, std::vector<To>& to, Convert convert) {
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + i, sizeof value);
    to.push_back(convert(value));
  }
}

}  // namespace

PrintValues::PrintValues(const Tensor& tensor) : boolean_(tensor.dtype() == Dtype::kBool) {
  const Tensor values = graph::is_block(tensor.dtype()) ? tensor.to(Dtype::kF32) : tensor;
  const auto bytes = values.read();
  const auto number = [](auto value) { return static_cast<double>(value); };
  const auto half = [](auto value) { return static_cast<double>(to_float(value)); };
  const auto integer = [](auto value) { return static_cast<std::int64_t>(value); };
  switch (values.dtype()) {
    case Dtype::kBool:
    case Dtype::kU8: append_values<std::uint8_t>(bytes, integers_, integer); break;
    case Dtype::kI8: append_values<std::int8_t>(bytes, integers_, integer); break;
    case Dtype::kI32: append_values<std::int32_t>(bytes, integers_, integer); break;
    case Dtype::kU32: append_values<std::uint32_t>(bytes, integers_, integer); break;
    case Dtype::kI64: append_values<std::int64_t>(bytes, integers_, integer); break;
    case Dtype::kF16: append_values<Half>(bytes, numbers_, half); break;
    case Dtype::kBF16: append_values<BFloat16>(bytes, numbers_, half); break;
    case Dtype::kF32: append_values<float>(bytes, numbers_, number); break;
    default: append_values<double>(bytes, numbers_, number); break;
  }
}

std::string PrintValues::text(std::int64_t index) const {
  const std::int64_t value = integers_[static_cast<std::size_t>(index)];
  if (boolean_) return value != 0 ? "True" : "False";
  return std::to_string(value);
}

PrintFormat::PrintFormat(const PrintValues& values, std::span<const std::int64_t> shown) : values_(values) {
  std::vector<std::int64_t> counted;  // those that decide the form
  double least = 0, most = 0;
  for (const std::int64_t index : shown) {
    if (values.floats()) {
      const double size = std::fabs(values.number(index));
      if (!(size > 0) || std::isinf(size)) continue;
      least = counted.empty() ? size : std::min(least, size);
      most = std::max(most, size);
      whole_ = whole_ && size == std::ceil(size);
    }
    counted.push_back(index);
  }
  if (values.floats() && !counted.empty()) {
    scientific_ = most / least > kMaxRatio || most > kMaxPlain || (!whole_ && least < kMinPlain);
  }
  for (const std::int64_t index : counted) width_ = std::max(width_, bare(index).size());
}

std::string PrintFormat::bare(std::int64_t index) const {
  if (!values_.floats()) return values_.text(index);
  const double value = values_.number(index);
  if (std::isnan(value)) return "nan";  // whatever its sign
  if (scientific_) return fmt::format("{:.4e}", value);
  if (!whole_) return fmt::format("{:.4f}", value);
  return fmt::format("{:.0f}", value) + (std::isinf(value) ? "" : ".");
}

std::string PrintFormat::text(std::int64_t index) const { return fmt::format("{:>{}}", bare(index), width_); }

}  // namespace alknet::compute
