#pragma once

#include <system_error>

namespace alknet::tensor {

/// What can be wrong with a metatensor file, or with a request to read or write one. `Error::code_name()` gives the
/// snake_case name; `details` has `path` (the file), and where they apply `entry` and `offset` (byte in the file).
enum class TensorError {
  // The header as a whole.
  kHeaderTooSmall = 1,  ///< The file or its header is shorter than the shortest possible.
  kHeaderTooLarge,      ///< The header is longer than 100,000,000 bytes.
  kHeaderTruncated,     ///< The file ends inside its header.
  kHeaderInvalid,       ///< The header is not UTF-8, not JSON, or JSON of another form than entries and metadata.
  // Its JSON.
  kJsonTooDeep,    ///< Nested deeper than 64.
  kDuplicateKey,   ///< An object names a member twice.
  kUnknownMember,  ///< An entry has a member other than dtype, shape and data_offsets.
  kUnknownDtype,   ///< A dtype that is none of the 22.
  // Entries.
  kTooManyEntries,  ///< More than 1,000,000.
  kBadName,         ///< An entry name that is empty, longer than 1,024 bytes, or has a NUL.
  kRankTooLarge,    ///< More than 32 dimensions.
  kSizeOverflow,    ///< A product or sum of sizes does not fit 64 bits.
  kSizeMismatch,    ///< end - begin differs from shape x dtype.
  kPartialByte,     ///< Elements of a sub-byte dtype do not fill whole bytes.
  // The data region.
  kOffsetGap,         ///< Bytes between two entries belong to none.
  kOffsetOverlap,     ///< Two entries share bytes.
  kOffsetOutOfRange,  ///< An entry ends behind the end of the file.
  kTrailingBytes,     ///< Bytes follow the last entry.
  // Metadata.
  kUnsupportedVersion,  ///< `metatensor` is not "1".
  kBadChecksumTable,    ///< `metatensor.checksum` is not the JSON object that it must be.
  // Schema against entries.
  kEntryMissing,   ///< The schema, or the caller, names an entry that the file lacks.
  kEntryExtra,     ///< The file has an entry that the schema lacks.
  kEntryMismatch,  ///< An entry's dtype or shape differs from what the schema says.
  // Blobs.
  kBlobOutOfRange,  ///< A blob reference leaves its store.
  kBlobMisaligned,  ///< A blob reference is not a multiple of its item's alignment.
  // Access.
  kDtypeMismatch,    ///< A view was asked for another element type than it has.
  kMisaligned,       ///< A typed span was asked for at an address that its type cannot have; copy instead.
  kWrongKind,        ///< A struct or blob view was asked of an entry of another kind.
  kIndexOutOfRange,  ///< An index is not below the count.
  kBadPath,          ///< Text is not a path, or no value of the file is there.
  // Verify.
  kChecksumMismatch,  ///< The bytes of an entry are not those that were summed.
  // Migrate.
  kMigrationRefused,  ///< The file cannot be turned into one of the new schema; details has `refusals`, all of them.
  // Write.
  kAlreadyDeclared,  ///< Two entries of one name.
  kWriterState,      ///< A call at the wrong time: declare after start, write before it, anything after close.
  kIncompleteEntry,  ///< `close` found a fixed entry that was not written to its end.
  kTargetBusy,       ///< Another Writer is at work on the same target.
};

const std::error_category& tensor_category() noexcept;
inline std::error_code make_error_code(TensorError error) noexcept {
  return {static_cast<int>(error), tensor_category()};
}

}  // namespace alknet::tensor

template <>
struct std::is_error_code_enum<alknet::tensor::TensorError> : std::true_type {};
