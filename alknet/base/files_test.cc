#include "alknet/base/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "alknet_files_XXXXXX").native();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

int errno_of(const Error& error) { return error.details().at("errno").to_number<int>(); }

template <typename Body>
int failing_errno(Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "io_error");
    return errno_of(error);
  }
  return 0;
}

TEST_F(Files, ReadsWhatItWrote) {
  std::string text(200000, 'x');
  text[7] = '\0';
  write_file(folder_ / "a", text);
  EXPECT_EQ(read_file(folder_ / "a", text.size()), text);
  write_file(folder_ / "a", "");
  EXPECT_EQ(read_file(folder_ / "a", 0), "");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, RefusesToReadMoreThanAllowed) {
  write_file(folder_ / "a", "12345");
  EXPECT_EQ(read_file(folder_ / "a", 5), "12345");
  EXPECT_THROW(read_file(folder_ / "a", 4), Error);
  // Endless, and says that its size is 0.
  EXPECT_THROW(read_file("/dev/zero", 100000), Error);
}

TEST_F(Files, ReadsFilesThatDoNotKnowTheirSize) {
  EXPECT_NE(read_file("/proc/self/status", 1 << 20).find("Pid:"), std::string::npos);
}

TEST_F(Files, NamesTheReasonWhenItCannotOpen) {
  EXPECT_EQ(failing_errno([&] { read_file(folder_ / "absent", 10); }), ENOENT);
  EXPECT_EQ(failing_errno([&] { read_file(folder_, 10); }), EISDIR);
  EXPECT_EQ(failing_errno([&] { write_file(folder_ / "no" / "file", "x"); }), ENOENT);
}

TEST_F(Files, LeavesNothingBehindWithoutCommit) {
  write_file(folder_ / "a", "old");
  {
    AtomicFile file(folder_ / "a");
    file.write("new");
    EXPECT_EQ(entries(), 2U);
  }
  EXPECT_EQ(read_file(folder_ / "a", 10), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, WritesAtPlacesAndAppends) {
  AtomicFile file(folder_ / "a");
  file.write("headerBODY");
  file.write_at(0, std::as_bytes(std::span(std::string_view("HEADER"))));
  file.write("!");
  EXPECT_EQ(file.size(), 11U);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
  file.commit();
  EXPECT_EQ(read_file(folder_ / "a", 100), "HEADERBODY!");
}

TEST_F(Files, ReportsAWriteThatFailsAndLeavesNothing) {
  // A limit on the size of files fails a write as a full disk does.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const int error = failing_errno([&] { write_file(folder_ / "a", std::string(10000, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error, EFBIG);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Files, GivesNewFilesThePermissionsOfTheMask) {
  write_file(folder_ / "a", "x");
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "a").c_str(), &status), 0);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(status.st_mode & 0777, 0666 & ~mask);
}

TEST_F(Files, CreatesFoldersWithTheirParents) {
  make_folders(folder_ / "a" / "b");
  make_folders(folder_ / "a" / "b");
  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b"));
  write_file(folder_ / "file", "x");
  EXPECT_EQ(failing_errno([&] { make_folders(folder_ / "file" / "x"); }), ENOTDIR);
}

/// Sets an environment variable for one scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(UserFolders, FollowXdg) {
  const Variable home("HOME", "/home/someone");
  {
    const Variable cache("XDG_CACHE_HOME", "/var/cache/x");
    const Variable config("XDG_CONFIG_HOME", nullptr);
    EXPECT_EQ(cache_folder(), "/var/cache/x/alknet");
    EXPECT_EQ(config_folder(), "/home/someone/.config/alknet");
  }
  // The specification says that relative values are to be ignored.
  const Variable cache("XDG_CACHE_HOME", "relative");
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/alknet");
  const Variable no_home("HOME", nullptr);
  EXPECT_THROW(cache_folder(), Error);
}

}  // namespace
}  // namespace alknet
