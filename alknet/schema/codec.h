#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/blob_range.h"
#include "alknet/schema/layout.h"

/// JSON instances to bytes and back, in both layout modes. All functions here may be called from several threads.

namespace alknet::schema {

struct EncodeOptions {
  /// Takes the content of Blobs; needed when the layout has some. Called in layout order, and only once the whole value
  /// was found to be right.
  BlobWriter blobs = nullptr;
  /// More is `bad_length`. Defaults of a schema can make much of little. At most 2^32-1, as far as u32 offsets reach.
  std::uint64_t max_bytes = UINT32_MAX;
};

/// The bytes of `value`, one instance of the layout's node: of the fixed size in aligned mode, followed by the heap
/// when fields are offset-indirect. An absent member with a `default` becomes its default. Floats are rounded to
/// nearest, ties to even; padding and unused reservations are zero.
///
/// Checks all that the kinds say; `minimum`, `pattern` and other keywords are Schema::validate's. Throws, with
/// `instance_path` (a JSON pointer) and `pointer` (of the node in the schema) in details: `instance_invalid` (wrong
/// type, number out of range, member missing or not declared, text that is not base64 or RFC 3339), `bad_enum` (no such
/// name or tag), `bad_utf8`, `bad_length` (wrong item count, too many bytes), `reservation_overflow`, `schema_too_deep`
/// (nested deeper than 64); `schema_invalid` for a Tensor or Tensors, whose bytes are a file's, and `invalid_argument`
/// for a Blob without a writer.
std::vector<std::byte> encode(const Layout& layout, const Json& value, const EncodeOptions& options = {});

/// The same into `record`, which has the size of the layout: aligned, without offset-indirect fields (else
/// `invalid_argument`). After an error the record is zeros.
void encode_into(const Layout& layout, const Json& value, std::span<std::byte> record, const BlobWriter& blobs = {});

/// The instance that `bytes` stand for, which are one whole value: a message or a record. Absent nullable members are
/// left out, members with a default are there. Integers beyond +-(2^53-1) are strings of digits. `blobs` is needed when
/// the layout has Blobs.
///
/// Throws, with `offset` and `pointer` in details, `message_truncated`, `bad_length` (also for bytes behind the value,
/// and for a heap that is not in field order), `bad_boolean`, `bad_enum`, `bad_presence`, `bad_utf8`,
/// `schema_too_deep`; `schema_invalid` for Tensors, as encode. Padding is not looked at; see check_value.
Json decode(const Layout& layout, std::span<const std::byte> bytes, const BlobReader& blobs = {});

/// Checks one whole value without making JSON: all that decode checks, and that padding, unused reservations, absent
/// fields and gaps in the heap are zero (`nonzero_padding`). The content of Blobs is not looked at. Throws the first
/// fault found.
void check_value(const Layout& layout, std::span<const std::byte> bytes);

/// Whether check_value finds no fault in any bytes of the layout's size: numbers alone, without padding. Then there is
/// nothing to check.
bool takes_any_bytes(const Layout& layout);

}  // namespace alknet::schema
