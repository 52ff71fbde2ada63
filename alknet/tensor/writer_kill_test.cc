// Writers that are killed: the target is the old file or a whole new one, at most one temporary file stays, and the
// next Writer removes it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

class MetatensorKilledWriter : public testing::Test {
 protected:
  static constexpr std::size_t kPieces = 5, kPieceBytes = 10'000;
  static constexpr std::string_view kTemporary = ".a.mt.alknet-tmp";

  MetatensorKilledWriter() {
    write_file('0', [] {});
  }

  std::string path() const { return folder_.path("a.mt"); }

  // Writes a file whose entries hold nothing but `content`, and calls `step` at every step.
  template <typename Step>
  void write_file(char content, Step step) const {
    const std::string piece(kPieceBytes, content);
    Writer writer(path());
    const auto fixed =
        writer.declare({.name = "fixed", .dtype = FileDtype::kU8, .shape = {std::int64_t{kPieces * kPieceBytes}}});
    const auto grows = writer.declare_growing({.name = "grows", .dtype = FileDtype::kU8});
    writer.start();
    for (std::size_t i = 0; i < kPieces; ++i) {
      step();
      writer.write(fixed, i * kPieceBytes, bytes_of(piece));
      step();
      writer.append(grows, bytes_of(piece));
    }
    step();
    writer.close();
    step();
  }

  // What the file holds; fails the test when it is not whole.
  char content() const {
    EXPECT_TRUE(verify(path()).empty());
    const File file = File::open(path());
    const char first = file.tensor("fixed").bytes().text().front();
    for (const std::string_view name : {"fixed", "grows"}) {
      const SharedBytes bytes = file.tensor(name).bytes();
      EXPECT_EQ(bytes.size(), kPieces * kPieceBytes);
      EXPECT_EQ(bytes.text().find_first_not_of(first), std::string_view::npos);
    }
    return first;
  }

  // Whether a temporary file was left; fails the test when anything else was.
  bool has_leftover() const {
    const auto names = folder_.names();
    for (const std::string& name : names) EXPECT_THAT(name, testing::AnyOf("a.mt", kTemporary));
    EXPECT_LE(names.size(), 2u);
    return names.size() == 2;
  }

  TestFolder folder_;
};

// Each child tells its steps through a pipe and is killed after a random one of them, or soon after.
TEST_F(MetatensorKilledWriter, LeavesAWholeFileTwoHundredTimes) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    const char before = content();
    const char next = before == '9' ? '0' : static_cast<char>(before + 1);
    std::array<int, 2> steps{};
    ASSERT_EQ(pipe(steps.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      write_file(next, [&] {
        if (write(steps[1], "x", 1) != 1) _exit(1);
      });
      _exit(0);
    }
    close(steps[1]);
    char byte = 0;
    for (auto wait = random() % (2 * kPieces + 2) + 1; wait > 0; --wait) ASSERT_EQ(read(steps[0], &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(steps[0]);
    EXPECT_THAT(content(), testing::AnyOf(before, next));
    has_leftover();
  }
  write_file('z', [] {});
  EXPECT_EQ(content(), 'z');
  EXPECT_FALSE(has_leftover());
}

// Runs a child up to its `stops`-th stop before or after a system call and kills it there. Whether it got so far;
// nothing when this process may not trace.
template <typename Work>
std::optional<bool> kill_at_stop(int stops, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(77);
    raise(SIGSTOP);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return std::nullopt;
  for (int i = 0; i < stops; ++i) {
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) return false;
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return true;
}

// Every moment at which a kill can make a difference, one after the other: before and after each system call.
TEST_F(MetatensorKilledWriter, LeavesAWholeFileAtEverySystemCall) {
  int kills = 0, leftovers = 0, replaced = 0;
  for (int stops = 1;; ++stops) {
    const char before = content();
    const char next = before == '9' ? '0' : static_cast<char>(before + 1);
    const auto killed = kill_at_stop(stops, [&] { write_file(next, [] {}); });
    if (!killed) GTEST_SKIP() << "this process may not trace its children";
    if (!*killed) break;
    ++kills;
    const char after = content();
    EXPECT_THAT(after, testing::AnyOf(before, next));
    replaced += after == next ? 1 : 0;
    leftovers += has_leftover() ? 1 : 0;
  }
  EXPECT_FALSE(has_leftover());  // the last child ran to its end and cleaned up
  EXPECT_GT(kills, 50);
  EXPECT_GT(leftovers, 0);  // those between link and rename
  EXPECT_GT(replaced, 0);   // those after it
}

}  // namespace
}  // namespace alknet::tensor
