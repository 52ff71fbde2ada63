#include "alknet/runtime/module_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "alknet/base/descriptor.h"
#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// What `path` may mean, the likeliest first.
std::vector<std::string> candidates(const std::string& path) {
  std::vector<std::string> all = {path};
  const std::string extension = fs::path(path).extension().string();
  if (extension == ".js" || extension == ".mjs") {
    const std::string stem = path.substr(0, path.size() - extension.size());
    all.push_back(stem + ".ts");
    all.push_back(stem + ".tsx");
  }
  for (const std::string_view known : kModuleExtensions) {
    if (extension == known) return all;
  }
  for (const std::string_view known : kModuleExtensions) all.push_back(path + std::string(known));
  for (const std::string_view known : kModuleExtensions) {
    if (known != ".json") all.push_back(fmt::format("{}/index{}", path, known));
  }
  return all;
}

Error cannot_read(const std::string& path, std::string_view why) {
  return {RuntimeError::kModuleInvalid, fmt::format("{}: {}", path, why), JsonObject{{"file", path}}};
}

}  // namespace

ModuleFiles::ModuleFiles(const std::vector<std::string>& roots) {
  for (const std::string& root : roots) {
    std::error_code error;
    const fs::path real = fs::canonical(root, error);
    if (error || !fs::is_directory(real, error)) {
      throw io_error("modules cannot come from", root, error ? error.value() : ENOTDIR);
    }
    roots_.push_back(real.string());
  }
}

ModuleFiles::ModuleFiles(std::map<std::string, std::string> texts, std::map<std::string, std::string> left_out)
    : texts_(std::make_shared<const Texts>(Texts{std::move(texts), std::move(left_out)})) {}

void ModuleFiles::require_inside(const std::string& real_path) const {
  for (const std::string& root : roots_) {
    if (root == "/" || (real_path.starts_with(root) && real_path[root.size()] == '/')) return;
  }
  throw Error(RuntimeError::kPermissionDenied,
              roots_.empty() ? fmt::format("{}: this script may not import files", real_path)
                             : fmt::format("{}: modules come from {} only: move the file there, or allow its folder",
                                           real_path, fmt::join(roots_, ", ")),
              JsonObject{{"privilege", "modules"}, {"file", real_path}});
}

std::optional<std::string> ModuleFiles::find(const std::string& path, std::vector<std::string>& tried) const {
  if (texts_) {
    for (std::string& candidate : candidates(path)) {
      if (texts_->here.contains(candidate)) return candidate;
      if (const auto found = texts_->left_out.find(candidate); found != texts_->left_out.end()) {
        throw Error(RuntimeError::kPermissionDenied, fmt::format("{}: {}", candidate, found->second),
                    JsonObject{{"privilege", "modules"}, {"file", candidate}});
      }
      tried.push_back(std::move(candidate));
    }
    return std::nullopt;
  }
  if (roots_.empty()) require_inside(path);  // which it is not; a sandbox may not even ask the system for it
  for (const std::string& candidate : candidates(path)) {
    // What lies outside is not even looked for: its existence is nobody's business. A path that leads nowhere, through
    // a circle of links or by names that no file can have, is not there.
    std::error_code nowhere;
    const fs::path place = fs::weakly_canonical(candidate, nowhere);
    if (!nowhere) require_inside(place.string());
    tried.push_back(candidate);
    if (nowhere || !is_file(candidate)) continue;
    const fs::path real = fs::canonical(candidate, nowhere);
    if (!nowhere) return real.string();
  }
  return std::nullopt;
}

std::string ModuleFiles::read(const std::string& path) const {
  if (texts_) {
    const auto found = texts_->here.find(path);
    if (found != texts_->here.end()) return found->second;
    throw Error(RuntimeError::kModuleNotFound, fmt::format("{}: there is no such file", path),
                JsonObject{{"specifier", path}});
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (file.get() < 0) {
    throw Error(RuntimeError::kModuleNotFound, fmt::format("{}: {}", path, std::strerror(errno)),
                JsonObject{{"specifier", path}});
  }
  // What was opened counts, not what the path meant a moment ago.
  std::error_code error;
  const fs::path opened = fs::read_symlink(fmt::format("/proc/self/fd/{}", file.get()), error);
  if (error) throw cannot_read(path, "its place cannot be checked without /proc");
  require_inside(opened.string());
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) throw cannot_read(path, "this is no regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > kMaxBytes) throw cannot_read(path, "a module has at most 64 MiB");
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(file.get(), text.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw cannot_read(path, std::strerror(errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  text.resize(done);
  if (const auto bad = find_invalid_utf8(text)) {
    throw cannot_read(path, fmt::format("it is not UTF-8 at byte {}: save it as UTF-8", *bad));
  }
  return text;
}

}  // namespace alknet::runtime
