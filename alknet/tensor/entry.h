#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/schema/file_dtype.h"

namespace alknet::tensor {

/// One entry of a file's header. Name and shape live in the file object that the entry came from.
struct Entry {
  std::string_view name;
  std::span<const std::int64_t> shape;  ///< As stored: a struct tensor ends in its stride, a blob tensor in 16.
  std::uint64_t begin = 0;              ///< First byte, counted from the start of the file.
  std::uint64_t end = 0;                ///< One past the last byte.
  schema::FileDtype dtype{};

  std::uint64_t bytes() const { return end - begin; }
};

/// The `__metadata__` of a file in file order.
using Metadata = std::vector<std::pair<std::string, std::string>>;

}  // namespace alknet::tensor
