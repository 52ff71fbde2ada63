#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "alknet/schema/file_dtype.h"

namespace alknet::tensor {

/// An entry as a Writer knows it. Offsets count from the start of the data region.
struct PlacedEntry {
  std::string name;
  schema::FileDtype dtype{};
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
  std::uint64_t align = 1;
  std::uint64_t begin = 0;

  std::uint64_t end() const { return begin + bytes; }
};

/// Puts entries one after the other into a data region, with a pad entry wherever one would start unaligned.
class Placement {
 public:
  /// `pads` false: entries touch, aligned or not (plain safetensors files).
  explicit Placement(bool pads) : pads_(pads) {}

  /// Places `entry` at the end. Throws `size_overflow`.
  void append(PlacedEntry& entry);

  /// Pad entries so far: `__pad__.0`, `__pad__.1`, ...
  std::span<const PlacedEntry> pads() const { return made_; }
  std::uint64_t end() const { return end_; }

 private:
  bool pads_;
  std::vector<PlacedEntry> made_;
  std::uint64_t end_ = 0;
};

/// The order in which a Writer places entries of one class (fixed or growing): those in `order` first and as given
/// there, then by alignment descending, then by name bytes.
std::vector<PlacedEntry*> placement_order(std::span<PlacedEntry* const> entries, std::span<const std::string> order);

}  // namespace alknet::tensor
