#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/schema/file_schema.h"
#include "alknet/schema/kind.h"

namespace alknet::tensor {

/// One field of a block.
struct BlockField {
  std::string_view name;
  schema::Kind kind;
  std::uint32_t count;  ///< Items; 1 is a plain number, more are an Array.
};

/// How a fixed number of consecutive values of a weight are stored together. The formats are those of ggml
/// (ggml/src/ggml-common.h) with its field names; here they are the structs of struct tensors.
struct BlockFormat {
  std::string_view name;  ///< "Q4_0"
  std::int64_t values;    ///< Values in a block.
  std::uint32_t bytes;    ///< The stride; the fields follow each other without padding.
  std::span<const BlockField> fields;
};

/// All rows: Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K. Adding a format is adding a row.
std::span<const BlockFormat> block_formats();

/// The row of that name, or nullptr.
const BlockFormat* find_block_format(std::string_view name);

/// The row that the records of a struct tensor are of: blocks of so many values along the last axis, and the same
/// fields at the same places, whatever the Struct is called; nullptr when there is none.
const BlockFormat* find_block_format(const schema::FileEntry& entry);

/// The Struct of a block; its `title` is the format's name.
JsonObject block_schema(const BlockFormat& format);

}  // namespace alknet::tensor
