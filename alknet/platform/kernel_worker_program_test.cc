#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/child_test_support.h"
#include "alknet/base/confinement.h"
#include "alknet/base/files.h"
#include "alknet/base/folder_test_support.h"
#include "alknet/runtime/helper_process.h"

// The program alknet-worker itself.

namespace alknet::platform {
namespace {

runtime::HelperEnd end_of_worker(std::vector<std::string> arguments) {
  runtime::HelperProcess helper(
      {runtime::helper_program("alknet-worker", "ALKNET_WORKER_PROGRAM"), std::move(arguments), true});
  const int link = helper.take_link();
  char byte = 0;
  while (::read(link, &byte, 1) > 0) {
  }
  ::close(link);
  return helper.reap();
}

TEST(KernelWorkerProgram, IsConfined) {
  for (const char* name : {"execve", "ptrace", "io-uring", "kill", "bpf"}) {
    EXPECT_EQ(end_of_worker({std::string("--probe=") + name}).signal, SIGSYS) << name;
  }
  for (const char* name : {"socket", "connect", "clone", "create-file", "raise-limit"}) {
    const runtime::HelperEnd end = end_of_worker({std::string("--probe=") + name});
    EXPECT_EQ(end.status, 1) << name << " " << end.text();
  }
}

TEST(KernelWorkerProgram, OpensFilesOfDriversAlone) {
  if (end_of_child([] { ::_exit(confine_files({}) ? 0 : 1); }).status != 0) GTEST_SKIP() << "no Landlock here";
  const TemporaryFolder folder;
  write_file(folder / "secret", "text");
  const std::string shared = "/dev/shm/alknet_test_" + std::to_string(::getpid());
  write_file(shared, "text");
  const std::string checkout = ALKNET_SOURCE_DIR "/README.md";
  for (const std::string& file :
       {std::string("/etc/passwd"), std::string("/etc/hostname"), folder / "secret", folder.path(), checkout,
        std::string("/"), std::string("/proc/1/status"), std::string("/proc/self/root/etc/passwd"),
        std::string("/home"), std::string("/root"), shared}) {
    if (!std::filesystem::exists(file)) continue;
    const runtime::HelperEnd end = end_of_worker({"--probe=open:" + file});
    EXPECT_EQ(end.status, 1) << file << " " << end.text();
  }
  for (const std::string& file : {folder / "secret", shared}) {
    EXPECT_EQ(end_of_worker({"--probe=write:" + file}).status, 1) << file;
  }
  std::filesystem::remove(shared);
  for (const char* needed : {"open:/etc/ld.so.cache", "open:/usr/lib", "open:/proc/self/maps", "write:/dev/null"}) {
    const runtime::HelperEnd end = end_of_worker({std::string("--probe=") + needed});
    EXPECT_EQ(end.status, 0) << needed << " " << end.text();
  }
}

TEST(KernelWorkerProgram, RefusesArgumentsThatItDoesNotKnow) {
  EXPECT_EQ(end_of_worker({}).status, 2);
  EXPECT_EQ(end_of_worker({"--listen"}).status, 2);
}

TEST(KernelWorkerProgram, EndsWithItsHost) {
  runtime::HelperProcess helper(
      {runtime::helper_program("alknet-worker", "ALKNET_WORKER_PROGRAM"), {"--memory=1000000"}, true});
  ::close(helper.take_link());
  for (int waited = 0; waited < 500 && !helper.ended(); ++waited) ::usleep(10'000);
  EXPECT_TRUE(helper.ended());
  EXPECT_EQ(helper.reap().status, 0);
}

}  // namespace
}  // namespace alknet::platform
