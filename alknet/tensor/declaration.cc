#include "alknet/tensor/declaration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

constexpr std::uint64_t kMaxAlign = 4096;

void check_name(std::string_view name, bool metatensor, std::string_view path) {
  const char* fault = nullptr;
  if (name.empty() || name.size() > kMaxNameBytes || name.find('\0') != std::string_view::npos) {
    fault = "a name must have 1 to 1024 bytes and no NUL";
  } else if (find_invalid_utf8(name)) {
    fault = "a name must be UTF-8";
  } else if (name == kMetadataMember || (metatensor && name.starts_with(kPadPrefix))) {
    fault = "this name is the format's own";
  }
  if (fault != nullptr) throw file_error(TensorError::kBadName, {path}, fault, "rename the entry");
}

}  // namespace

std::string_view name(Stage stage) {
  static constexpr std::array<std::string_view, 3> kNames = {"while entries are declared", "after start",
                                                             "after close"};
  return kNames[static_cast<std::size_t>(stage)];
}

PlacedEntry checked_entry(const EntrySpec& spec, bool growing, bool metatensor, std::string_view path) {
  check_name(spec.name, metatensor, path);
  const Where where{path, spec.name};
  if (spec.shape.size() + (growing ? 1 : 0) > kMaxRank) {
    throw file_error(TensorError::kRankTooLarge, where, fmt::format("more than {} dimensions", kMaxRank),
                     "reshape the tensor");
  }
  if (!std::has_single_bit(spec.align) || spec.align > kMaxAlign) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[Writer] entry {}: align {} is not a power of two from 1 to {}", quoted(spec.name),
                            spec.align, kMaxAlign));
  }
  std::optional<std::uint64_t> bits = schema::info(spec.dtype).bits;
  for (const std::int64_t dimension : spec.shape) {
    if (dimension < 0) {
      throw Error(BaseError::kInvalidArgument, fmt::format("[Writer] entry {}: shape {} has a negative dimension",
                                                           quoted(spec.name), shape_text(spec.shape)));
    }
    if (bits) bits = checked_mul(*bits, static_cast<std::uint64_t>(dimension));
  }
  if (!bits) {
    throw file_error(TensorError::kSizeOverflow, where,
                     fmt::format("the size of shape {} does not fit 64 bits", shape_text(spec.shape)), "split it");
  }
  if (*bits % 8 != 0) {
    throw file_error(TensorError::kPartialByte, where,
                     fmt::format("shape {} of {} ends inside a byte", shape_text(spec.shape), schema::name(spec.dtype)),
                     "pad the last dimension");
  }
  const std::uint64_t align = std::max<std::uint64_t>(spec.align, schema::info(spec.dtype).align());
  return {spec.name, spec.dtype, spec.shape, *bits / 8, align, 0};
}

}  // namespace alknet::tensor
