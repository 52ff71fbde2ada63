#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alknet::compute {

/// The tokens of a model and their ids: one block of text and an open-addressing table, about 20 bytes a token beside
/// its text. Filled by one thread with `add`; afterwards all other functions are thread-safe.
class Vocabulary {
 public:
  /// Makes room for `tokens`.
  void reserve(std::size_t tokens);

  /// Adds a token; false when it is there already, and then nothing changes.
  bool add(std::string_view token, std::int32_t id);

  std::optional<std::int32_t> find(std::string_view token) const;

  /// The token of an id, the first added when several have it; empty when none has.
  /// Valid until the next `add`.
  std::string_view token(std::int32_t id) const;

  std::size_t size() const { return entries_.size(); }

  /// One more than the largest id; 0 when empty.
  std::size_t id_limit() const { return by_id_.size(); }

  struct Match {
    std::size_t bytes = 0;  ///< 0: none.
    std::int32_t id = 0;
  };

  /// The longest token of more than `min_bytes` bytes that `text` starts with. `hashes` is scratch space.
  Match longest_match(std::string_view text, std::size_t min_bytes, std::vector<std::uint64_t>& hashes) const;

  /// The largest id that fits: a table by id must not be larger than a file can justify.
  static constexpr std::int32_t kMaxId = (1 << 24) - 1;

 private:
  struct Entry {
    std::uint32_t offset;  // in text_
    std::uint32_t bytes;
    std::int32_t id;
    std::uint32_t tag;  // the upper half of the hash
  };

  std::string_view text_of(const Entry& entry) const {
    return std::string_view(text_).substr(entry.offset, entry.bytes);
  }
  const Entry* lookup(std::string_view token, std::uint64_t hash) const;
  void rehash(std::size_t slots);

  std::string text_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index into entries_ plus 1, 0: free; a power of two of them
  std::vector<std::uint32_t> by_id_;  // likewise, by id
  std::size_t max_bytes_ = 0;         // the longest token
};

}  // namespace alknet::compute
