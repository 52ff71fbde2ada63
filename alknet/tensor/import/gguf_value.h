#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "alknet/tensor/import/foreign_reader.h"

namespace alknet::tensor {

/// An array of strings in the metadata of a GGUF file, which stays where it is.
struct GgufStrings {
  std::uint64_t offset = 0;  ///< Of the first string's length in the file.
  std::uint64_t count = 0;
  bool is_utf8 = true;  ///< All of them.
};

/// A metadata value: JSON text, or an array of strings.
struct GgufValue {
  std::string json = {};
  std::optional<GgufStrings> strings = {};
  std::optional<std::uint32_t> uint32 = {};  ///< Of that type: `general.alignment` must be.
};

/// The longest text that a string, or the JSON of all values of a file, may have.
inline constexpr std::uint64_t kMaxGgufText = std::uint64_t{64} << 20;

/// Reads the value that follows its type. Throws as Importer.
GgufValue read_gguf_value(ForeignReader& reader);

/// Reads a string: u64 length and bytes.
std::string read_gguf_string(ForeignReader& reader, std::uint64_t limit = kMaxGgufText);

}  // namespace alknet::tensor
