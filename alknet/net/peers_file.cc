#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "alknet/base/files.h"
#include "alknet/call/error.h"
#include "alknet/net/credentials.h"
#include "alknet/net/peers.h"

namespace alknet::net {

namespace {

constexpr std::uint64_t kMostPeersBytes = 64 << 20;

/// Holds the lock of the folder that a peers file lies in, so that two writers do not lose each other's change.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& file) {
    const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0) throw io_error("[peers]", folder.string(), errno);
    while (::flock(descriptor_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const int problem = errno;
      ::close(descriptor_);
      throw io_error("[peers] cannot lock", folder.string(), problem);
    }
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace

PeersFile::PeersFile(std::filesystem::path path) : path_(std::move(path)), read_(stamp()) {
  current_ = std::make_shared<const PeerList>(read());
}

PeersFile::Stamp PeersFile::stamp() const {
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    throw io_error("[peers]", path_.string(), errno);
  }
  return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size, status.st_ino};
}

PeerList PeersFile::read() const {
  if (stamp() == Stamp{}) return {};
  require_private_file(path_, "peers");
  return PeerList::parse(read_file(path_, kMostPeersBytes), path_.string());
}

std::shared_ptr<const PeerList> PeersFile::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

bool PeersFile::reload_if_changed() {
  const Stamp now = stamp();
  if (now == read_) return false;
  read_ = now;
  auto list = std::make_shared<const PeerList>(read());
  const std::lock_guard lock(mutex_);
  current_ = std::move(list);
  return true;
}

void PeersFile::update(const std::function<void(PeerList&)>& change) {
  const FolderLock writers(path_);
  PeerList list = read();
  change(list);
  AtomicFile file(path_, S_IRUSR | S_IWUSR);
  file.write(list.text());
  file.commit();
  read_ = stamp();
  const std::lock_guard lock(mutex_);
  current_ = std::make_shared<const PeerList>(std::move(list));
}

struct PeersWatch::State : std::enable_shared_from_this<PeersWatch::State> {
  Loop& loop;
  PeersFile* file;  // null when the watch has ended
  std::chrono::milliseconds interval;
  Logger logger;
  std::function<void()> changed;

  State(Loop& runs_on, PeersFile& watched, std::chrono::milliseconds every, Logger log, std::function<void()> tell)
      : loop(runs_on), file(&watched), interval(every), logger(std::move(log)), changed(std::move(tell)) {}

  void wait() {
    loop.post_after(interval, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->file == nullptr) return;
      self->look();
      self->wait();
    });
  }

  void look() {
    try {
      if (!file->reload_if_changed()) return;
      logger.info("peers read again", {{"path", file->path().string()}});
      changed();
    } catch (const std::exception& error) {
      logger.error("the changed peers file is not used", {{"error", error.what()}});
    }
  }
};

PeersWatch::PeersWatch(Loop& loop, PeersFile& file, std::chrono::milliseconds interval, Logger logger,
                       std::function<void()> changed)
    : state_(std::make_shared<State>(loop, file, interval, std::move(logger), std::move(changed))) {
  state_->wait();
}

PeersWatch::~PeersWatch() { state_->file = nullptr; }

}  // namespace alknet::net
