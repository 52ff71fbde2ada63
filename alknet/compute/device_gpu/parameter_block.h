#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/compute/generate/kernel_spec.h"
#include "alknet/graph/dim.h"

namespace alknet::compute {

/// Dimensions to walk, with the stride of every operand: what an IndexMap's table is made of.
struct DimensionTable {
  graph::Shape sizes;                 ///< Outermost first.
  std::vector<graph::Shape> strides;  ///< Per operand, parallel to `sizes`, in elements.
};

/// The same walk in as few dimensions as possible: sizes of 1 go, neighbours merge where every operand steps evenly
/// over both. At least one dimension remains.
DimensionTable collapse(const DimensionTable& table);

/// The values of a kernel's parameters, laid out as its uniform block. Setting a name that the spec lacks throws Error
/// `internal`; a value that does not fit its word throws `limit_exceeded` naming it.
class ParameterBlock {
 public:
  explicit ParameterBlock(const KernelSpec& spec);

  void set(std::string_view name, std::int64_t value);
  void set_number(std::string_view name, double value);  ///< Converted to the parameter's type.
  void set_map(std::string_view name, const DimensionTable& table);
  void set_words(std::string_view name, std::span<const std::uint32_t> words);  ///< The first items of an array.

  bool has_map(std::string_view name) const;

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(words_)); }

  /// The single u32 parameters by name: what workgroup counts are computed from.
  graph::DimValues values() const;

 private:
  std::size_t index_of(std::string_view name) const;

  const KernelSpec& spec_;
  ParameterLayout layout_;
  std::vector<std::uint32_t> words_;
};

}  // namespace alknet::compute
