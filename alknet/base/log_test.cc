#include "alknet/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "alknet/base/json.h"

namespace alknet {
namespace {

struct Lines {
  std::vector<std::string> all;
  Logger logger(LogLevel level) {
    return Logger::to_sink(level, [this](LogLevel l, std::string_view line) {
      all.push_back(std::string(log_level_name(l)) + ": " + std::string(line));
    });
  }
};

TEST(Logger, WritesFieldsBehindTheMessage) {
  Lines lines;
  const auto logger = lines.logger(LogLevel::kInfo);
  logger.info("opened", {{"file", "a.mt"}, {"bytes", 12U}, {"delta", -3}, {"ratio", 0.5}, {"mapped", true}});
  EXPECT_EQ(lines.all, std::vector<std::string>{"info: opened file=a.mt bytes=12 delta=-3 ratio=0.5 mapped=true"});
}

TEST(Logger, QuotesTextsThatWouldBreakTheLine) {
  Lines lines;
  const auto logger = lines.logger(LogLevel::kInfo);
  logger.info("two\nlines\x1b", {{"empty", ""}, {"spaces", "a b"}, {"quote", "a\"b"}, {"line", "a\nb"}, {"eq", "a=b"}});
  EXPECT_EQ(lines.all, std::vector<std::string>{
                           R"(info: two\x0alines\x1b empty="" spaces="a b" quote="a\"b" line="a\nb" eq="a=b")"});
}

TEST(Logger, WritesOnlyItsLevelAndAbove) {
  Lines lines;
  const auto logger = lines.logger(LogLevel::kWarning);
  logger.info("no");
  logger.warning("yes");
  logger.error("yes");
  logger.log(LogLevel::kOff, "never");
  EXPECT_EQ(lines.all, (std::vector<std::string>{"warning: yes", "error: yes"}));
  EXPECT_FALSE(logger.enabled(LogLevel::kInfo));
  EXPECT_TRUE(logger.enabled(LogLevel::kError));
}

TEST(Logger, AddsTheFieldsOfItsContext) {
  Lines lines;
  const auto logger = lines.logger(LogLevel::kDebug);
  const auto peer = logger.with({{"peer", 7}}).with({{"stream", 1}});
  peer.debug("sent", {{"bytes", 5}});
  logger.debug("plain");
  EXPECT_EQ(lines.all, (std::vector<std::string>{"debug: sent bytes=5 peer=7 stream=1", "debug: plain"}));
}

TEST(Logger, WritesOneJsonObjectALineWhenAsked) {
  std::string line;
  const auto logger = Logger::to_sink(
      LogLevel::kInfo, [&](LogLevel, std::string_view text) { line = text; }, LogFormat::kJson);
  logger.with({{"peer", "x\"y"}}).info("two\nlines", {{"bytes", 12U}, {"ratio", 0.5}, {"ok", true}});
  const Json read = parse_json(line);
  EXPECT_EQ(read.at("message"), "two\nlines");
  EXPECT_EQ(read.at("level"), "info");
  EXPECT_EQ(read.at("peer"), "x\"y");
  EXPECT_EQ(read.at("bytes"), 12);
  EXPECT_EQ(read.at("ratio"), 0.5);
  EXPECT_EQ(read.at("ok"), true);
  EXPECT_EQ(read.at("time").as_string().size(), 24U);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(Logger, TakesBracesLiterallyAndSurvivesAFailingSink) {
  Lines lines;
  lines.logger(LogLevel::kInfo).info("{} {0}");
  EXPECT_EQ(lines.all, std::vector<std::string>{"info: {} {0}"});
  const auto failing =
      Logger::to_sink(LogLevel::kInfo, [](LogLevel, std::string_view) { throw std::runtime_error("x"); });
  failing.info("lost");
  const Logger nothing;
  nothing.error("nowhere");
  EXPECT_FALSE(nothing.enabled(LogLevel::kError));
}

TEST(Logger, SaysOnceHowManyLinesWereLost) {
  std::vector<std::string> written;
  bool full = true;
  const auto logger = Logger::to_sink(LogLevel::kInfo, [&](LogLevel, std::string_view line) {
    if (full) throw std::system_error(ENOSPC, std::generic_category());
    written.emplace_back(line);
  });
  for (int i = 0; i < 5; ++i) logger.info("lost");
  EXPECT_EQ(logger.lost_lines(), 5U);
  full = false;
  logger.with({{"peer", 7}}).info("back");
  logger.info("again");
  EXPECT_EQ(written, (std::vector<std::string>{R"(log lines were lost lines=5 reason="No space left on device")",
                                               "back peer=7", "again"}));
  EXPECT_EQ(logger.lost_lines(), 5U);
}

/// Standard error on another file as long as it lives.
class StandardErrorOn {
 public:
  explicit StandardErrorOn(const char* path) : old_(::dup(STDERR_FILENO)) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  ~StandardErrorOn() {
    ::dup2(old_, STDERR_FILENO);
    ::close(old_);
  }
  StandardErrorOn(const StandardErrorOn&) = delete;
  StandardErrorOn& operator=(const StandardErrorOn&) = delete;

 private:
  int old_;
};

TEST(Logger, NoticesThatStandardErrorIsFull) {
  const auto logger = Logger::to_stderr(LogLevel::kInfo, LogFormat::kJson);
  {
    const StandardErrorOn full("/dev/full");
    logger.info("one");
    logger.info("two");
  }
  EXPECT_EQ(logger.lost_lines(), 2U);
  testing::internal::CaptureStderr();
  logger.info("three");
  const std::string text = testing::internal::GetCapturedStderr();
  const Json told = parse_json(text.substr(0, text.find('\n')));
  EXPECT_EQ(told.at("message"), "log lines were lost");
  EXPECT_EQ(told.at("lines"), 2);
  EXPECT_EQ(told.at("reason"), "No space left on device");
  EXPECT_NE(text.find("three"), std::string::npos);
}

TEST(LogLevel, ReadsItsOwnNames) {
  for (const auto level :
       {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    EXPECT_EQ(parse_log_level(log_level_name(level)), level);
  }
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

TEST(Logger, WritesTimeAndLevelToStandardError) {
  testing::internal::CaptureStderr();
  Logger::to_stderr(LogLevel::kInfo).info("hello", {{"n", 1}});
  const auto text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with(" info hello n=1\n")) << text;
}

}  // namespace
}  // namespace alknet
