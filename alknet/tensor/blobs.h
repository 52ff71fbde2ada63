#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/kind.h"
#include "alknet/tensor/blob_item.h"
#include "alknet/tensor/blob_store.h"
#include "alknet/tensor/index_iterator.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/view.h"

namespace alknet::tensor {

/// A blob tensor: strings, bytes, JSON texts, or arrays of differing lengths, each of any size. An index counts in
/// row-major order. Every access checks its reference, so nothing is trusted that was not looked at. Immutable,
/// thread-safe, cheap to copy; keeps the file alive. In kRead mode everything is read when the view is made.
class BlobView {
 public:
  std::string_view name() const { return references_.name(); }
  std::span<const std::int64_t> shape() const { return shape_; }
  std::uint64_t count() const { return data_.size() / kBlobReferenceBytes; }

  /// What each blob holds: kString, kBytes, kJson, or the kind of an array's items.
  schema::Kind item_kind() const { return item_.kind(); }

  /// The raw bytes of one blob. Throws `index_out_of_range`, `blob_out_of_range`, `blob_misaligned`. Valid while this
  /// view or a copy of it lives; so are the results below.
  std::span<const std::byte> bytes(std::uint64_t index) const {
    if (index >= count()) refuse_index(index);
    return store_.bytes(reference(index), item_.alignment(), reference_offset(index));
  }

  /// The same as text, for kString and kJson. Throws as `bytes`, and `wrong_kind`, `bad_utf8`. Short ASCII texts cost
  /// little more than the two memory accesses.
  std::string_view text(std::uint64_t index) const {
    const auto found = bytes(index);
    const std::string_view text(reinterpret_cast<const char*>(found.data()), found.size());
    return item_.is_text() && is_ascii(text) ? text : checked_text(index);
  }

  /// Calls `visit(text)` with the text of each of these blobs in turn. Memory is asked for ahead, so many at random
  /// take a fraction of the time of `text` for each, which waits for a reference before it can ask for its bytes.
  /// Throws as `text`, once the blobs before have been visited.
  template <typename Visit>
  void visit_texts(std::span<const std::uint64_t> indices, Visit visit) const {
    constexpr std::size_t kBytesAhead = 8, kReferencesAhead = 2 * kBytesAhead;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const auto later = indices.subspan(i);
      // Not in functions of their own: GCC sees no effect in a call that only prefetches, and drops it.
      if (later.size() > kReferencesAhead) __builtin_prefetch(reference_begin(later[kReferencesAhead]));
      if (later.size() > kBytesAhead) __builtin_prefetch(bytes_begin(later[kBytesAhead]));
      visit(text(later.front()));
    }
  }

  /// One blob of a range-for over the view; refers to the view.
  class Item {
   public:
    std::uint64_t index() const { return index_; }
    std::span<const std::byte> bytes() const { return view_->bytes(index_); }
    std::string_view text() const { return view_->text(index_); }
    template <typename T>
    std::span<const T> values() const {
      return view_->values<T>(index_);
    }
    Json json() const { return view_->json(index_); }

   private:
    friend class BlobView;
    Item(const BlobView& view, std::uint64_t index) : view_(&view), index_(index) {}
    const BlobView* view_;
    std::uint64_t index_;
  };

  Item operator[](std::uint64_t index) const { return {*this, index}; }
  IndexIterator<BlobView> begin() const { return {*this, 0}; }
  IndexIterator<BlobView> end() const { return {*this, count()}; }

  /// Rows [begin, end) of the first dimension, sharing the memory; index 0 is then the first blob of row `begin`.
  /// Throws `index_out_of_range`.
  BlobView slice(std::uint64_t begin, std::uint64_t end) const;

  /// The items of an array of plain numbers. Throws as `bytes`, and `dtype_mismatch`, `misaligned`, `bad_length`.
  template <typename T>
  std::span<const T> values(std::uint64_t index) const {
    const auto checked = typed(index, native_type<T>(), alignof(T));
    return {reinterpret_cast<const T*>(checked.data()), checked.size() / sizeof(T)};
  }

  /// The blob as JSON: a string (base64 for kBytes), the parsed value of kJson, an array of items. Throws as above and
  /// `json_invalid`.
  Json json(std::uint64_t index) const;

  /// Checks one blob wholly: reference, UTF-8, JSON, items. Throws the first fault.
  void check(std::uint64_t index) const;

 private:
  friend class File;
  BlobView(const std::shared_ptr<const FileState>& file, const Entry& entry);
  std::span<const std::byte> typed(std::uint64_t index, NativeType type, std::size_t alignment) const;
  std::string_view checked_text(std::uint64_t index) const;
  [[noreturn]] void refuse_index(std::uint64_t index) const;
  template <typename Read>
  auto located(std::uint64_t index, Read read) const;
  schema::BlobRange reference(std::uint64_t index) const {
    return load_le<schema::BlobRange>(data_.data() + kBlobReferenceBytes * index);
  }
  const std::byte* reference_begin(std::uint64_t index) const {
    return index < count() ? data_.data() + kBlobReferenceBytes * index : nullptr;
  }
  const std::byte* bytes_begin(std::uint64_t index) const {
    return index < count() ? store_.begin(reference(index)) : nullptr;
  }
  std::uint64_t reference_offset(std::uint64_t index) const {
    return references_.entry().begin + kBlobReferenceBytes * (first_ + index);
  }

  BlobItem item_;
  TensorView references_;
  BlobStore store_;
  std::vector<std::int64_t> shape_;
  std::span<const std::byte> data_;
  std::uint64_t first_ = 0;  // of a slice: the index of its first blob in the entry
};

}  // namespace alknet::tensor
