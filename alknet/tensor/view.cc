#include "alknet/tensor/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_state.h"
#include "alknet/tensor/lazy_bytes.h"

namespace alknet::tensor {
namespace {

using enum schema::FileDtype;

/// What a C++ type reads. Dtypes that C++ has no type for are read as the unsigned integer that holds their bits.
struct NativeRow {
  std::string_view name;
  std::vector<schema::FileDtype> reads;  // empty: everything
};

const NativeRow& row(NativeType type) {
  static const std::array<NativeRow, 12> kRows = {{
      {"bytes", {}},
      {"std::int8_t", {kI8}},
      {"std::uint8_t", {kU8, kBool, kF8E5M2, kF8E4M3, kF8E8M0, kF8E4M3Fnuz, kF8E5M2Fnuz}},
      {"std::int16_t", {kI16}},
      {"std::uint16_t", {kU16, kF16, kBF16}},
      {"std::int32_t", {kI32}},
      {"std::uint32_t", {kU32}},
      {"std::int64_t", {kI64}},
      {"std::uint64_t", {kU64}},
      {"float", {kF32}},
      {"double", {kF64}},
      {"std::complex<float>", {kC64}},
  }};
  return kRows[static_cast<std::size_t>(type)];
}

void check_type(const TensorView& view, NativeType type) {
  const auto& reads = row(type).reads;
  if (reads.empty() || std::ranges::find(reads, view.dtype()) != reads.end()) return;
  throw file_error(TensorError::kDtypeMismatch, {view.path(), view.name(), view.entry().begin},
                   fmt::format("the entry is {}, it was asked for as {}", schema::name(view.dtype()), row(type).name),
                   "ask for its own type and convert");
}

}  // namespace

TensorView::TensorView(std::shared_ptr<const FileState> file, const Entry* entry)
    : file_(std::move(file)), entry_(entry) {
  if (!file_->source.in_memory()) lazy_ = std::make_shared<LazyBytes>();
}

const std::string& TensorView::path() const { return file_->source.path(); }

std::uint64_t TensorView::count() const {
  std::uint64_t count = 1;
  for (const std::int64_t dimension : entry_->shape) count *= static_cast<std::uint64_t>(dimension);
  return count;
}

std::span<const std::byte> TensorView::data() const {
  if (lazy_) return lazy_->get(file_->source, entry_->begin, entry_->bytes());
  return file_->source.bytes().subspan(entry_->begin, entry_->bytes());
}

SharedBytes TensorView::bytes() const {
  return lazy_ ? SharedBytes::wrap(data(), lazy_) : SharedBytes::wrap(data(), file_);
}

std::span<const std::byte> TensorView::typed(NativeType type, std::size_t alignment) const {
  file_->check_schema();
  check_type(*this, type);
  const auto bytes = data();
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment != 0) {
    throw file_error(TensorError::kMisaligned, {path(), name(), entry_->begin},
                     fmt::format("the entry does not start at a multiple of {} bytes", alignment),
                     "copy it with copy_to, or convert the file");
  }
  return bytes;
}

void TensorView::copy_bytes(NativeType type, std::span<std::byte> to) const {
  file_->check_schema();
  check_type(*this, type);
  if (to.size() != byte_size()) {
    throw Error(BaseError::kInvalidArgument, fmt::format("[TensorView::copy_to] entry {} has {} bytes, the target {}",
                                                         quoted(name()), byte_size(), to.size()));
  }
  if (lazy_) {
    file_->source.read(entry_->begin, to);
  } else {
    std::ranges::copy(data(), to.begin());
  }
}

}  // namespace alknet::tensor
