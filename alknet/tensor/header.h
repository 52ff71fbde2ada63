#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/tensor/entry.h"

namespace alknet::tensor {

/// Where a header's text lies in its file.
struct HeaderPlace {
  std::uint64_t data_offset = 0;  ///< Where the text ends and the data region starts.
  std::uint64_t file_size = 0;    ///< Bytes of the whole file.
};

/// Checks the first bytes of a file before its header is read: `prefix` are its first min(8, size) bytes. Returns
/// where the header ends. Throws `header_too_small`, `header_too_large`, `header_truncated`.
HeaderPlace place_header(std::span<const std::byte> prefix, std::uint64_t file_size, std::string_view path);

/// The parsed and checked header of a file: a table of entries in data order, an index by name, and the metadata.
///
/// Names are views of the header's own text, dimensions share one array: an entry costs no allocation of its own.
/// Immutable once made; movable, and entries stay where they are.
class Header {
 public:
  Header() = default;
  Header(Header&&) noexcept = default;
  Header& operator=(Header&&) noexcept = default;

  /// Parses header text (the bytes between prefix and data), which becomes part of the header, in one pass. Throws the
  /// TensorError of the first fault: JSON and single entries as they come, then names twice, then the data region as a
  /// whole, then the version.
  static Header parse(std::unique_ptr<char[]> text, const HeaderPlace& place, std::string_view path);

  std::span<const Entry> entries() const { return entries_; }
  const Entry* find(std::string_view name) const;
  const Metadata& metadata() const { return metadata_; }
  bool is_metatensor() const { return is_metatensor_; }

 private:
  std::size_t slot(std::string_view name) const;
  void build_index(std::string_view path);
  void check_region(const HeaderPlace& place, std::string_view path) const;
  void check_version(std::string_view path);

  std::unique_ptr<char[]> text_;
  std::vector<std::int64_t> dimensions_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> index_;  // open addressing: 1 + rank of an entry, 0 when free; a power of two long
  std::uint64_t seed_ = 0;            // of the hash, random: names cannot be chosen to collide
  Metadata metadata_;
  bool is_metatensor_ = false;
};

}  // namespace alknet::tensor
