#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace alknet::schema {

/// A text to compare others with, without a call when it is short: its length and its first and last eight bytes, which
/// overlap and are the whole of it up to 16 bytes. The text must outlive it.
struct ShortText {
  ShortText() = default;
  explicit ShortText(std::string_view all) : text(all) {
    const char* data = all.data();
    const std::size_t size = all.size();
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

  std::uint64_t hash(std::uint64_t seed) const {
    const auto mixed = (first ^ std::rotl(last, 29) ^ text.size()) * seed;
    return (mixed ^ mixed >> 32) * seed;
  }

  bool operator==(const ShortText& other) const {
    return text.size() == other.text.size() && first == other.first && last == other.last &&
           (text.size() <= 2 * sizeof(std::uint64_t) || text == other.text);
  }

  std::string_view text;
  std::uint64_t first = 0, last = 0;

 private:
  template <typename Word>
  static Word load(const char* data) {
    Word word;
    std::memcpy(&word, data, sizeof word);
    return word;
  }
};

/// Finds which of a fixed list of names a text is. The names must outlive it. Immutable.
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

  /// The index of `name` in the list, or kNotFound. A few names are compared one after the other, from `expected` on:
  /// documents of one kind have their members in one order, which a processor foresees. Of more, nearly always one is.
  std::uint32_t find(std::string_view name, std::uint32_t expected = 0) const {
    const ShortText wanted(name);
    if (slots_.empty()) return find_in_turn(wanted, expected);
    for (auto at = wanted.hash(seed_) >> shift_;; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.index == kNotFound) return kNotFound;
      if (slot.name == wanted) return slot.index;
    }
  }

 private:
  struct Slot {
    ShortText name;
    std::uint32_t index = kNotFound;
  };

  std::uint32_t find_in_turn(const ShortText& wanted, std::uint32_t expected) const {
    const auto count = static_cast<std::uint32_t>(few_.size());
    for (std::uint32_t i = expected; i < count; ++i) {
      if (few_[i] == wanted) return i;
    }
    for (std::uint32_t i = 0; i < count && i < expected; ++i) {
      if (few_[i] == wanted) return i;
    }
    return kNotFound;
  }

  bool fill(const std::vector<std::string_view>& names, bool perfect);

  std::vector<ShortText> few_;  // the names, when they are few
  std::vector<Slot> slots_;     // else: a power of two of them, at most half of them taken
  std::uint64_t seed_ = 0;
  int shift_ = 0;
};

}  // namespace alknet::schema
