#pragma once

#include <optional>
#include <string>

#include "alknet/schema/diff.h"
#include "alknet/schema/record_converter.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/export.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

struct MigrateOptions {
  schema::ConverterOptions conversion;           ///< Named converters, drops, saturation; by the paths of schema::diff.
  std::optional<bool> checksums = std::nullopt;  ///< Whether the new file has them; as the old one when not given.
  OnBytes on_bytes = {};                         ///< Bytes of entries read.
};

/// Writes `file` anew as a file of the schema `after`, at `target`, and returns what changed. Entries and fields are
/// found by name; what is missing gets its default or stays absent; numbers are converted (schema::NumberConversion:
/// out of range is an error unless `saturate`, a fraction always), Enums by name, shapes where the number of elements
/// fits; named converters take precedence. Values of records that the new schema limits anew (`minimum`, `pattern`)
/// are validated. The user's metadata survive byte for byte.
///
/// Nothing is written unless everything can be planned: `migration_refused` lists in `refusals` of its details each
/// {path, message} that cannot, and converters for what is not there. A value that does not fit ends the work with the
/// old target untouched; its error (`instance_invalid`, `bad_enum`, `reservation_overflow` ...) has `entry`, `index`
/// (of the record, blob or element) and `field` in details. Memory is constant but for single blobs. Other errors are
/// those of Writer and File::check_schema.
schema::Diff migrate(const File& file, const schema::Schema& after, const std::string& target,
                     const MigrateOptions& options = {});

}  // namespace alknet::tensor
