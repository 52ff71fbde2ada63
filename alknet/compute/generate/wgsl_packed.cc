#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kPackedHelpers[] = {
    {"bf16_unpack(", R"(
fn bf16_unpack(raw: u32) -> f32 { return bitcast<f32>(raw << 16u); }
)"},
    {"bf16_pack(", R"(
fn bf16_pack(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}
)"},
    {"f16_unpack(", R"(
fn f16_unpack(raw: u32) -> f32 {
  let sign = (raw & 0x8000u) << 16u;
  let magnitude = raw & 0x7fffu;
  if (magnitude >= 0x7c00u) { return bitcast<f32>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13u)); }
  if (magnitude < 0x400u) { return bitcast<f32>(sign | bitcast<u32>(f32(magnitude) * 5.9604644775390625e-8)); }
  return bitcast<f32>(sign | ((magnitude << 13u) + 0x38000000u));
}
)"},
    {"f16_pack(", R"(
// Rounds to the nearest, ties to even; below 2^-14 by a sum whose unit is that of f16's smallest numbers.
fn f16_pack(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude < 0x38800000u) { return sign | (bitcast<u32>(bitcast<f32>(magnitude) + 0.5) - 0x3f000000u); }
  return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u);
}
)"},
};

}  // namespace

std::span<const WgslHelper> wgsl_packed_helpers() { return kPackedHelpers; }

}  // namespace alknet::compute
