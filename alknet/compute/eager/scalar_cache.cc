#include "alknet/compute/eager/scalar_cache.h"

#include <bit>
#include <cstring>

#include "alknet/compute/eager/hash_words.h"

namespace alknet::compute {
namespace {

template <typename T>
std::vector<std::byte> bytes_of_value(T value) {
  std::vector<std::byte> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

}  // namespace

std::vector<std::byte> scalar_bytes(const Scalar& scalar, Dtype dtype) {
  const double number = scalar.kind == graph::DtypeClass::kFloat ? scalar.number : static_cast<double>(scalar.integer);
  switch (dtype) {
    case Dtype::kBool: return bytes_of_value(number != 0);
    case Dtype::kI8: return bytes_of_value(static_cast<std::int8_t>(scalar.integer));
    case Dtype::kU8: return bytes_of_value(static_cast<std::uint8_t>(scalar.integer));
    case Dtype::kI32: return bytes_of_value(static_cast<std::int32_t>(scalar.integer));
    case Dtype::kU32: return bytes_of_value(static_cast<std::uint32_t>(scalar.integer));
    case Dtype::kI64: return bytes_of_value(scalar.integer);
    case Dtype::kF64: return bytes_of_value(number);
    default: return bytes_of_value(static_cast<float>(number));
  }
}

std::size_t ScalarCache::Hash::operator()(const Key& key) const {
  const auto rest = static_cast<std::uint64_t>(key.dtype) << 8 | static_cast<std::uint64_t>(key.kind);
  return mix_word(mix_word(key.bits, rest), reinterpret_cast<std::uintptr_t>(key.backend));
}

ScalarCache::Key ScalarCache::key_of(const Scalar& scalar, Dtype dtype, const Backend& backend) {
  const bool is_float = scalar.kind == graph::DtypeClass::kFloat;
  return {is_float ? std::bit_cast<std::uint64_t>(scalar.number) : static_cast<std::uint64_t>(scalar.integer), &backend,
          dtype, scalar.kind};
}

const Storage* ScalarCache::find(const Scalar& scalar, Dtype dtype, const Backend& backend) {
  const auto found = index_.find(key_of(scalar, dtype, backend));
  return found == index_.end() ? nullptr : &found->second->second;
}

const Storage& ScalarCache::add(const Scalar& scalar, Dtype dtype, const Backend& backend, Storage storage) {
  if (recent_.size() >= kMaxScalars) {
    index_.erase(recent_.back().first);
    recent_.pop_back();
  }
  const Key key = key_of(scalar, dtype, backend);
  recent_.emplace_front(key, std::move(storage));
  index_[key] = recent_.begin();
  return recent_.front().second;
}

}  // namespace alknet::compute
