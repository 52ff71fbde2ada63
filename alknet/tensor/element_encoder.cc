#include "alknet/tensor/element_encoder.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "alknet/tensor/elements.h"

namespace alknet::tensor {
namespace {

double decoded(schema::FileDtype dtype, std::uint32_t bits) {
  const std::array byte = {static_cast<std::byte>(bits)};
  return element_number(dtype, byte, 0);
}

}  // namespace

ElementEncoder::ElementEncoder(schema::FileDtype dtype, bool saturate) : dtype_(dtype), saturate_(saturate) {
  const std::uint32_t count = 1U << schema::info(dtype).bits;
  if (dtype != schema::FileDtype::kF8E8M0) sign_ = count / 2;
  negative_zero_ = sign_ != 0 && decoded(dtype, sign_) == 0;
  for (std::uint32_t bits = 0; bits < count; ++bits) {
    const double value = decoded(dtype, bits);
    if (std::isnan(value)) {
      if (nan_.empty()) nan_.push_back({value, bits});
    } else if (sign_ != 0 && bits >= sign_) {
      break;  // negative ones mirror the others
    } else if (std::isinf(value)) {
      infinity_.push_back({value, bits});
    } else {
      codes_.push_back({value, bits});
    }
  }
  for (std::uint32_t bits = sign_; nan_.empty() && bits < count; ++bits) {
    if (const double value = decoded(dtype, bits); std::isnan(value)) nan_.push_back({value, bits});
  }
}

bool ElementEncoder::find_beyond(double magnitude, std::uint32_t& bits) const {
  if (std::isinf(magnitude) && !infinity_.empty()) {
    bits = infinity_.front().bits;
    return true;
  }
  const Code& last = codes_.back();
  const double middle = last.magnitude + (last.magnitude - codes_[codes_.size() - 2].magnitude) / 2;
  const bool rounds_down = magnitude < middle || (magnitude == middle && last.bits % 2 == 0);
  bits = last.bits;
  return rounds_down || saturate_;
}

bool ElementEncoder::find(double value, std::uint32_t& bits) const {
  if (std::isnan(value)) {
    if (nan_.empty()) return false;
    bits = nan_.front().bits;
    return true;
  }
  if (sign_ == 0 && value < codes_.front().magnitude) {  // powers of two have neither zero nor sign
    bits = codes_.front().bits;
    return saturate_;
  }
  const double magnitude = std::fabs(value);
  if (magnitude > codes_.back().magnitude) {
    if (!find_beyond(magnitude, bits)) return false;
  } else {
    const auto above = std::ranges::lower_bound(codes_, magnitude, {}, &Code::magnitude);
    bits = above->bits;
    if (above != codes_.begin() && above->magnitude != magnitude) {
      const auto below = above - 1;
      const double up = above->magnitude - magnitude, down = magnitude - below->magnitude;
      if (down < up || (down == up && below->bits % 2 == 0)) bits = below->bits;
    }
  }
  if (sign_ != 0 && std::signbit(value) && (bits != 0 || negative_zero_)) bits |= sign_;
  return true;
}

bool ElementEncoder::store(std::span<std::byte> bytes, std::uint64_t index, double value) const {
  std::uint32_t bits = 0;
  if (!find(value, bits)) return false;
  const std::uint64_t first = index * schema::info(dtype_).bits;
  const std::uint32_t window = bits << (first % 8);
  bytes[first / 8] |= static_cast<std::byte>(window & 0xFF);
  if (window > 0xFF) bytes[first / 8 + 1] |= static_cast<std::byte>(window >> 8);
  return true;
}

}  // namespace alknet::tensor
