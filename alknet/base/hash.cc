#include "alknet/base/hash.h"

#include <nettle/sha2.h>
#include <xxhash.h>

#include <new>

namespace alknet {
namespace {

static_assert(sizeof(sha256_ctx) <= 128 && alignof(sha256_ctx) <= alignof(std::uint64_t));

sha256_ctx* context_of(std::array<std::byte, 128>& storage) {
  return std::launder(reinterpret_cast<sha256_ctx*>(storage.data()));
}

const std::uint8_t* octets(std::span<const std::byte> bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

}  // namespace

Sha256::Sha256() { sha256_init(new (context_.data()) sha256_ctx); }

void Sha256::update(std::span<const std::byte> bytes) {
  if (!bytes.empty()) sha256_update(context_of(context_), bytes.size(), octets(bytes));
}

Sha256::Digest Sha256::digest() const {
  auto copy = *this;
  Digest digest;
  sha256_digest(context_of(copy.context_), digest.size(), reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

std::string Sha256::hex() const { return hex_text(digest()); }

struct Xxh3::State {
  State() : hash(XXH3_createState(), &XXH3_freeState) {
    if (hash == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(hash.get());
  }
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> hash;
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {}
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;

void Xxh3::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->hash.get(), bytes.data(), bytes.size());
}

std::string Xxh3::hex() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->hash.get()));
  return hex_text(std::as_bytes(std::span(canonical.digest)));
}

std::array<std::byte, 16> xxh3_128(std::span<const std::byte> bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  std::array<std::byte, 16> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = std::byte{canonical.digest[i]};
  return digest;
}

std::string xxh3_128_hex(std::span<const std::byte> bytes) { return hex_text(xxh3_128(bytes)); }

std::string hex_text(std::span<const std::byte> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

}  // namespace alknet
