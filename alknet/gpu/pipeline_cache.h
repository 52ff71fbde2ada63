#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

namespace alknet::gpu {

/// What a WebGPU library made of kernels, kept in a folder for the next run: one file an entry, named by the hash of
/// its key.
///
/// It only ever saves time. What cannot be read is a miss and what cannot be written is not kept, without an error: a
/// missing, foreign or torn file (each holds its key and a checksum), a read-only folder, a full disk. Files appear
/// whole or not at all, so processes may share a folder. A folder of another user, or one that everybody may write in,
/// is not used at all: its bytes go to the GPU's driver. Thread-safe; nothing throws but the constructor, for want of
/// memory.
class PipelineCache {
 public:
  static constexpr std::uint64_t kDefaultBudget = std::uint64_t{256} << 20;

  /// `isolation` tells what made the entries (the library and its version): others' are misses. Above `budget` bytes of
  /// files those go first that were not used for the longest time; several processes may exceed it for a while. The
  /// folder is made when the first entry is.
  PipelineCache(std::filesystem::path folder, std::string isolation, std::uint64_t budget = kDefaultBudget);

  /// As libraries ask: with an empty `target` the size of the entry (0: there is none), which is kept for the call that
  /// follows; with a target of that size the same bytes. Any other target gets nothing (0).
  std::size_t load(std::span<const std::byte> key, std::span<std::byte> target) noexcept;

  void store(std::span<const std::byte> key, std::span<const std::byte> value) noexcept;

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& isolation() const { return isolation_; }

  struct Statistics {
    std::uint64_t hits = 0;    ///< Entries that were found.
    std::uint64_t misses = 0;  ///< Entries that were asked for and not found.
    std::uint64_t stores = 0;  ///< Entries that were written.
  };
  Statistics statistics() const;

 private:
  // An entry between the call that asks for its size and the one that takes it.
  struct Asked {
    std::string value;
    int takers = 0;
  };

  std::filesystem::path path_of(const std::string& name) const;
  std::string read(const std::string& full_key, const std::string& name) const;
  bool prepare_folder();
  void count_new(std::uint64_t bytes);

  std::filesystem::path folder_;
  std::string isolation_;
  std::uint64_t budget_;
  std::atomic<bool> readable_{true};
  std::atomic<bool> writable_{true};
  std::atomic<std::uint64_t> hits_{0}, misses_{0}, stores_{0};

  std::mutex asked_mutex_;
  std::map<std::string, Asked> asked_;  // by the name of the file

  std::mutex budget_mutex_;
  bool counted_ = false;
  std::uint64_t used_ = 0;  // bytes of files, as far as this process knows
};

/// The cache that a program uses: `choice`, else the environment's ALKNET_PIPELINE_CACHE, is an absolute folder or
/// "off"; without either `pipelines` in the user's cache folder (alknet::cache_folder). Null: there is none.
std::unique_ptr<PipelineCache> open_pipeline_cache(std::string_view choice, std::string isolation);

}  // namespace alknet::gpu
