#include "alknet/gpu/pipeline_cache.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/hash.h"
#include "alknet/base/json.h"

namespace alknet::gpu {
namespace {

namespace fs = std::filesystem;

// A file: this head, the full key, the value.
struct EntryHead {
  std::array<char, 8> magic;
  std::uint64_t key_bytes;
  std::uint64_t value_bytes;
  std::array<std::byte, 16> checksum;  // of key and value
};
constexpr std::array<char, 8> kMagic = {'A', 'L', 'K', 'P', 'I', 'P', 'E', '1'};
constexpr std::string_view kExtension = ".pipeline";
constexpr std::size_t kNameDigits = 32;
constexpr std::uint64_t kMaxEntryBytes = std::uint64_t{64} << 20;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string_view view_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string full_key_of(const std::string& isolation, std::span<const std::byte> key) {
  std::string full = isolation;
  full += '\0';
  full += view_text(key);
  return full;
}

// Entries and what writers that were ended left of them; nothing else in the folder is ours to count or remove.
bool is_ours(const fs::path& path) {
  const fs::path filename = path.filename();
  std::string_view name = filename.native();
  if (name.starts_with('.')) name.remove_prefix(1);
  const auto digits = name.find_first_not_of("0123456789abcdef");
  return digits == kNameDigits && name.substr(digits).starts_with(kExtension);
}

bool is_private_folder(const fs::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & S_IWOTH) == 0;
}

struct Entry {
  fs::path path;
  std::uint64_t bytes = 0;
  fs::file_time_type used;
};

// Other processes add and remove files meanwhile: one that is gone counts nothing.
std::vector<Entry> list_entries(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code failed;
  for (auto file = fs::directory_iterator(folder, failed); !failed && file != fs::directory_iterator();
       file.increment(failed)) {
    if (!is_ours(file->path())) continue;
    std::error_code gone;
    Entry entry{file->path(), file->file_size(gone), {}};
    if (!gone) entry.used = file->last_write_time(gone);
    if (!gone) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

PipelineCache::PipelineCache(fs::path folder, std::string isolation, std::uint64_t budget)
    : folder_(std::move(folder)), isolation_(std::move(isolation)), budget_(budget) {
  std::error_code absent;
  if (fs::exists(folder_, absent) && !is_private_folder(folder_)) readable_ = writable_ = false;
}

fs::path PipelineCache::path_of(const std::string& name) const { return folder_ / (name + std::string(kExtension)); }

// The value of an entry; empty when there is none that is whole and of this key.
std::string PipelineCache::read(const std::string& full_key, const std::string& name) const {
  const fs::path path = path_of(name);
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return {};
  std::string file = read_file(path, kMaxEntryBytes);
  EntryHead head{};
  if (file.size() < sizeof head) return {};
  std::memcpy(&head, file.data(), sizeof head);
  const std::string_view content = std::string_view(file).substr(sizeof head);
  if (head.magic != kMagic || head.key_bytes != full_key.size() || content.size() < full_key.size() ||
      head.value_bytes != content.size() - full_key.size() || !content.starts_with(full_key) ||
      head.checksum != xxh3_128(bytes_of(content))) {
    return {};
  }
  fs::last_write_time(path, fs::file_time_type::clock::now(), problem);  // the budget takes the oldest
  file.erase(0, sizeof head + full_key.size());
  return file;
}

std::size_t PipelineCache::load(std::span<const std::byte> key, std::span<std::byte> target) noexcept {
  if (!readable_) return 0;
  try {
    const std::string full_key = full_key_of(isolation_, key);
    const std::string name = xxh3_128_hex(bytes_of(full_key));
    if (target.empty()) {
      std::string value = read(full_key, name);
      const std::size_t size = value.size();
      ++(size > 0 ? hits_ : misses_);
      if (size == 0) return 0;
      const std::lock_guard lock(asked_mutex_);
      Asked& asked = asked_[name];
      if (asked.takers++ == 0) asked.value = std::move(value);
      return asked.value.size();
    }
    const std::lock_guard lock(asked_mutex_);
    const auto asked = asked_.find(name);
    if (asked == asked_.end()) return 0;
    const std::size_t size = asked->second.value.size();
    const bool fits = target.size() == size;
    if (fits) std::memcpy(target.data(), asked->second.value.data(), size);
    if (--asked->second.takers == 0) asked_.erase(asked);
    return fits ? size : 0;
  } catch (...) {
    // Unreadable, or no memory: what is asked for is compiled instead.
    ++misses_;
    return 0;
  }
}

bool PipelineCache::prepare_folder() {
  if (is_private_folder(folder_)) return true;
  make_folders(folder_.parent_path());
  return (::mkdir(folder_.c_str(), S_IRWXU) == 0 || errno == EEXIST) && is_private_folder(folder_);
}

void PipelineCache::store(std::span<const std::byte> key, std::span<const std::byte> value) noexcept {
  if (!writable_) return;
  try {
    const std::string full_key = full_key_of(isolation_, key);
    const std::uint64_t bytes = sizeof(EntryHead) + full_key.size() + value.size();
    if (value.empty() || bytes > std::min(kMaxEntryBytes, budget_)) return;
    if (!prepare_folder()) {
      writable_ = false;
      return;
    }
    std::string content = full_key;
    content += view_text(value);
    const EntryHead head{kMagic, full_key.size(), value.size(), xxh3_128(bytes_of(content))};
    AtomicFile file(path_of(xxh3_128_hex(bytes_of(full_key))), S_IRUSR | S_IWUSR);
    file.write(std::as_bytes(std::span(&head, 1)));
    file.write(content);
    file.publish();
    ++stores_;
    count_new(bytes);
  } catch (...) {
    writable_ = false;  // read-only or full: the rest would fail as well, and nobody needs it
  }
}

// Adds to what is used and makes room when that is too much.
void PipelineCache::count_new(std::uint64_t bytes) {
  const std::lock_guard lock(budget_mutex_);
  used_ += bytes;
  if (counted_ && used_ <= budget_) return;
  std::vector<Entry> entries = list_entries(folder_);
  used_ = 0;
  for (const Entry& entry : entries) used_ += entry.bytes;
  counted_ = true;
  if (used_ <= budget_) return;
  const std::uint64_t aim = budget_ - budget_ / 4;  // so that the next store need not look again
  std::ranges::sort(entries, {}, &Entry::used);
  for (const Entry& entry : entries) {
    if (used_ <= aim) break;
    std::error_code problem;
    fs::remove(entry.path, problem);
    used_ -= entry.bytes;
  }
}

PipelineCache::Statistics PipelineCache::statistics() const { return {hits_, misses_, stores_}; }

std::unique_ptr<PipelineCache> open_pipeline_cache(std::string_view choice, std::string isolation) {
  std::string chosen(choice);
  if (const char* variable = std::getenv("ALKNET_PIPELINE_CACHE"); chosen.empty() && variable != nullptr) {
    chosen = variable;
  }
  if (chosen == "off") return nullptr;
  fs::path folder = chosen;
  if (chosen.empty()) {
    try {
      folder = cache_folder() / "pipelines";
    } catch (const Error&) {
      return nullptr;  // a user without a home has no cache
    }
  }
  if (!folder.is_absolute()) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("ALKNET_PIPELINE_CACHE is \"{}\": say \"off\", or name an absolute folder", chosen),
                JsonObject{{"variable", "ALKNET_PIPELINE_CACHE"}, {"value", chosen}});
  }
  return std::make_unique<PipelineCache>(std::move(folder), std::move(isolation));
}

}  // namespace alknet::gpu
