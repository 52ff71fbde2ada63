#include <fmt/format.h>
#include <nettle/nettle-meta.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

struct Digest {
  std::string_view name;
  const nettle_hash* hash;
};

/// (name, bytes): an ArrayBuffer.
Value digest(Realm realm, const Value&, Arguments arguments) {
  const std::array<Digest, 4> digests = {
      {{"SHA-1", &nettle_sha1}, {"SHA-256", &nettle_sha256}, {"SHA-384", &nettle_sha384}, {"SHA-512", &nettle_sha512}}};
  const auto found = std::find_if(digests.begin(), digests.end(),
                                  [name = arguments[0].to_string()](const Digest& d) { return d.name == name; });
  if (found == digests.end()) throw realm.type_error("[digest] no such algorithm");
  const std::span<const std::byte> bytes = arguments[1].buffer();
  std::vector<std::uint64_t> context((found->hash->context_size + 7) / 8);
  found->hash->init(context.data());
  found->hash->update(context.data(), bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  std::vector<std::byte> result(found->hash->digest_size);
  found->hash->digest(context.data(), result.size(), reinterpret_cast<std::uint8_t*>(result.data()));
  return realm.array_buffer(result);
}

/// Fills `bytes` from the system's source by the one call that a sandbox allows.
void fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(BaseError::kIoError, "[crypto] the system gives no random bytes");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

Value fill_random(Realm, const Value&, Arguments arguments) {
  fill(arguments[0].buffer());
  return {};
}

/// (bytes): so many random bytes as lower-case hexadecimal digits.
Value random_hex_text(Realm realm, const Value&, Arguments arguments) {
  constexpr std::int64_t kMost = 64;
  const std::int64_t size = arguments[0].to_integer("randomHex: the size");
  if (size < 0 || size > kMost) throw realm.range_error("randomHex: the size is from 0 to 64");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  fill(bytes);
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return realm.string(text);
}

constexpr std::array<MethodSpec, 3> kCryptoFunctions = {{
    {"digest", 2, digest},
    {"fillRandom", 1, fill_random},
    {"randomHex", 1, random_hex_text},
}};

}  // namespace

std::span<const MethodSpec> crypto_functions() { return kCryptoFunctions; }

}  // namespace alknet::runtime::web
