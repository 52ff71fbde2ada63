#include "alknet/compute/models/model_files.h"

#include "alknet/base/files.h"

namespace alknet::compute {

ModelFiles ModelFiles::of_folder(const std::filesystem::path& folder) {
  ModelFiles files{folder.string(), {}};
  for (const auto& [name, max_bytes] : kModelFileNames) {
    const auto file = folder / name;
    if (std::filesystem::exists(file)) files.texts.emplace(name, read_file(file, max_bytes));
  }
  return files;
}

}  // namespace alknet::compute
