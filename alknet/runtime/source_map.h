#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::runtime {

/// A place in a text; lines and columns count from 1.
struct TextPosition {
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend bool operator==(const TextPosition&, const TextPosition&) = default;
};

/// Where generated code comes from: a source map (ECMA-426, version 3; no sections). Immutable: any thread.
class SourceMap {
 public:
  /// What a position of generated code stands for.
  struct Original {
    std::string source;
    TextPosition position;
  };

  /// Throws `invalid_argument` when `json` is no source map.
  explicit SourceMap(std::string_view json);

  /// The original of the last mapping at or before a position on its line; nothing when there is none.
  std::optional<Original> original(TextPosition generated) const;

 private:
  struct Segment {
    std::uint32_t line, column;  // generated; from 0
    std::int32_t source;         // -1: none
    std::uint32_t original_line, original_column;
  };
  void read_mappings(std::string_view mappings);

  std::vector<std::string> sources_;
  std::vector<Segment> segments_;
};

}  // namespace alknet::runtime
