#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "alknet/schema/converters.h"
#include "alknet/schema/number_conversion.h"
#include "alknet/tensor/element_encoder.h"

namespace alknet::tensor {

/// Elements of one dtype to elements of another: numbers as schema::NumberConversion does, small floats too, or each
/// element's JSON (elements.h) through a caller's converter. Used by one thread at a time.
class FlatConversion {
 public:
  /// `convert` is null, or lives as long.
  FlatConversion(schema::FileDtype from, schema::FileDtype to, const schema::ConvertValue* convert, bool saturate);

  /// Whether elements stay as they are.
  bool is_copy() const { return copy_; }

  /// Whether there is a way at all.
  bool is_possible() const { return possible_; }

  /// Converts `count` elements; `to` is zeros. Throws `instance_invalid` with `index` in details for the first that
  /// does not fit.
  void run(std::span<const std::byte> from, std::span<std::byte> to, std::uint64_t count) const;

 private:
  void store_json(const Json& value, std::span<std::byte> to, std::uint64_t index) const;
  [[noreturn]] void refuse(std::uint64_t index, const std::string& reason) const;

  schema::FileDtype from_;
  schema::FileDtype to_;
  const schema::ConvertValue* convert_;
  bool saturate_;
  bool copy_;
  bool possible_ = true;
  std::optional<schema::NumberConversion> numbers_;  // both are integers or IEEE floats
  std::optional<ElementEncoder> encoder_;            // to a small float
};

}  // namespace alknet::tensor
