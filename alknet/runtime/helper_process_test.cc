#include "alknet/runtime/helper_process.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "alknet/base/testing.h"

namespace alknet::runtime {
namespace {

HelperProcess shell(std::string script) { return HelperProcess({"/bin/sh", {"-c", std::move(script)}}); }

constexpr std::chrono::seconds kPatience(30);

std::string said_by(HelperProcess& helper) {
  const int link = helper.take_link();
  std::string text;
  char bytes[256];
  for (ssize_t count = 0; (count = ::read(link, bytes, sizeof bytes)) > 0;) {
    text.append(bytes, static_cast<std::size_t>(count));
  }
  ::close(link);
  return text;
}

TEST(HelperProcess, HasItsLinkAndNothingElse) {
  ::setenv("ALKNET_TEST_SECRET", "secret", 1);
  HelperProcess helper = shell("echo \"$ALKNET_TEST_SECRET:$HOME:$(ls /proc/self/fd | tr '\\n' ' ')\" >&3");
  const std::string said = said_by(helper);
  EXPECT_TRUE(said.starts_with("::0 1 2 3 ")) << said;  // and the one by which `ls` reads its folder
  EXPECT_LE(said.size(), std::string("::0 1 2 3 4 \n").size()) << said;
  EXPECT_EQ(helper.reap().status, 0);
}

TEST(HelperProcess, SaysHowItEnded) {
  HelperProcess leaves = shell("exit 7");
  EXPECT_EQ(said_by(leaves), "");
  const HelperEnd left = leaves.reap(kPatience);
  EXPECT_EQ(left.text(), "left with status 7");
  EXPECT_EQ(leaves.reap().status, 7) << "again";
  HelperProcess dies = shell("kill -SEGV $$");
  said_by(dies);
  const HelperEnd died = dies.reap(kPatience);
  EXPECT_EQ(died.signal, SIGSEGV);
  EXPECT_EQ(died.signal_name(), "SIGSEGV");
  EXPECT_FALSE(died.killed);
  HelperProcess killed = shell("kill -KILL $$");
  said_by(killed);
  const HelperEnd by_others = killed.reap(kPatience);
  EXPECT_EQ(by_others.signal_name(), "SIGKILL");
  EXPECT_FALSE(by_others.killed);
}

TEST(HelperProcess, IsKilledWhenItDoesNotEnd) {
  HelperProcess endless = shell("while :; do :; done");
  EXPECT_FALSE(endless.ended());
  const pid_t id = endless.id();
  const HelperEnd end = endless.reap(std::chrono::milliseconds(1));
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_TRUE(end.killed);
  EXPECT_TRUE(endless.ended());
  EXPECT_NE(::kill(id, 0), 0);
}

TEST(HelperProcess, GoesWithItsOwner) {
  pid_t id = 0;
  {
    HelperProcess endless = shell("while :; do :; done");
    id = endless.id();
    HelperProcess moved = std::move(endless);
    EXPECT_EQ(moved.id(), id);
  }
  EXPECT_NE(::kill(id, 0), 0);
}

TEST(HelperProcess, MissingProgramsAreErrorsWithARemedy) {
  ::unsetenv("ALKNET_TEST_PROGRAM");
  const Error error = error_of([] { helper_program("alknet-no-such-helper", "ALKNET_TEST_PROGRAM"); });
  EXPECT_EQ(error.code_name(), "sandbox_failed");
  EXPECT_NE(error.message().find("ALKNET_TEST_PROGRAM"), std::string::npos);
  ::setenv("ALKNET_TEST_PROGRAM", "/bin/sh", 1);
  EXPECT_EQ(helper_program("alknet-no-such-helper", "ALKNET_TEST_PROGRAM"), "/bin/sh");
}

}  // namespace
}  // namespace alknet::runtime
