#include "apps/alknet/datasets.h"

#include <fmt/format.h>
#include <zlib.h>

#include <memory>

#include "alknet/base/files.h"
#include "alknet/compute/data/digits.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

/// Of a data set's text; the digits have half a megabyte.
constexpr std::size_t kMaxTextBytes = 64 << 20;

constexpr CatalogPlace kDatasets[] = {
    {"scikit-learn", "digits", "sklearn/datasets/data/", "1,797 handwritten digits of 8x8 pixels"},
};

/// The text of a gzip file.
std::string read_gzip(const fs::path& path) {
  struct Closer {
    void operator()(gzFile file) const { gzclose(file); }
  };
  const std::unique_ptr<gzFile_s, Closer> file(gzopen(path.c_str(), "rb"));
  if (!file) throw io_error("cannot read", path.string(), errno);
  std::string text;
  for (;;) {
    constexpr std::size_t kChunk = 1 << 16;
    const std::size_t size = text.size();
    text.resize(size + kChunk);
    const int got = gzread(file.get(), text.data() + size, kChunk);
    text.resize(size + static_cast<std::size_t>(std::max(got, 0)));
    if (got == 0) return text;
    if (got < 0 || text.size() > kMaxTextBytes) {
      throw Error(BaseError::kIoError,
                  fmt::format("{} is no gzip file of at most {} bytes: fetch it again", path.string(), kMaxTextBytes));
    }
  }
}

/// Replaces the unpacked folder's files by the metatensor.
void prepare_digits(const fs::path& unpacked) {
  const std::string text = read_gzip(unpacked / "digits.csv.gz");
  fs::remove_all(unpacked);
  make_folders(unpacked);
  compute::write_digits((unpacked / "digits.mt").string(), text);
}

}  // namespace

Catalog dataset_catalog() { return {"data", "data set", "datasets", kDatasets, prepare_digits}; }

fs::path resolve_dataset(std::string_view name, const Globals& globals) {
  const Catalog catalog = dataset_catalog();
  const std::string file = fmt::format("{}.mt", name);
  if (const auto installed = catalog.installed(name)) return installed->path / file;
  if (const auto entry = catalog.find(name)) return catalog.pull(*entry, globals) / file;
  throw UsageError(fmt::format("there is no data set \"{}\"; the catalog has {}", name, catalog.names()));
}

}  // namespace alknet::app
