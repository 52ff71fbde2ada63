#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "alknet/base/shared_bytes.h"
#include "alknet/tensor/entry.h"

namespace alknet::tensor {

struct FileState;  // what a File shares with its views: file_state.h
class LazyBytes;   // bytes that are read when first asked for

/// The C++ types that a view may hand out, each with the dtypes that it reads; the table is in view.cc.
enum class NativeType { kByte, kI8, kU8, kI16, kU16, kI32, kU32, kI64, kU64, kF32, kF64, kC64 };

template <typename T>
consteval NativeType native_type() {
  if constexpr (std::is_same_v<T, std::byte>) return NativeType::kByte;
  if constexpr (std::is_same_v<T, std::int8_t>) return NativeType::kI8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return NativeType::kU8;
  if constexpr (std::is_same_v<T, std::int16_t>) return NativeType::kI16;
  if constexpr (std::is_same_v<T, std::uint16_t>) return NativeType::kU16;
  if constexpr (std::is_same_v<T, std::int32_t>) return NativeType::kI32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return NativeType::kU32;
  if constexpr (std::is_same_v<T, std::int64_t>) return NativeType::kI64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return NativeType::kU64;
  if constexpr (std::is_same_v<T, float>) return NativeType::kF32;
  if constexpr (std::is_same_v<T, double>) return NativeType::kF64;
  if constexpr (std::is_same_v<T, std::complex<float>>) return NativeType::kC64;
}

/// One entry as an array of numbers. Immutable, thread-safe, cheap to copy; keeps the file's memory alive.
/// Records and blobs have views of their own: records.h, blobs.h.
class TensorView {
 public:
  std::string_view name() const { return entry_->name; }
  schema::FileDtype dtype() const { return entry_->dtype; }
  std::span<const std::int64_t> shape() const { return entry_->shape; }
  const Entry& entry() const { return *entry_; }
  std::uint64_t byte_size() const { return entry_->bytes(); }
  const std::string& path() const;  ///< Of the file, for messages.

  /// The product of the shape.
  std::uint64_t count() const;

  /// The bytes, sharing the mapping (kMap) or read at the first call of this view or a copy of it (kRead).
  SharedBytes bytes() const;

  /// The same without a reference: valid while this view or a copy of it lives.
  std::span<const std::byte> data() const;

  /// The elements, valid while this view or a copy of it lives. T is the C++ type of the dtype (float for F32);
  /// unsigned integers also read the bits of BOOL and the small floats of their width, std::byte reads everything.
  /// Throws `dtype_mismatch`, `misaligned` (a file of another writer: use `copy_to`), and as File::check_schema.
  template <typename T>
  std::span<const T> as() const {
    const auto checked = typed(native_type<T>(), alignof(T));
    return {reinterpret_cast<const T*>(checked.data()), checked.size() / sizeof(T)};
  }

  /// Copies the elements, whatever their alignment. Throws `dtype_mismatch`, and `invalid_argument` unless `to` has
  /// exactly the tensor's size.
  template <typename T, std::size_t N>
  void copy_to(std::span<T, N> to) const {
    copy_bytes(native_type<T>(), std::as_writable_bytes(to));
  }

 private:
  friend class File;
  friend class RecordsView;
  friend class BlobView;
  friend class BlobStore;
  TensorView(std::shared_ptr<const FileState> file, const Entry* entry);
  std::span<const std::byte> typed(NativeType type, std::size_t alignment) const;
  void copy_bytes(NativeType type, std::span<std::byte> to) const;

  std::shared_ptr<const FileState> file_;
  const Entry* entry_;
  std::shared_ptr<LazyBytes> lazy_;  // kRead only
};

}  // namespace alknet::tensor
