#include <nettle/nettle-meta.h>

#include <algorithm>
#include <random>

#include "alknet/base/random_hex.h"
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

Value fill_random(Realm, const Value&, Arguments arguments) {
  std::random_device random;
  std::span<std::byte> rest = arguments[0].buffer();
  while (!rest.empty()) {
    const std::uint32_t bits = random();
    const std::span<const std::byte> source =
        std::as_bytes(std::span(&bits, 1)).first(std::min<std::size_t>(4, rest.size()));
    std::copy(source.begin(), source.end(), rest.begin());
    rest = rest.subspan(source.size());
  }
  return {};
}

Value random_hex_text(Realm realm, const Value&, Arguments arguments) {
  return realm.string(random_hex(static_cast<std::size_t>(arguments[0].to_integer("randomHex: the size"))));
}

constexpr std::array<MethodSpec, 3> kCryptoFunctions = {{
    {"digest", 2, digest},
    {"fillRandom", 1, fill_random},
    {"randomHex", 1, random_hex_text},
}};

}  // namespace

std::span<const MethodSpec> crypto_functions() { return kCryptoFunctions; }

}  // namespace alknet::runtime::web
