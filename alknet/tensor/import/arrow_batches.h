#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/entry.h"
#include "alknet/tensor/import/arrow_schema.h"

namespace alknet::tensor {

/// Where a record batch is.
struct ArrowBatch {
  std::uint64_t offset = 0;          ///< Of its message in the file.
  std::uint64_t metadata_bytes = 0;  ///< Of the message's FlatBuffer, behind its 8 bytes of prefix.
  std::uint64_t body = 0;            ///< Offset of the buffers.
  std::uint64_t body_bytes = 0;
  std::uint64_t rows = 0;
};

/// A buffer of a batch, checked to be inside the file.
struct ArrowBuffer {
  std::uint64_t offset;
  std::uint64_t bytes;
};

/// A column in a batch.
struct ArrowChunk {
  bool has_nulls = false;
  ArrowBuffer validity = {};
  ArrowBuffer values = {};  ///< Of text and binary: the offsets.
  ArrowBuffer bytes = {};   ///< Text and binary only.
};

/// The messages of an Arrow IPC file or stream.
struct ArrowMessages {
  std::vector<ArrowColumn> columns = {};
  Metadata metadata = {};
  std::vector<ArrowBatch> batches = {};
};

/// Reads the schema and finds all batches; their lengths are checked against the file. Throws as Importer.
ArrowMessages read_arrow_messages(const ByteSource& source);

/// The columns of one batch, each checked to have as many bytes as its rows need. Throws as Importer.
std::vector<ArrowChunk> read_arrow_chunks(const ByteSource& source, const ArrowBatch& batch,
                                          const std::vector<ArrowColumn>& columns);

/// Throws `import_unsupported` or `import_invalid`.
[[noreturn]] void fail_arrow(const ByteSource& source, const ArrowFault& fault, std::uint64_t offset);

}  // namespace alknet::tensor
