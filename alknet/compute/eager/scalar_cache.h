#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "alknet/compute/eager/tensor_state.h"

namespace alknet::compute {

/// Numbers as tensors of rank 0 on a device, so that a kernel serves every number: the most recently used are kept.
/// Used by one thread at a time.
class ScalarCache {
 public:
  /// The tensor of a number in a dtype, or null.
  const Storage* find(const Scalar& scalar, Dtype dtype, const Backend& backend);
  const Storage& add(const Scalar& scalar, Dtype dtype, const Backend& backend, Storage storage);

 private:
  struct Key {
    std::uint64_t bits = 0;
    const Backend* backend = nullptr;
    Dtype dtype = Dtype::kF32;
    graph::DtypeClass kind = graph::DtypeClass::kFloat;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  static Key key_of(const Scalar& scalar, Dtype dtype, const Backend& backend);

  static constexpr std::size_t kMaxScalars = 256;
  std::list<std::pair<Key, Storage>> recent_;  // most recently added first
  std::unordered_map<Key, std::list<std::pair<Key, Storage>>::iterator, Hash> index_;
};

/// The little-endian bytes of a number in a dtype, as a cast would make them.
std::vector<std::byte> scalar_bytes(const Scalar& scalar, Dtype dtype);

}  // namespace alknet::compute
