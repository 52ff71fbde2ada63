#include "alknet/compute/device_gpu/parameter_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "alknet/base/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {

DimensionTable collapse(const DimensionTable& table) {
  DimensionTable result;
  result.strides.resize(table.strides.size());
  for (std::size_t d = 0; d < table.sizes.size(); ++d) {
    const std::int64_t size = table.sizes[d];
    if (size == 1) continue;
    bool merge = !result.sizes.empty();
    for (std::size_t k = 0; merge && k < table.strides.size(); ++k) {
      merge = result.strides[k].back() == table.strides[k][d] * size;
    }
    if (merge) {
      result.sizes.back() *= size;
    } else {
      result.sizes.push_back(size);
    }
    for (std::size_t k = 0; k < table.strides.size(); ++k) {
      if (merge) {
        result.strides[k].back() = table.strides[k][d];
      } else {
        result.strides[k].push_back(table.strides[k][d]);
      }
    }
  }
  if (result.sizes.empty()) {
    result.sizes = {1};
    for (auto& strides : result.strides) strides = {0};
  }
  return result;
}

ParameterBlock::ParameterBlock(const KernelSpec& spec)
    : spec_(spec), layout_(parameter_layout(spec)), words_(layout_.total, 0) {}

std::size_t ParameterBlock::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < spec_.parameters.size(); ++i) {
    if (spec_.parameters[i].name == name) return i;
  }
  throw Error(BaseError::kInternal, fmt::format("[{}] the kernel has no parameter \"{}\"", spec_.name, name));
}

void ParameterBlock::set(std::string_view name, std::int64_t value) {
  const std::size_t i = index_of(name);
  const bool is_unsigned = spec_.parameters[i].type == WordType::kU32;
  const std::int64_t lowest = is_unsigned ? 0 : std::numeric_limits<std::int32_t>::min();
  const std::int64_t highest =
      is_unsigned ? std::numeric_limits<std::uint32_t>::max() : std::numeric_limits<std::int32_t>::max();
  if (value < lowest || value > highest) {
    throw Error(gpu::GpuError::kLimitExceeded,
                fmt::format("[{}] {} is {}, which 32-bit indices of a GPU kernel do not hold; use smaller tensors or "
                            ".to('cpu')",
                            spec_.name, name, value),
                {{"op", spec_.name}, {"parameter", name}, {"value", value}, {"maximum", highest}});
  }
  words_[layout_.words[i]] = static_cast<std::uint32_t>(value);
}

void ParameterBlock::set_number(std::string_view name, double value) {
  const std::size_t i = index_of(name);
  if (spec_.parameters[i].type != WordType::kF32) return set(name, static_cast<std::int64_t>(value));
  words_[layout_.words[i]] = std::bit_cast<std::uint32_t>(static_cast<float>(value));
}

void ParameterBlock::set_map(std::string_view name, const DimensionTable& table) {
  const DimensionTable dims = collapse(table);
  const std::size_t rank = dims.sizes.size();
  if (rank > kMaxMapRank) {
    throw Error(gpu::GpuError::kLimitExceeded,
                fmt::format("[{}] a tensor has rank {}, more than {}", spec_.name, rank, kMaxMapRank),
                {{"op", spec_.name}, {"value", rank}, {"maximum", kMaxMapRank}});
  }
  set(std::string(name) + "_rank", static_cast<std::int64_t>(rank));
  const std::size_t base = layout_.words[index_of(std::string(name) + "_map")];
  const std::size_t stride = (dims.strides.size() + 1 + 3) / 4 * 4;
  for (std::size_t d = 0; d < rank; ++d) {
    // The kernel peels the innermost dimension off first. Strides wrap, so negative ones work.
    const std::size_t from = rank - 1 - d;
    words_[base + d * stride] = static_cast<std::uint32_t>(dims.sizes[from]);
    for (std::size_t k = 0; k < dims.strides.size(); ++k) {
      words_[base + d * stride + k + 1] = static_cast<std::uint32_t>(dims.strides[k][from]);
    }
  }
}

void ParameterBlock::set_words(std::string_view name, std::span<const std::uint32_t> words) {
  const std::size_t i = index_of(name);
  if (words.size() > spec_.parameters[i].count) {
    throw Error(BaseError::kInternal, fmt::format("[{}] {} holds {} words, not {}", spec_.name, name,
                                                  spec_.parameters[i].count, words.size()));
  }
  std::copy(words.begin(), words.end(), words_.begin() + static_cast<std::ptrdiff_t>(layout_.words[i]));
}

bool ParameterBlock::has_map(std::string_view name) const {
  return std::any_of(spec_.maps.begin(), spec_.maps.end(), [&](const auto& map) { return map.name == name; });
}

graph::DimValues ParameterBlock::values() const {
  graph::DimValues values;
  for (std::size_t i = 0; i < spec_.parameters.size(); ++i) {
    const auto& parameter = spec_.parameters[i];
    if (parameter.type == WordType::kU32 && parameter.count == 0) values[parameter.name] = words_[layout_.words[i]];
  }
  return values;
}

}  // namespace alknet::compute
