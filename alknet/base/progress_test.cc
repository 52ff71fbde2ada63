#include "alknet/base/progress.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace alknet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A terminal in memory with a clock that the test moves.
struct FakeTerminal {
  std::vector<std::string> writes;
  std::chrono::steady_clock::time_point time{};

  ProgressTerminal terminal(std::size_t columns = 100, bool color = false) {
    return {[this](std::string_view text) { writes.emplace_back(text); }, [this] { return time; }, columns, color};
  }
  /// The last drawn line without the sequence that wipes the one before.
  std::string line() const { return writes.back().substr(writes.back().find("\x1b[K") + 3); }
};

TEST(Progress, ShowsLabelBarPercentAmountRateAndRemainingTime) {
  FakeTerminal fake;
  Progress progress("model", 90'900'000, Unit::kBytes, fake.terminal());
  EXPECT_EQ(fake.line(), "model [........................]   0%  0 B of 90.9 MB");
  fake.time += seconds(2);
  progress.advance(45'450'000);
  EXPECT_EQ(fake.line(), "model [############............]  50%  45.5 MB of 90.9 MB, 22.7 MB/s, 0:02 left");
}

TEST(Progress, CountsItemsWithThousands) {
  FakeTerminal fake;
  Progress progress("files", 2000, Unit::kItems, fake.terminal());
  fake.time += seconds(1);
  progress.advance(1500);
  EXPECT_EQ(fake.line(), "files [##################......]  75%  1,500 of 2,000, 1,500/s, 0:00 left");
}

TEST(Progress, WithoutATotalShowsNoBar) {
  FakeTerminal fake;
  Progress progress("read", 0, Unit::kBytes, fake.terminal());
  fake.time += seconds(1);
  progress.advance(500);
  EXPECT_EQ(fake.line(), "read  500 B, 500 B/s");
}

TEST(Progress, RedrawsAtMostTenTimesASecondButAlwaysTheEnd) {
  FakeTerminal fake;
  Progress progress("x", 1000, Unit::kItems, fake.terminal());
  for (int i = 0; i < 500; ++i) {
    fake.time += milliseconds(1);
    progress.advance(1);
  }
  EXPECT_EQ(fake.writes.size(), 1U + 5U);
  progress.advance(500);
  EXPECT_NE(fake.line().find("100%"), std::string::npos);
}

TEST(Progress, WipesItsLineAtTheEndAndOnAnException) {
  FakeTerminal fake;
  {
    Progress progress("x", 10, Unit::kItems, fake.terminal());
    progress.finish();
    EXPECT_EQ(fake.writes.back(), "\r\x1b[K");
    const auto before = fake.writes.size();
    progress.advance(10);
    progress.finish();
    EXPECT_EQ(fake.writes.size(), before);
  }
  FakeTerminal failing;
  try {
    Progress progress("x", 10, Unit::kItems, failing.terminal());
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(failing.writes.back(), "\r\x1b[K");
}

TEST(Progress, KeepsToTheWidthOfTheTerminal) {
  FakeTerminal fake;
  Progress progress("a label with öäü that is long", 1000, Unit::kItems, fake.terminal(20));
  EXPECT_EQ(fake.line(), "a label with öäü th");
}

TEST(Progress, ColoursOnlyWhereAllowed) {
  FakeTerminal fake;
  const Progress plain("x", 10, Unit::kItems, fake.terminal(100, false));
  EXPECT_EQ(fake.line().find('\x1b'), std::string::npos);
  const Progress coloured("x", 10, Unit::kItems, fake.terminal(100, true));
  EXPECT_NE(fake.line().find("\x1b[32m"), std::string::npos);
}

TEST(Progress, IsSilentWithoutATerminal) {
  testing::internal::CaptureStderr();
  {
    Progress progress("x", 10, Unit::kItems);
    progress.advance(10);
    Progress disabled("x", 10, Unit::kItems, false);
    disabled.advance(10);
    disabled.set_label("y");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(BytesText, UsesPowersOfAThousand) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.0 kB");
  EXPECT_EQ(bytes_text(999'949), "999.9 kB");
  EXPECT_EQ(bytes_text(999'950), "1.0 MB");
  EXPECT_EQ(bytes_text(18'446'744'073'709'551'615U), "18.4 EB");
}

}  // namespace
}  // namespace alknet
