#include "alknet/base/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "alknet/base/child_test_support.h"
#include "alknet/base/files.h"
#include "alknet/base/folder_test_support.h"

namespace alknet {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(Confinement, BoundsMemoryFromWhatTheProcessHas) {
  const ChildEnd end = end_of_child([] {
    limit_memory_growth(64 * kMiB);
    void* fits = std::malloc(16 * kMiB);
    if (fits == nullptr) ::_exit(31);
    std::memset(fits, 1, 16 * kMiB);
    // The address sanitizer ends the process (with status 1) in place of returning null, which is as good.
    void* volatile exceeds = std::malloc(256 * kMiB);
    ::_exit(exceeds == nullptr ? 0 : 32);
  });
  EXPECT_NE(end.status, 31) << "the first did not fit";
  EXPECT_NE(end.status, 32) << "the second did";
  EXPECT_NE(end.status, 99);
}

TEST(Confinement, ClosesWhatIsNotItsLink) {
  const ChildEnd end = end_of_child([] {
    const int secret = ::open("/dev/null", O_RDONLY);
    const int far = ::fcntl(secret, F_DUPFD, 200);
    close_other_descriptors();
    ::_exit(::fcntl(far, F_GETFD) < 0 && ::fcntl(0, F_GETFD) >= 0 ? 0 : 1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(Confinement, GivesUpPrivilegesFilesAndDumps) {
  const ChildEnd end = end_of_child([] {
    confine_process(8);
    rlimit files{}, cores{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_CORE, &cores);
    const bool confined = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                          files.rlim_max == 8 && cores.rlim_max == 0;
    ::_exit(confined ? 0 : 1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(Confinement, GivesUpEveryCapability) {
  const ChildEnd end = end_of_child([] {
    confine_process(8);
    const std::string status = read_file("/proc/self/status", 1U << 20U);
    for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"}) {
      if (status.find(std::string(set) + "\t0000000000000000\n") == std::string::npos) ::_exit(1);
    }
    // As a program of root's would get them back.
    if (::getuid() == 0 && status.find("CapBnd:\t0000000000000000\n") == std::string::npos) ::_exit(2);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

constexpr int kNoLandlock = 77;

/// What becomes of a process that `access` confines and that then finds out whether `holds`.
template <typename Holds>
ChildEnd end_of_confined(const FileAccess& access, const Holds& holds) {
  return end_of_child([&] {
    close_other_descriptors();
    confine_process(32, 1 << 20);
    if (!confine_files(access)) ::_exit(kNoLandlock);
    ::_exit(holds() ? 0 : 1);
  });
}

bool opens(const std::string& path, int how = O_RDONLY) { return ::open(path.c_str(), how) >= 0; }

TEST(Confinement, OpensTheFilesThatItNamesAlone) {
  const TemporaryFolder named, other;
  const std::string inside = named / "text", outside = other / "text", link = named / "link";
  for (const std::string& file : {inside, outside}) write_file(file, "text");
  std::filesystem::create_symlink(outside, link);
  const FileAccess access{.read = {named.path(), "/nowhere/at/all"}, .read_and_write = {"/dev/null"}};
  const ChildEnd end = end_of_confined(access, [&] {
    return opens(inside) && opens(named.path()) && opens("/dev/null", O_RDWR) && !opens(outside) && !opens(link) &&
           !opens(other.path()) && !opens("/etc/passwd") && !opens("/") && !opens("/proc/self/root/etc/passwd") &&
           !opens("/dev/zero");
  });
  if (end.status == kNoLandlock) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(Confinement, ChangesNoFilesButDevices) {
  const TemporaryFolder named;
  const std::string file = named / "text", made = named / "made";
  write_file(file, "text");
  const FileAccess access{.read = {named.path(), "/bin", "/lib", "/lib64"}, .read_and_write = {"/dev/null"}};
  const ChildEnd end = end_of_confined(access, [&] {
    const bool kept = !opens(file, O_WRONLY) && ::unlink(file.c_str()) < 0 && ::mkdir(made.c_str(), 0700) < 0 &&
                      ::open(made.c_str(), O_WRONLY | O_CREAT, 0600) < 0;
    char program[] = "/bin/true";
    char* arguments[] = {program, nullptr};
    return kept && ::execv(program, arguments) < 0 && opens(file) && opens("/dev/null", O_WRONLY);
  });
  if (end.status == kNoLandlock) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(Confinement, ListsFoldersWithoutReadingTheirFiles) {
  const TemporaryFolder listed;
  write_file(listed / "text", "text");
  const ChildEnd end =
      end_of_confined({.list = {listed.path()}}, [&] { return opens(listed.path()) && !opens(listed / "text"); });
  if (end.status == kNoLandlock) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(Confinement, KeepsTheFilesOfProcThatItNames) {
  const ChildEnd end = end_of_confined({.read = {"/proc/self", "/proc/meminfo"}}, [&] {
    // What is open is not forgotten by /proc, so that the rule goes on to mean it.
    std::size_t open = 0;
    for (int each = kLinkDescriptor + 1; each < 32; ++each) open += ::fcntl(each, F_GETFD) >= 0 ? 1 : 0;
    return open == 2 && opens("/proc/self/maps") && opens("/proc/meminfo") && !opens("/proc/1/status") &&
           !opens("/proc/uptime");
  });
  if (end.status == kNoLandlock) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

}  // namespace
}  // namespace alknet
