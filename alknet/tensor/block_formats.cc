#include "alknet/tensor/block_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace alknet::tensor {
namespace {

using schema::Kind;

constexpr BlockField kScale = {"d", Kind::kFloat16, 1};
constexpr BlockField kMinimum = {"m", Kind::kFloat16, 1};
constexpr BlockField kScaleOfMinimums = {"dmin", Kind::kFloat16, 1};

constexpr std::array kQ4_0 = {kScale, BlockField{"qs", Kind::kUint8, 16}};
constexpr std::array kQ4_1 = {kScale, kMinimum, BlockField{"qs", Kind::kUint8, 16}};
constexpr std::array kQ5_0 = {kScale, BlockField{"qh", Kind::kUint8, 4}, BlockField{"qs", Kind::kUint8, 16}};
constexpr std::array kQ5_1 = {kScale, kMinimum, BlockField{"qh", Kind::kUint8, 4}, BlockField{"qs", Kind::kUint8, 16}};
constexpr std::array kQ8_0 = {kScale, BlockField{"qs", Kind::kInt8, 32}};
constexpr std::array kQ2_K = {BlockField{"scales", Kind::kUint8, 16}, BlockField{"qs", Kind::kUint8, 64}, kScale,
                              kScaleOfMinimums};
constexpr std::array kQ3_K = {BlockField{"hmask", Kind::kUint8, 32}, BlockField{"qs", Kind::kUint8, 64},
                              BlockField{"scales", Kind::kUint8, 12}, kScale};
constexpr std::array kQ4_K = {kScale, kScaleOfMinimums, BlockField{"scales", Kind::kUint8, 12},
                              BlockField{"qs", Kind::kUint8, 128}};
constexpr std::array kQ5_K = {kScale, kScaleOfMinimums, BlockField{"scales", Kind::kUint8, 12},
                              BlockField{"qh", Kind::kUint8, 32}, BlockField{"qs", Kind::kUint8, 128}};
constexpr std::array kQ6_K = {BlockField{"ql", Kind::kUint8, 128}, BlockField{"qh", Kind::kUint8, 64},
                              BlockField{"scales", Kind::kInt8, 16}, kScale};

constexpr std::array kBlockFormats = {
    BlockFormat{"Q4_0", 32, 18, kQ4_0},   BlockFormat{"Q4_1", 32, 20, kQ4_1},   BlockFormat{"Q5_0", 32, 22, kQ5_0},
    BlockFormat{"Q5_1", 32, 24, kQ5_1},   BlockFormat{"Q8_0", 32, 34, kQ8_0},   BlockFormat{"Q2_K", 256, 84, kQ2_K},
    BlockFormat{"Q3_K", 256, 110, kQ3_K}, BlockFormat{"Q4_K", 256, 144, kQ4_K}, BlockFormat{"Q5_K", 256, 176, kQ5_K},
    BlockFormat{"Q6_K", 256, 210, kQ6_K},
};

}  // namespace

std::span<const BlockFormat> block_formats() { return kBlockFormats; }

const BlockFormat* find_block_format(std::string_view name) {
  const auto found = std::ranges::find(kBlockFormats, name, &BlockFormat::name);
  return found == kBlockFormats.end() ? nullptr : found;
}

JsonObject block_schema(const BlockFormat& format) {
  JsonArray names;
  JsonObject properties;
  for (const BlockField& field : format.fields) {
    JsonObject node{{fmt::format("TypeDef:{}", schema::name(field.kind)), true}};
    if (field.count > 1) {
      node = {{"TypeDef:Array", true}, {"items", node}, {"minItems", field.count}, {"maxItems", field.count}};
    }
    names.emplace_back(field.name);
    properties.emplace(field.name, std::move(node));
  }
  return {{"title", format.name},
          {"TypeDef:Struct", JsonObject{{"order", names}}},
          {"properties", std::move(properties)},
          {"required", std::move(names)}};
}

}  // namespace alknet::tensor
