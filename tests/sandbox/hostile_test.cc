#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/sandbox/hostile_corpus.h"
#include "tests/sandbox/hostile_kernels.h"

// Every script of tests/hostile_scripts under a deadline of 100 ms, every kernel of tests/hostile_kernels. bench/run R4
// measures when exactly they stop.

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

/// Kernels of callers; lenient in time, since what other tests take of the machine counts as theirs.
class HostileKernel : public testing::TestWithParam<Script> {
 protected:
  static void SetUpTestSuite() {
    reason = KernelHost::reason();
    if (reason.empty()) node = new KernelHost(std::chrono::milliseconds(500));
  }
  static void TearDownTestSuite() {
    if (node != nullptr) {
      EXPECT_TRUE(node->unharmed());
    }
    delete std::exchange(node, nullptr);
  }
  void SetUp() override {
    if (node == nullptr) GTEST_SKIP() << "no GPU: " << reason;
  }
  static inline KernelHost* node = nullptr;
  static inline std::string reason;
};

TEST_P(HostileKernel, IsStoppedAndLeavesTheHostUnharmed) {
  const Outcome outcome = node->run(GetParam());
  const auto& expects = GetParam().expects;
  EXPECT_TRUE(std::find(expects.begin(), expects.end(), outcome.code) != expects.end())
      << outcome.code << ": " << outcome.what << " after " << outcome.took.count() << " us";
  EXPECT_LT(outcome.took, 4 * kLenient);
  EXPECT_LT(outcome.host_after, outcome.host_before + kMostGrowth);
  EXPECT_EQ(node->workers(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Corpus, HostileKernel,
                         testing::ValuesIn(kernels_in(ALKNET_SOURCE_DIR "/tests/hostile_kernels")),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace alknet::hostile
