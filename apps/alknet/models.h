#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "apps/alknet/catalog.h"

namespace alknet::app {

/// The models that `alknet model pull` can fetch.
Catalog model_catalog();

/// The catalog's entry. Throws UsageError naming what there is.
CatalogEntry catalog_model(std::string_view name);

/// The folder that `--model` means: an existing folder, or a catalog name, which is pulled when it is not installed.
/// Throws UsageError naming what there is.
std::filesystem::path resolve_model(const std::string& model, const Globals& globals);

inline constexpr std::string_view kDefaultModel = "all-MiniLM-L6-v2";

}  // namespace alknet::app
