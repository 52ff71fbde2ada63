#include "alknet/tensor/error.h"

#include "alknet/base/error.h"

namespace alknet::tensor {

static_assert(static_cast<int>(TensorError::kTargetBusy) == 36, "the names below are in the order of the enum");

const std::error_category& tensor_category() noexcept {
  static const NamedCategory<36> kCategory(
      "tensor",
      {"header_too_small",  "header_too_large",    "header_truncated", "header_invalid",      "json_too_deep",
       "duplicate_key",     "unknown_member",      "unknown_dtype",    "too_many_entries",    "bad_name",
       "rank_too_large",    "size_overflow",       "size_mismatch",    "partial_byte",        "offset_gap",
       "offset_overlap",    "offset_out_of_range", "trailing_bytes",   "unsupported_version", "bad_checksum_table",
       "entry_missing",     "entry_extra",         "entry_mismatch",   "blob_out_of_range",   "blob_misaligned",
       "dtype_mismatch",    "misaligned",          "wrong_kind",       "index_out_of_range",  "bad_path",
       "checksum_mismatch", "migration_refused",   "already_declared", "writer_state",        "incomplete_entry",
       "target_busy"});
  return kCategory;
}

}  // namespace alknet::tensor
