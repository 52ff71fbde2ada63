#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace alknet::schema {

/// Finds which of a fixed list of names a text is. Names of up to 16 bytes are compared as two words, without a call.
/// The names must outlive it. Immutable.
class NameTable {
 public:
  static constexpr std::uint32_t kNotFound = UINT32_MAX;

  NameTable() = default;

  /// `names` are distinct.
  explicit NameTable(const std::vector<std::string_view>& names);

  /// The table of the rows of a constant table, by their member `name`.
  template <typename Rows>
  static NameTable of(const Rows& rows) {
    std::vector<std::string_view> names;
    for (const auto& row : rows) names.push_back(row.name);
    return NameTable(names);
  }

  /// The index of `name` in the list, or kNotFound. At most as many comparisons as there are names; nearly always one.
  std::uint32_t find(std::string_view name) const {
    if (slots_.empty()) return kNotFound;
    const Words words(name);
    for (auto at = words.hash(seed_) >> shift_;; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.index == kNotFound) return kNotFound;
      if (slot.words == words && (name.size() <= 2 * sizeof(std::uint64_t) || slot.name == name)) return slot.index;
    }
  }

 private:
  /// The length of a text and its first and last eight bytes, which overlap: the whole of it up to 16 bytes.
  struct Words {
    Words() = default;
    explicit Words(std::string_view text) : size(text.size()) {
      const char* data = text.data();
      if (size >= 8) {
        first = load<std::uint64_t>(data);
        last = load<std::uint64_t>(data + size - 8);
      } else if (size >= 4) {
        first = load<std::uint32_t>(data);
        last = load<std::uint32_t>(data + size - 4);
      } else {
        for (std::size_t i = 0; i < size; ++i) first = first << 8 | static_cast<unsigned char>(data[i]);
      }
    }

    template <typename Word>
    static Word load(const char* data) {
      Word word;
      std::memcpy(&word, data, sizeof word);
      return word;
    }

    std::uint64_t hash(std::uint64_t seed) const {
      const auto mixed = (first ^ std::rotl(last, 29) ^ size) * seed;
      return (mixed ^ mixed >> 32) * seed;
    }
    bool operator==(const Words&) const = default;

    std::uint64_t first = 0, last = 0, size = 0;
  };
  struct Slot {
    Words words;
    std::string_view name;
    std::uint32_t index = kNotFound;
  };

  bool fill(const std::vector<std::string_view>& names, bool perfect);

  std::vector<Slot> slots_;  // a power of two of them, at most half of them taken
  std::uint64_t seed_ = 0;
  int shift_ = 0;
};

}  // namespace alknet::schema
