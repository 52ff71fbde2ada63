#pragma once

#include <cstddef>
#include <map>
#include <span>

#include "alknet/base/function_ref.h"
#include "alknet/schema/access.h"
#include "alknet/tensor/blob_item.h"

namespace alknet::tensor {

/// The Blob fields of a record, however deep. Immutable; valid as long as the layout's Schema.
class RecordBlobs {
 public:
  explicit RecordBlobs(const schema::Layout& layout);

  bool empty() const { return items_.empty(); }

  /// Calls `visit` for each reference in a record, absent fields included: those are empty.
  using Visit = FunctionRef<void(schema::BlobRange, const BlobItem&)>;
  void for_each(std::span<const std::byte> record, Visit visit) const;

 private:
  bool collect(const schema::Node& node);
  void walk(const schema::Node& node, std::span<const std::byte> bytes, Visit visit) const;

  schema::Layout layout_;
  std::map<const schema::Node*, bool> holds_blobs_;  // by node
  std::map<const schema::Node*, BlobItem> items_;    // by Blob node
};

}  // namespace alknet::tensor
