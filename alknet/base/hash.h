#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace alknet {

/// SHA-256 (FIPS 180-4) of bytes that come in pieces. Copying copies the running state. One thread at a time.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  void update(std::span<const std::byte> bytes);

  /// The hash of everything so far; more may follow.
  Digest digest() const;
  /// The same as 64 lower-case hexadecimal digits.
  std::string hex() const;

 private:
  alignas(std::uint64_t) std::array<std::byte, 128> context_{};
};

/// XXH3 128 bits of bytes that come in pieces, in its canonical (big-endian) form: fast, for checksums of data that
/// nobody forges. Movable. One thread at a time.
class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(Xxh3&&) noexcept;
  Xxh3& operator=(Xxh3&&) noexcept;

  void update(std::span<const std::byte> bytes);

  /// The hash of everything so far as 32 lower-case hexadecimal digits, as `xxhsum -H2` prints it; more may follow.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The same of bytes that are all there.
std::array<std::byte, 16> xxh3_128(std::span<const std::byte> bytes);

/// The same as 32 lower-case hexadecimal digits, as `xxhsum -H2` prints it.
std::string xxh3_128_hex(std::span<const std::byte> bytes);

/// Two lower-case hexadecimal digits for each byte.
std::string hex_text(std::span<const std::byte> bytes);

}  // namespace alknet
