#include "alknet/compute/conformance_blocks.h"

#include <cstring>

#include "alknet/base/float16.h"

namespace alknet::compute::conformance {
namespace {

using Bytes = const std::uint8_t*;

float half(Bytes at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return to_float(Half{bits});
}

int bit(Bytes bits, int i) { return bits[i / 8] >> (i % 8) & 1; }
int as_signed(std::uint8_t byte) { return static_cast<std::int8_t>(byte); }

float nibble_value(Bytes block, int i, bool fifth, bool minimum) {
  const int head = minimum ? 4 : 2;
  const Bytes qs = block + head + (fifth ? 4 : 0);
  int q = i < 16 ? qs[i] & 15 : qs[i - 16] >> 4;
  if (fifth) q |= bit(block + head, i) << 4;
  if (minimum) return static_cast<float>(q) * half(block) + half(block + 2);
  return static_cast<float>(q - (fifth ? 16 : 8)) * half(block);
}

float q2_k(Bytes b, int i) {
  const int scale = b[i / 16], q = b[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
  return half(b + 80) * static_cast<float>(scale & 15) * static_cast<float>(q) -
         half(b + 82) * static_cast<float>(scale >> 4);
}

float q3_k(Bytes b, int i) {
  const Bytes scales = b + 96;
  const int j = i / 16;
  const int scale = ((j < 8 ? scales[j] & 15 : scales[j - 8] >> 4) | (scales[8 + j % 4] >> (j / 4 * 2) & 3) << 4) - 32;
  const int q = (b[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3) - (b[i % 32] >> (i / 32) & 1 ? 0 : 4);
  return half(b + 108) * static_cast<float>(scale) * static_cast<float>(q);
}

float k_value(Bytes b, int i, int q) {
  const Bytes packed = b + 4;
  const int j = i / 32;
  const int scale = j < 4 ? packed[j] & 63 : (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
  const int least = j < 4 ? packed[j + 4] & 63 : packed[j + 4] >> 4 | packed[j] >> 6 << 4;
  return half(b) * static_cast<float>(scale) * static_cast<float>(q) - half(b + 2) * static_cast<float>(least);
}

int k_nibble(Bytes qs, int i) { return qs[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15; }

float q6_k(Bytes b, int i) {
  const int low = b[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
  const int high = b[128 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
  return half(b + 208) * static_cast<float>(as_signed(b[192 + i / 16])) * static_cast<float>((low | high << 4) - 32);
}

float value(Dtype dtype, Bytes b, int i) {
  switch (dtype) {
    case Dtype::kQ4_0: return nibble_value(b, i, false, false);
    case Dtype::kQ4_1: return nibble_value(b, i, false, true);
    case Dtype::kQ5_0: return nibble_value(b, i, true, false);
    case Dtype::kQ5_1: return nibble_value(b, i, true, true);
    case Dtype::kQ8_0: return half(b) * static_cast<float>(as_signed(b[2 + i]));
    case Dtype::kQ2_K: return q2_k(b, i);
    case Dtype::kQ3_K: return q3_k(b, i);
    case Dtype::kQ4_K: return k_value(b, i, k_nibble(b + 16, i));
    case Dtype::kQ5_K: return k_value(b, i, k_nibble(b + 48, i) | (b[16 + i % 32] >> (i / 32) & 1) << 4);
    default: return q6_k(b, i);
  }
}

/// Where the scales in f16 are.
std::vector<std::size_t> scale_offsets(Dtype dtype) {
  switch (dtype) {
    case Dtype::kQ4_0:
    case Dtype::kQ5_0:
    case Dtype::kQ8_0: return {0};
    case Dtype::kQ2_K: return {80, 82};
    case Dtype::kQ3_K: return {108};
    case Dtype::kQ6_K: return {208};
    default: return {0, 2};
  }
}

}  // namespace

std::vector<double> block_values(Dtype dtype, std::span<const std::byte> blocks) {
  std::vector<double> values;
  const auto count = static_cast<int>(graph::block_values(dtype));
  for (std::size_t at = 0; at < blocks.size(); at += graph::dtype_bytes(dtype)) {
    const auto* block = reinterpret_cast<Bytes>(blocks.data() + at);
    for (int i = 0; i < count; ++i) values.push_back(static_cast<double>(value(dtype, block, i)));
  }
  return values;
}

TestTensor decoded(const TestTensor& blocks) {
  const Shape& shape = blocks.layout.shape;
  const auto values = blocks.values();
  TestTensor result{Dtype::kF64, {shape, graph::contiguous_strides(shape), 0}, {}};
  result.memory.resize(values.size() * sizeof(double));
  if (!values.empty()) std::memcpy(result.memory.data(), values.data(), result.memory.size());
  return result;
}

std::vector<std::byte> random_blocks(Dtype dtype, std::size_t count, bool special, std::mt19937_64& random) {
  const std::size_t size = graph::dtype_bytes(dtype);
  std::vector<std::byte> bytes(count * size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 255);
  for (std::size_t block = 0; block < count; ++block) {
    for (const std::size_t offset : scale_offsets(dtype)) {
      std::uint16_t bits = to_half(static_cast<float>(random() % 1000) * 2e-5F - 0.01F).bits;
      if (special && random() % 8 == 0) bits = random() & 1 ? 0x7C00U : 0x7E01U;
      std::memcpy(bytes.data() + block * size + offset, &bits, sizeof bits);
    }
  }
  return bytes;
}

}  // namespace alknet::compute::conformance
