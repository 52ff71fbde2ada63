#include "alknet/compute/generate/wgsl_blocks.h"

#include <array>

namespace alknet::compute {
namespace {

using graph::Dtype;

/// What formats share. NAME stands for the buffer's name.
constexpr std::string_view kReaders = R"(
fn byte_NAME(at: u32) -> u32 { return (b_NAME[at / 4u] >> ((at % 4u) * 8u)) & 0xffu; }
fn half_NAME(at: u32) -> f32 { return f16_unpack((b_NAME[at / 4u] >> ((at % 4u) * 8u)) & 0xffffu); }
// Four bytes from an even place.
fn word_NAME(at: u32) -> u32 {
  let low = b_NAME[at / 4u];
  if (at % 4u == 0u) { return low; }
  return (low >> 16u) | (b_NAME[at / 4u + 1u] << 16u);
}
// The bits from `shift` of four bytes.
fn bits_NAME(at: u32, shift: u32, mask: u32) -> vec4<u32> {
  return (vec4<u32>(word_NAME(at)) >> (vec4<u32>(0u, 8u, 16u, 24u) + vec4<u32>(shift))) & vec4<u32>(mask);
}
fn signed_NAME(at: u32) -> vec4<i32> {
  return bitcast<vec4<i32>>(vec4<u32>(word_NAME(at)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
)";

/// One bit for each of four values from `at` on, as 16 or 0.
constexpr std::string_view kFifthBits = R"(
fn fifth_NAME(bits: u32, at: u32) -> vec4<u32> {
  return ((vec4<u32>(bits) >> (vec4<u32>(0u, 1u, 2u, 3u) + vec4<u32>(at))) & vec4<u32>(1u)) << vec4<u32>(4u);
}
)";

/// Scale and minimum of a group of 32 values in Q4_K and Q5_K.
constexpr std::string_view kSixBitScales = R"(
fn scale_NAME(base: u32, group: u32) -> vec2<f32> {
  var packed: vec2<u32>;
  if (group < 4u) {
    packed = vec2<u32>(byte_NAME(base + 4u + group), byte_NAME(base + 8u + group)) & vec2<u32>(63u);
  } else {
    let low = byte_NAME(base + 8u + group);
    let high = vec2<u32>(byte_NAME(base + group), byte_NAME(base + 4u + group)) >> vec2<u32>(6u);
    packed = vec2<u32>(low & 15u, low >> 4u) | (high << vec2<u32>(4u));
  }
  return vec2<f32>(packed) * vec2<f32>(half_NAME(base), half_NAME(base + 2u));
}
)";

struct BlockCode {
  Dtype dtype;
  std::string_view helpers;
  std::string_view body;  ///< Of load4_NAME, after `let base`.
};

constexpr std::array kBlockCodes = {
    BlockCode{Dtype::kQ4_0, {}, R"(
  let q = vec4<i32>(bits_NAME(base + 2u + at % 16u, (at / 16u) * 4u, 15u)) - vec4<i32>(8);
  return half_NAME(base) * vec4<f32>(q);)"},
    BlockCode{Dtype::kQ4_1, {}, R"(
  let q = bits_NAME(base + 4u + at % 16u, (at / 16u) * 4u, 15u);
  return half_NAME(base) * vec4<f32>(q) + vec4<f32>(half_NAME(base + 2u));)"},
    BlockCode{Dtype::kQ5_0, kFifthBits, R"(
  let q = bits_NAME(base + 6u + at % 16u, (at / 16u) * 4u, 15u) | fifth_NAME(word_NAME(base + 2u), at);
  return half_NAME(base) * vec4<f32>(vec4<i32>(q) - vec4<i32>(16));)"},
    BlockCode{Dtype::kQ5_1, kFifthBits, R"(
  let q = bits_NAME(base + 8u + at % 16u, (at / 16u) * 4u, 15u) | fifth_NAME(word_NAME(base + 4u), at);
  return half_NAME(base) * vec4<f32>(q) + vec4<f32>(half_NAME(base + 2u));)"},
    BlockCode{Dtype::kQ8_0, {}, R"(
  return half_NAME(base) * vec4<f32>(signed_NAME(base + 2u + at));)"},
    BlockCode{Dtype::kQ2_K, {}, R"(
  let scale = byte_NAME(base + at / 16u);
  let q = bits_NAME(base + 16u + (at / 128u) * 32u + at % 32u, ((at / 32u) % 4u) * 2u, 3u);
  return (half_NAME(base + 80u) * f32(scale & 15u)) * vec4<f32>(q) -
         vec4<f32>(half_NAME(base + 82u) * f32(scale >> 4u));)"},
    BlockCode{Dtype::kQ3_K, {}, R"(
  let part = at / 16u;
  let low = (byte_NAME(base + 96u + part % 8u) >> ((part / 8u) * 4u)) & 15u;
  let high = (byte_NAME(base + 104u + part % 4u) >> ((part / 4u) * 2u)) & 3u;
  let scale = half_NAME(base + 108u) * f32(i32(low | (high << 4u)) - 32);
  let bits = bits_NAME(base + 32u + (at / 128u) * 32u + at % 32u, ((at / 32u) % 4u) * 2u, 3u);
  let third = bits_NAME(base + at % 32u, at / 32u, 1u) << vec4<u32>(2u);
  return scale * vec4<f32>(vec4<i32>(bits | third) - vec4<i32>(4));)"},
    BlockCode{Dtype::kQ4_K, kSixBitScales, R"(
  let scale = scale_NAME(base, at / 32u);
  let q = bits_NAME(base + 16u + (at / 64u) * 32u + at % 32u, ((at / 32u) % 2u) * 4u, 15u);
  return scale.x * vec4<f32>(q) - vec4<f32>(scale.y);)"},
    BlockCode{Dtype::kQ5_K, kSixBitScales, R"(
  let scale = scale_NAME(base, at / 32u);
  let low = bits_NAME(base + 48u + (at / 64u) * 32u + at % 32u, ((at / 32u) % 2u) * 4u, 15u);
  let fifth = bits_NAME(base + 16u + at % 32u, at / 32u, 1u) << vec4<u32>(4u);
  return scale.x * vec4<f32>(low | fifth) - vec4<f32>(scale.y);)"},
    BlockCode{Dtype::kQ6_K, {}, R"(
  let scale = bitcast<i32>(byte_NAME(base + 192u + at / 16u) << 24u) >> 24u;
  let low = bits_NAME(base + (at / 128u) * 64u + at % 64u, ((at / 64u) % 2u) * 4u, 15u);
  let high = bits_NAME(base + 128u + (at / 128u) * 32u + at % 32u, ((at / 32u) % 4u) * 2u, 3u) << vec4<u32>(4u);
  return (half_NAME(base + 208u) * f32(scale)) * vec4<f32>(vec4<i32>(low | high) - vec4<i32>(32));)"},
};

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

}  // namespace

std::string wgsl_block_load(std::string_view name, Dtype dtype) {
  std::string text(kReaders);
  for (const BlockCode& code : kBlockCodes) {
    if (code.dtype != dtype) continue;
    text += code.helpers;
    text += "fn load4_NAME(block: u32, at: u32) -> vec4<f32> {\n  let base = block * " +
            std::to_string(graph::dtype_bytes(dtype)) + "u;";
    text += code.body;
    text += "\n}\n";
  }
  return replaced(std::move(text), "NAME", name);
}

}  // namespace alknet::compute
