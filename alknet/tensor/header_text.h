#pragma once

#include <span>
#include <string>

#include "alknet/tensor/entry.h"
#include "alknet/tensor/placement.h"

namespace alknet::tensor {

/// The JSON of a header: metadata first, in its order, then entries sorted by (start, end, name bytes).
std::string header_text(const Metadata& metadata, std::span<const PlacedEntry* const> entries);

/// `metatensor.checksum`: a JSON object of hexadecimal digests by entry name.
std::string checksum_text(const Metadata& digests);

}  // namespace alknet::tensor
