#pragma once

#include <memory>
#include <string_view>

#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/import/importer.h"

namespace alknet::tensor {

inline constexpr std::string_view kArrowFileMagic = "ARROW1";
inline constexpr std::string_view kArrowStreamMagic = "\xFF\xFF\xFF\xFF";

/// Opens an Arrow IPC file or stream (https://arrow.apache.org/docs/format/Columnar.html), metadata versions 4 and 5.
///
/// A table is a sequence of rows of named, typed fields, and so is a struct tensor: the file becomes one entry `table`
/// of shape [rows], the batches one after the other, a column being a field. `table[7].name` is a value, and a field of
/// all records is the column. Nullable columns are nullable fields. Text is a Blob of String, binary a Blob of Bytes,
/// fixed-size binary an Array of Uint8; dates and times are the integers that Arrow stores, with a `description`.
///
/// Refused with a remedy: nested, dictionary-encoded, decimal, interval, null and view columns, compressed buffers,
/// big-endian files. Throws as Importer.
std::unique_ptr<Importer> open_arrow(ByteSource source);

}  // namespace alknet::tensor
