#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/sandbox/hostile_corpus.h"

// Every script of tests/hostile_scripts under a deadline of 100 ms. bench/run R4 measures when exactly they stop.

namespace alknet::hostile {
namespace {

constexpr std::chrono::seconds kLenient{5};
constexpr std::uint64_t kMostGrowth = std::uint64_t{64} << 20;

class HostileScript : public testing::TestWithParam<Script> {
 protected:
  static void SetUpTestSuite() { host = new Host(); }
  static void TearDownTestSuite() {
    EXPECT_TRUE(host->unharmed());
    delete std::exchange(host, nullptr);
  }
  static inline Host* host = nullptr;
};

TEST_P(HostileScript, IsStoppedAndLeavesTheHostUnharmed) {
  const Outcome outcome = host->run(GetParam());
  const auto& expects = GetParam().expects;
  EXPECT_TRUE(std::find(expects.begin(), expects.end(), outcome.code) != expects.end())
      << outcome.code << ": " << outcome.what << " after " << outcome.took.count() << " us";
  EXPECT_LT(outcome.took, kLenient);
  EXPECT_LT(outcome.host_after, outcome.host_before + kMostGrowth);
  EXPECT_EQ(host->sandboxes().sessions(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Corpus, HostileScript,
                         testing::ValuesIn(scripts_in(ALKNET_SOURCE_DIR "/tests/hostile_scripts")),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(HostileCorpus, HasAtLeastFortyScripts) {
  EXPECT_GE(scripts_in(ALKNET_SOURCE_DIR "/tests/hostile_scripts").size(), 40U);
}

}  // namespace
}  // namespace alknet::hostile
