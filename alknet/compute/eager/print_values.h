#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// The elements of a tensor, read for printing.
class PrintValues {
 public:
  explicit PrintValues(const Tensor& tensor);
  bool floats() const { return !numbers_.empty(); }
  double number(std::int64_t index) const { return numbers_[static_cast<std::size_t>(index)]; }
  /// Of integers and bool.
  std::string text(std::int64_t index) const;

 private:
  bool boolean_ = false;
  std::vector<double> numbers_;
  std::vector<std::int64_t> integers_;
};

/// How PyTorch writes elements of one tensor: whole numbers as "1.", others with 4 digits, with exponents when the
/// range is wide; all equally wide.
class PrintFormat {
 public:
  /// `shown` are the elements that will be written. `values` must outlive this.
  PrintFormat(const PrintValues& values, std::span<const std::int64_t> shown);
  std::size_t width() const { return width_; }
  std::string text(std::int64_t index) const;

 private:
  std::string bare(std::int64_t index) const;

  const PrintValues& values_;
  bool whole_ = true;
  bool scientific_ = false;
  std::size_t width_ = 1;
};

}  // namespace alknet::compute
