#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace alknet {

/// The whole content of a file. Throws `io_error`, and `invalid_argument` when the file has more than `max_bytes` or
/// is a folder.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// The same of an open file, from where it stands to its end. `path` is for messages; `wait` is called when a
/// descriptor with O_NONBLOCK has nothing yet.
std::string read_descriptor(int descriptor, const std::filesystem::path& path, std::uint64_t max_bytes,
                            const std::function<void()>& wait = {});

/// A file that appears complete or not at all: bytes go to a temporary file beside `path`, which `commit` flushes to
/// the disk and renames. Without `commit` or `publish` the destructor removes the temporary file. One thread at a time.
class AtomicFile {
 public:
  /// Creates the temporary file; the folder must exist. `mode` are its permissions, less the process's umask. Throws
  /// `io_error`.
  explicit AtomicFile(std::filesystem::path path, unsigned mode = 0666);

  /// The same for the file `name` in an open folder (O_PATH will do), which must stay open; `path` is for messages.
  AtomicFile(int folder, std::filesystem::path name, std::filesystem::path path, unsigned mode = 0666);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends. Throws `io_error`, for example when the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Writes at `offset`, which may lie before or after the end, without moving where `write` appends.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Bytes appended so far.
  std::uint64_t size() const { return size_; }

  /// Makes the content durable and gives it its name, replacing what was there. Call once. Throws `io_error`.
  void commit();

  /// As commit, without waiting for the disk: after a crash of the machine the file may be missing or torn. For what
  /// its readers check and can do without.
  void publish();

 private:
  void create(unsigned mode);

  int folder_;
  std::filesystem::path name_;  // from folder_
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// Writes a whole file through AtomicFile.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

/// Creates a folder and its parents where missing. Throws `io_error`.
void make_folders(const std::filesystem::path& path);

/// Where downloads and other things that can be had again live: $XDG_CACHE_HOME/alknet or ~/.cache/alknet.
/// Not created here. Throws `not_found` when neither XDG_CACHE_HOME nor HOME is an absolute path.
std::filesystem::path cache_folder();

/// Where the user's settings live: $XDG_CONFIG_HOME/alknet or ~/.config/alknet. As above.
std::filesystem::path config_folder();

}  // namespace alknet
