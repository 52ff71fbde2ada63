#pragma once

#include <string>
#include <string_view>

#include "alknet/tensor/export.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

struct NumpyOptions {
  bool bits = false;  ///< Write BF16 and 8-bit floats, which NumPy lacks, as unsigned integers of the same bits.
};

/// Writes all tensors of `file` as a .npz archive (stored, zip64), each as the member `<entry>.npy`. Metadata are left
/// out: the format has no place for them. Atomic and streaming.
///
/// Flat tensors are plain arrays. Struct tensors are structured arrays with the same bytes: String and Bytes fields
/// with `maxBytes` become S fields, padding becomes fields without name. Throws `export_unsupported`, with a remedy,
/// for what NumPy cannot hold: blobs, nullable fields, enums, sub-byte dtypes, BF16 and F8 without `bits`, and names
/// that lead out of a folder.
void export_npz(const File& file, const std::string& target, const NumpyOptions& options = {},
                const OnBytes& on_bytes = {});

/// Writes one tensor as a .npy file; the only one of the file when `entry` is empty. Throws as `export_npz`, and
/// `entry_missing`.
void export_npy(const File& file, std::string_view entry, const std::string& target, const NumpyOptions& options = {},
                const OnBytes& on_bytes = {});

}  // namespace alknet::tensor
