#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/kind.h"
#include "alknet/tensor/entry.h"
#include "alknet/tensor/import/flatbuffer.h"

namespace alknet::tensor {

/// How the values of an Arrow column are stored.
enum class ArrowForm : std::uint8_t {
  kFixed,    ///< `width` bytes each
  kBit,      ///< one bit each
  kOffsets,  ///< 32-bit offsets into bytes
  kLargeOffsets,
};

/// One column of an Arrow table: a field of our records.
struct ArrowColumn {
  std::string name;
  ArrowForm form = ArrowForm::kFixed;
  schema::Kind kind = schema::Kind::kNone;  ///< Of a value; Uint8 for the bytes of fixed-size binary.
  std::uint32_t width = 0;                  ///< kFixed
  bool is_array = false;                    ///< Fixed-size binary: an Array of `width` items.
  bool nullable = false;
  std::string description = {};  ///< What the kind does not say: units, time zones, extension types.

  bool is_blob() const { return form == ArrowForm::kOffsets || form == ArrowForm::kLargeOffsets; }

  /// Buffers of it in a record batch, validity included.
  std::size_t buffers() const { return is_blob() ? 3 : 2; }

  /// The node of its field.
  JsonObject node() const;
};

/// A reason to refuse a schema or batch; `unsupported` tells a feature that we lack from nonsense.
struct ArrowFault {
  bool unsupported;
  std::string what;
  std::string remedy;
};

/// The longest metadata of a schema, counted over all keys and values.
inline constexpr std::size_t kMaxArrowMetadata = std::size_t{64} << 20;

/// Reads a Schema table of the Arrow IPC format (format/Schema.fbs). Metadata of the schema are appended to `metadata`
/// as `arrow.<key>`, those of a column as `arrow.field.<column>.<key>`. Throws ArrowFault and FlatBufferFault.
std::vector<ArrowColumn> read_arrow_schema(const FlatTable& schema, Metadata& metadata);

/// The Struct whose fields are these columns, in their order.
Json arrow_record_schema(const std::vector<ArrowColumn>& columns);

}  // namespace alknet::tensor
