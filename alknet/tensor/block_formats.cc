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

/// Whether the records of a layout have just the fields of the format, one behind the other.
bool has_fields(const schema::Layout& layout, const BlockFormat& format) {
  std::uint64_t offset = 0;
  for (const BlockField& field : format.fields) {
    const bool array = field.count > 1;
    const schema::LayoutField* found = layout.field(field.name);
    const std::uint64_t bytes = field.count * schema::info(field.kind).size;
    if (found == nullptr || found->nullable || found->offset != offset || found->bytes != bytes) return false;
    if (found->kind != (array ? Kind::kArray : field.kind)) return false;
    if (array && found->node->items->kind != field.kind) return false;
    offset += bytes;
  }
  return layout.size() == format.bytes;
}

}  // namespace

const BlockFormat* find_block_format(const schema::FileEntry& entry) {
  const bool along_rows = entry.form == schema::EntryForm::kStruct && entry.block && !entry.logical.empty() &&
                          entry.block->axis + 1 == entry.logical.size();
  if (!along_rows) return nullptr;
  const schema::Layout layout = schema::layout(*entry.node->tensor.element, schema::LayoutMode::kAligned);
  const auto found = std::ranges::find_if(kBlockFormats, [&](const BlockFormat& format) {
    return format.values == entry.block->values && format.bytes == entry.stride && has_fields(layout, format);
  });
  return found == kBlockFormats.end() ? nullptr : found;
}

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
