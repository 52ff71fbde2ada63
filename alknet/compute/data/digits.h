#pragma once

#include <string>
#include <string_view>

#include "alknet/compute/data/dataset.h"
#include "alknet/tensor/file.h"

namespace alknet::compute {

// The handwritten digits of `sklearn.datasets.load_digits`: 1,797 images of 8x8 whole numbers from 0 to 16, from the
// test part of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, UCI, 1998).

inline constexpr std::string_view kDigitsEntry = "digits";

/// Writes the metatensor of `csv` (a line an image: 64 pixels, row by row, then the digit) to `path`: the struct tensor
/// `digits` of records {image: Uint8 [8][8], label: Uint8}. Throws Error `invalid_argument` with the line at fault.
void write_digits(const std::string& path, std::string_view csv);

/// The samples of such a file: field 0 is the image, f32 [8, 8] from 0 to 1; field 1 the label, i64 [].
/// Throws what tensor::File throws.
Dataset digits_dataset(const tensor::File& file);

/// The labels of all samples.
std::vector<std::int64_t> digits_labels(const tensor::File& file);

}  // namespace alknet::compute
