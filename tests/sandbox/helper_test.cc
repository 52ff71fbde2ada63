#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

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

TEST(Helper, EndsWhenItsHostIsGone) {
  HelperProcess helper({helper_program("alknet-sandbox", "ALKNET_SANDBOX_PROGRAM"), {"--memory=268435456"}, true});
  ::close(helper.take_link());
  for (int waited = 0; waited < 500 && !helper.ended(); ++waited) ::usleep(10'000);
  EXPECT_TRUE(helper.ended());
  EXPECT_EQ(helper.reap().status, 0);
}

}  // namespace
}  // namespace alknet::runtime
