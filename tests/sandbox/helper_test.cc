#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "alknet/base/files.h"
#include "alknet/runtime/helper_process.h"

// The helper program as it is shipped.

namespace alknet::runtime {
namespace {

HelperEnd end_of(std::vector<std::string> arguments) {
  HelperProcess helper({helper_program("alknet-sandbox", "ALKNET_SANDBOX_PROGRAM"), std::move(arguments), true});
  const int link = helper.take_link();
  char byte = 0;
  while (::read(link, &byte, 1) > 0) {
  }
  ::close(link);
  return helper.reap();
}

class Probe : public testing::TestWithParam<const char*> {};

TEST_P(Probe, InsideTheHelperDiesBySigsys) { EXPECT_EQ(end_of({std::string("--probe=") + GetParam()}).signal, SIGSYS); }

INSTANTIATE_TEST_SUITE_P(Native, Probe, testing::Values("open", "socket", "clone", "execve", "ptrace", "exec-mmap"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Helper, RefusesArgumentsThatItDoesNotKnow) {
  EXPECT_EQ(end_of({}).status, 2);
  EXPECT_EQ(end_of({"--memory=many"}).status, 2);
  EXPECT_EQ(end_of({"--listen"}).status, 2);
}

TEST(Helper, HasNoCapabilitiesOnceItIsConfined) {
  const HelperProcess helper(
      {helper_program("alknet-sandbox", "ALKNET_SANDBOX_PROGRAM"), {"--memory=268435456"}, true});
  std::string status;
  do {  // the filter is what it takes on last
    ASSERT_FALSE(helper.ended());
    ::usleep(1'000);
    status = read_file("/proc/" + std::to_string(helper.id()) + "/status", 1U << 20U);
  } while (status.find("\nSeccomp:\t2\n") == std::string::npos);
  EXPECT_NE(status.find("\nCapEff:\t0000000000000000\n"), std::string::npos) << status;
  EXPECT_NE(status.find("\nCapPrm:\t0000000000000000\n"), std::string::npos) << status;
}

TEST(Helper, EndsWhenItsHostIsGone) {
  HelperProcess helper({helper_program("alknet-sandbox", "ALKNET_SANDBOX_PROGRAM"), {"--memory=268435456"}, true});
  ::close(helper.take_link());
  for (int waited = 0; waited < 500 && !helper.ended(); ++waited) ::usleep(10'000);
  EXPECT_TRUE(helper.ended());
  EXPECT_EQ(helper.reap().status, 0);
}

}  // namespace
}  // namespace alknet::runtime
