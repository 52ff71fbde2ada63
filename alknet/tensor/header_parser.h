#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/tensor/entry.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/header.h"
#include "alknet/tensor/json_cursor.h"

namespace alknet::tensor {

/// One pass over a header's JSON: fills the tables below and checks each entry on its own. Used by Header::parse only.
class HeaderParser {
 public:
  /// `text` has place.data_offset - 8 bytes; names in `entries` are views of it.
  HeaderParser(char* text, const HeaderPlace& place, std::string_view path);

  void parse();

  std::vector<std::int64_t> dimensions;  ///< All shapes, one after the other in the order of `entries`.
  std::vector<Entry> entries;            ///< In file order; `shape` has its size but no data yet.
  Metadata metadata;

 private:
  void check_text() const;
  void parse_members();
  void parse_metadata();
  void parse_entry(std::string_view name);
  void parse_dtype(Entry& entry);
  std::size_t parse_shape();
  void parse_offsets(Entry& entry);
  void check_entry(const Entry& entry, std::span<const std::int64_t> shape) const;
  void check_name(std::string_view name) const;
  void check_metadata_keys() const;
  [[noreturn]] void refuse_value(const char* what);
  [[noreturn]] void fail(TensorError code, std::string_view what, std::string_view remedy) const;
  Where here() const;

  std::string_view text_;
  HeaderPlace place_;
  std::string_view path_;
  JsonCursor cursor_;
  std::string_view entry_name_;   // of the entry being parsed, for messages
  std::size_t entry_offset_ = 0;  // where its name starts in the text
};

}  // namespace alknet::tensor
