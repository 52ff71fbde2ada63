#include "alknet/tensor/header.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <sys/random.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/header_parser.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

// Decides in which slot a name lies, never a result: without randomness an index is easier to slow down, not wrong.
std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) seed = reinterpret_cast<std::uintptr_t>(&seed);
  return seed;
}

bool in_data_order(const Entry& a, const Entry& b) {
  if (a.begin != b.begin) return a.begin < b.begin;
  if (a.end != b.end) return a.end < b.end;
  return a.name < b.name;
}

}  // namespace

HeaderPlace place_header(std::span<const std::byte> prefix, std::uint64_t file_size, std::string_view path) {
  const Where where{path, std::nullopt, 0};
  if (prefix.size() < kHeaderPrefixBytes) {
    throw file_error(TensorError::kHeaderTooSmall, where,
                     fmt::format("a file of {} bytes has no room for a header", file_size),
                     "it is no metatensor or safetensors file, or was not written completely");
  }
  const auto length = load_le<std::uint64_t>(prefix.data());
  if (length < kMinHeaderBytes) {
    throw file_error(TensorError::kHeaderTooSmall, where,
                     fmt::format("a header of {} bytes, the shortest is {}", length, kMinHeaderBytes),
                     "this is no metatensor or safetensors file");
  }
  if (length > kMaxHeaderBytes) {
    throw file_error(TensorError::kHeaderTooLarge, where,
                     fmt::format("a header of {} bytes, the limit is {}", length, kMaxHeaderBytes),
                     "this is probably no metatensor or safetensors file");
  }
  if (length > file_size - kHeaderPrefixBytes) {
    throw file_error(TensorError::kHeaderTruncated, where,
                     fmt::format("a header of {} bytes in a file of {}", length, file_size), kDamagedRemedy);
  }
  return {kHeaderPrefixBytes + length, file_size};
}

Header Header::parse(std::unique_ptr<char[]> text, const HeaderPlace& place, std::string_view path) {
  Header header;
  header.text_ = std::move(text);
  HeaderParser parser(header.text_.get(), place, path);
  parser.parse();
  header.dimensions_ = std::move(parser.dimensions);
  header.entries_ = std::move(parser.entries);
  header.metadata_ = std::move(parser.metadata);

  const std::int64_t* dimension = header.dimensions_.data();
  for (Entry& entry : header.entries_) {
    entry.shape = {dimension, entry.shape.size()};
    dimension += entry.shape.size();
  }
  if (!std::is_sorted(header.entries_.begin(), header.entries_.end(), in_data_order)) {
    std::sort(header.entries_.begin(), header.entries_.end(), in_data_order);
  }
  header.build_index(path);
  header.check_region(place, path);
  header.check_version(path);
  return header;
}

std::size_t Header::slot(std::string_view name) const {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = static_cast<std::size_t>(XXH3_64bits_withSeed(name.data(), name.size(), seed_)) & mask;
  while (index_[at] != 0 && entries_[index_[at] - 1].name != name) at = (at + 1) & mask;
  return at;
}

const Entry* Header::find(std::string_view name) const {
  if (entries_.empty()) return nullptr;
  const std::uint32_t rank = index_[slot(name)];
  return rank == 0 ? nullptr : &entries_[rank - 1];
}

void Header::build_index(std::string_view path) {
  seed_ = random_seed();
  index_.assign(std::bit_ceil(2 * entries_.size() + 1), 0);
  for (std::uint32_t rank = 1; const Entry& entry : entries_) {
    std::uint32_t& place = index_[slot(entry.name)];
    if (place != 0) {
      const char* second = std::max(entry.name.data(), entries_[place - 1].name.data());
      throw file_error(TensorError::kDuplicateKey,
                       {path, entry.name, kHeaderPrefixBytes + static_cast<std::uint64_t>(second - text_.get())},
                       "two entries have the same name", "keep one of them");
    }
    place = rank++;
  }
}

void Header::check_region(const HeaderPlace& place, std::string_view path) const {
  std::uint64_t expected = place.data_offset;
  for (const Entry& entry : entries_) {
    if (entry.begin != expected) {
      const bool gap = entry.begin > expected;
      throw file_error(gap ? TensorError::kOffsetGap : TensorError::kOffsetOverlap, {path, entry.name, entry.begin},
                       gap ? fmt::format("{} bytes before an entry belong to none", entry.begin - expected)
                           : fmt::format("an entry shares {} bytes with the one before it", expected - entry.begin),
                       "entries must follow each other without holes; write the file again");
    }
    expected = entry.end;
  }
  if (expected != place.file_size) {
    throw file_error(TensorError::kTrailingBytes, {path, std::nullopt, expected},
                     fmt::format("{} bytes follow the last entry", place.file_size - expected),
                     "cut the file there, or fetch it again");
  }
}

void Header::check_version(std::string_view path) {
  for (const auto& [key, value] : metadata_) {
    if (key != kVersionKey) continue;
    if (value != kVersion) {
      throw file_error(TensorError::kUnsupportedVersion, {path},
                       fmt::format("metatensor version {}, this program reads version {}", quoted(value), kVersion),
                       "use a newer alknet, or write the file for this one");
    }
    is_metatensor_ = true;
  }
}

}  // namespace alknet::tensor
