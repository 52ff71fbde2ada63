#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alknet/tensor/export.h"
#include "alknet/tensor/import/importer.h"

namespace alknet::tensor {

/// What a format is told by.
struct FormatProbe {
  const std::string& path;
  bool is_folder;
  std::span<const std::byte> start;  ///< The first bytes of the file, at most 16.
};

/// One row of the table of formats that can be read. Adding a format is adding a row and a file.
struct Format {
  std::string_view name;   ///< "gguf"
  std::string_view about;  ///< "a GGUF model"
  bool (*matches)(const FormatProbe& probe);
  /// Opens a file; null for safetensors and metatensor files, which File opens as they are.
  std::unique_ptr<Importer> (*open)(const std::string& path);
};

/// All rows; the first that matches decides.
std::span<const Format> formats();

/// The format of a file or folder, by its content; nullptr when it is none. Throws `io_error`.
const Format* find_format(const std::string& path);

/// The same; throws `import_unsupported` when it is none.
const Format& detect_format(const std::string& path);

struct ImportOptions {
  bool plain_safetensors = false;  ///< A file without schema and metatensor keys; structs and blobs become U8.
  bool checksums = false;
};

/// The schema of the file that `plan` makes.
Json import_schema(const ImportPlan& plan);

/// The bytes of data that `plan` announces; blobs, whose sizes are not known, are not counted.
std::uint64_t planned_bytes(const ImportPlan& plan);

/// Writes what `importer` reads as the file `target`: atomic, streaming, as Writer. Throws as Importer and Writer.
void write_import(const Importer& importer, const std::string& target, const ImportOptions& options = {},
                  const OnBytes& on_bytes = {});

}  // namespace alknet::tensor
