#include "alknet/compute/tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

// FNV-1a, because it gives the hash of every prefix in one pass; `mixed` spreads it over all bits.
constexpr std::uint64_t kSeed = 0xcbf29ce484222325;

std::uint64_t extended(std::uint64_t hash, char c) { return (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3; }

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = kSeed;
  for (const char c : text) hash = extended(hash, c);
  return hash;
}

std::uint64_t mixed(std::uint64_t hash) {
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 29);
}

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(mixed(hash) >> 32); }

}  // namespace

void Vocabulary::reserve(std::size_t tokens) {
  entries_.reserve(tokens);
  by_id_.reserve(tokens);
  if (2 * tokens > slots_.size()) rehash(std::bit_ceil(2 * tokens));
}

void Vocabulary::rehash(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = mixed(hash_of(text_of(entries_[i]))) & (slots - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

const Vocabulary::Entry* Vocabulary::lookup(std::string_view token, std::uint64_t hash) const {
  if (slots_.empty()) return nullptr;
  const std::size_t mask = slots_.size() - 1;
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t slot = mixed(hash) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.tag == tag && text_of(entry) == token) return &entry;
  }
  return nullptr;
}

bool Vocabulary::add(std::string_view token, std::int32_t id) {
  if (id < 0 || id > kMaxId) {
    throw Error(BaseError::kInvalidArgument, fmt::format("token id {} is outside 0..{}", id, kMaxId));
  }
  if (text_.size() + token.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(BaseError::kInvalidArgument, "the vocabulary has more than 4 GiB of text");
  }
  if (2 * (entries_.size() + 1) > slots_.size()) rehash(std::max<std::size_t>(16, 2 * slots_.size()));
  const std::uint64_t hash = hash_of(token);
  if (lookup(token, hash)) return false;
  entries_.push_back(
      {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(token.size()), id, tag_of(hash)});
  text_ += token;
  max_bytes_ = std::max(max_bytes_, token.size());
  const auto reference = static_cast<std::uint32_t>(entries_.size());
  std::size_t slot = mixed(hash) & (slots_.size() - 1);
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = reference;
  const auto index = static_cast<std::size_t>(id);
  if (by_id_.size() <= index) by_id_.resize(index + 1);
  if (by_id_[index] == 0) by_id_[index] = reference;
  return true;
}

std::optional<std::int32_t> Vocabulary::find(std::string_view token) const {
  const Entry* entry = lookup(token, hash_of(token));
  return entry ? std::optional(entry->id) : std::nullopt;
}

std::string_view Vocabulary::token(std::int32_t id) const {
  const auto index = static_cast<std::size_t>(id);
  if (id < 0 || index >= by_id_.size() || by_id_[index] == 0) return {};
  return text_of(entries_[by_id_[index] - 1]);
}

Vocabulary::Match Vocabulary::longest_match(std::string_view text, std::size_t min_bytes,
                                            std::vector<std::uint64_t>& hashes) const {
  const std::size_t most = std::min(text.size(), max_bytes_);
  hashes.clear();
  std::uint64_t hash = kSeed;
  for (std::size_t i = 0; i < most; ++i) hashes.push_back(hash = extended(hash, text[i]));
  for (std::size_t bytes = most; bytes > min_bytes; --bytes) {
    if (const Entry* entry = lookup(text.substr(0, bytes), hashes[bytes - 1])) return {bytes, entry->id};
  }
  return {};
}

}  // namespace alknet::compute
