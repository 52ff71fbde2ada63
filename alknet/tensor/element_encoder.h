#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/schema/file_dtype.h"

namespace alknet::tensor {

/// Writes numbers as elements of a float dtype of at most 8 bits: rounded to nearest, ties to even. The inverse of
/// element_number (elements.h). Immutable.
class ElementEncoder {
 public:
  /// `dtype` is F4, one of F6 or F8.
  ElementEncoder(schema::FileDtype dtype, bool saturate);

  /// Sets element `index` of `bytes`, whose bits are zero. False, and nothing written, when the number is beyond the
  /// dtype's range and not to be saturated, or a NaN that the dtype lacks.
  bool store(std::span<std::byte> bytes, std::uint64_t index, double value) const;

 private:
  struct Code {
    double magnitude;
    std::uint32_t bits;
  };
  bool find(double value, std::uint32_t& bits) const;
  bool find_beyond(double magnitude, std::uint32_t& bits) const;

  schema::FileDtype dtype_;
  bool saturate_;
  std::vector<Code> codes_;     // finite ones without sign, ascending
  std::uint32_t sign_ = 0;      // the bit of the sign; 0 when there is none
  bool negative_zero_ = false;  // the sign alone is -0
  std::vector<Code> infinity_;  // none or one
  std::vector<Code> nan_;
};

}  // namespace alknet::tensor
