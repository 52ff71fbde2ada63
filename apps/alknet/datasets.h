#pragma once

#include <filesystem>
#include <string_view>

#include "apps/alknet/catalog.h"

namespace alknet::app {

/// The data sets that `alknet data pull` can fetch; each becomes one metatensor `<name>.mt` of records.
Catalog dataset_catalog();

/// The metatensor of a data set, which is pulled when it is not installed. Throws UsageError naming what there is.
std::filesystem::path resolve_dataset(std::string_view name, const Globals& globals);

}  // namespace alknet::app
