#include "alknet/tensor/import/shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/import/copy.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxIndexBytes = kMaxHeaderBytes;
constexpr std::size_t kMaxShards = 10'000;
constexpr std::string_view kFetchRemedy = "fetch the whole model again";

class ShardImporter : public Importer {
 public:
  explicit ShardImporter(const std::string& path) : index_path_(path) {
    plan_.format = "sharded";
    if (fs::is_directory(index_path_)) index_path_ /= kShardIndexName;
    read_index();
    check_extra_tensors();
  }

  void stream(std::size_t entry, EntrySink& sink) const override {
    const auto& [file, source] = places_[entry];
    const auto read = [&, from = file, begin = source->begin](std::uint64_t offset, std::span<std::byte> into) {
      from->read(begin + offset, into);
    };
    copy_bytes(read, source->bytes(), sink);
  }

 private:
  struct Shard {
    File file;
    std::size_t listed = 0;  // tensors that the index says are in it
  };

  [[noreturn]] void refuse(TensorError code, std::string_view what, std::string_view remedy) const {
    throw file_error(code, {index_path_.native()}, what, remedy);
  }

  void read_index() {
    const Json index = parse_json(read_file(index_path_, kMaxIndexBytes));
    const JsonObject* object = index.if_object();
    const Json* map = object == nullptr ? nullptr : object->if_contains("weight_map");
    if (map == nullptr || !map->is_object()) {
      refuse(TensorError::kImportInvalid, "the index has no object \"weight_map\"", kFetchRemedy);
    }
    if (map->as_object().size() > kMaxEntries) {
      refuse(TensorError::kTooManyEntries, fmt::format("more than {} tensors", kMaxEntries), kFetchRemedy);
    }
    for (const auto& [name, file] : map->as_object()) {
      if (!file.is_string()) {
        refuse(TensorError::kImportInvalid, fmt::format("tensor {} has no file", quoted(std::string_view(name))),
               kFetchRemedy);
      }
      add_tensor(std::string_view(name), open_shard(std::string_view(file.as_string())));
    }
  }

  Shard& open_shard(std::string_view name) {
    const auto known = shards_.find(name);
    if (known != shards_.end()) return known->second;
    // A name and nothing else: no folder, no way out of this one.
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos) {
      refuse(TensorError::kBadPath, fmt::format("{} is not the name of a file beside the index", quoted(name)),
             "shards lie in the folder of the index");
    }
    if (shards_.size() == kMaxShards) {
      refuse(TensorError::kTooManyEntries, fmt::format("more than {} shards", kMaxShards), kFetchRemedy);
    }
    const std::string path = (index_path_.parent_path() / name).native();
    Shard shard{File::open(path, {.access = Access::kRead})};
    if (shard.file.is_metatensor()) {
      throw file_error(TensorError::kImportUnsupported, {path}, "a shard that is a metatensor file",
                       "convert it to plain safetensors first");
    }
    for (const auto& [key, value] : shard.file.metadata()) merge_metadata(path, key, value);
    return shards_.emplace(name, std::move(shard)).first->second;
  }

  void merge_metadata(const std::string& path, const std::string& key, const std::string& value) {
    const auto [known, added] = metadata_.emplace(key, value);
    if (added) {
      plan_.metadata.emplace_back(key, value);
    } else if (known->second != value) {
      throw file_error(TensorError::kDuplicateKey, {path},
                       fmt::format("the metadata {} differ from those of another shard", quoted(key)), kFetchRemedy);
    }
  }

  void add_tensor(std::string_view name, Shard& shard) {
    const Entry* entry = shard.file.find(name);
    if (entry == nullptr) {
      throw file_error(TensorError::kEntryMissing, {shard.file.path(), name}, "the shard lacks a tensor of the index",
                       kFetchRemedy);
    }
    ++shard.listed;
    places_.emplace_back(&shard.file, entry);
    plan_.entries.push_back(
        {.name = std::string(name), .dtype = entry->dtype, .shape = {entry->shape.begin(), entry->shape.end()}});
  }

  // Every listed tensor was found and names are unique, so a shard with more entries has one that is not listed in it.
  void check_extra_tensors() const {
    for (const auto& [name, shard] : shards_) {
      if (shard.listed == shard.file.entries().size()) continue;
      for (const Entry& entry : shard.file.entries()) {
        const auto same = [&](const auto& place) { return place.second == &entry; };
        if (std::ranges::any_of(places_, same)) continue;
        const bool elsewhere = std::ranges::any_of(plan_.entries, [&](const auto& e) { return e.name == entry.name; });
        throw file_error(
            elsewhere ? TensorError::kDuplicateKey : TensorError::kEntryExtra, {shard.file.path(), entry.name},
            elsewhere ? "the index says that this tensor is in another shard" : "the index does not list this tensor",
            kFetchRemedy);
      }
    }
  }

  fs::path index_path_;
  std::map<std::string, Shard, std::less<>> shards_;  // addresses are stable
  std::map<std::string, std::string> metadata_;
  std::vector<std::pair<const File*, const Entry*>> places_;  // of the entries
};

}  // namespace

bool is_sharded(const std::string& path, bool is_folder) {
  std::error_code ignored;
  return is_folder ? fs::exists(fs::path(path) / kShardIndexName, ignored) : path.ends_with(kShardIndexSuffix);
}

std::unique_ptr<Importer> open_shards(const std::string& path) { return std::make_unique<ShardImporter>(path); }

}  // namespace alknet::tensor
