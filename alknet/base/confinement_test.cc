#include "alknet/base/confinement.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>

#include "alknet/base/child_test_support.h"
#include "alknet/base/files.h"

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

TEST(Confinement, DeniesWritesOfFilesButToDevices) {
  char path[] = "/tmp/alknet-confinement-XXXXXX";
  ::close(::mkstemp(path));
  const ChildEnd end = end_of_child([&] {
    confine_process(16, 1 << 20);
    if (!deny_file_writes("/dev")) ::_exit(77);
    const bool refused = ::open(path, O_WRONLY) < 0 && ::unlink(path) < 0;
    ::_exit(refused && ::open(path, O_RDONLY) >= 0 && ::open("/dev/null", O_RDWR) >= 0 ? 0 : 1);
  });
  ::unlink(path);
  if (end.status == 77) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

}  // namespace
}  // namespace alknet
