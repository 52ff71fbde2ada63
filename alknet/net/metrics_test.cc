#include "alknet/net/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace alknet::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountersGaugesAndHistogramsInThePrometheusFormat) {
  Metrics metrics;
  metrics.count("calls_total", "Calls.", {{"code", "OK"}});
  metrics.count("calls_total", "Calls.", {{"code", "OK"}}, 2);
  metrics.gauge("open", "Now.", {}, [] { return 7.0; });
  constexpr std::array kBuckets{0.1, 1.0};
  for (const double seconds : {0.05, 0.1, 0.5, 3.0}) metrics.observe("seconds", "Time.", {}, seconds, kBuckets);
  EXPECT_EQ(metrics.text(), R"(# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{code="OK"} 3
# HELP open Now.
# TYPE open gauge
open 7
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="0.1"} 2
seconds_bucket{le="1"} 3
seconds_bucket{le="+Inf"} 4
seconds_sum 3.65
seconds_count 4
)");
}

TEST(Metrics, HostileLabelsStayInsideTheirQuotes) {
  Metrics metrics;
  metrics.count("a_total", "A.", {{"name", "x\"} 1\nb_total 2 \\"}});
  EXPECT_THAT(metrics.text(), HasSubstr(R"(a_total{name="x\"} 1\nb_total 2 \\"} 1)"));
}

TEST(Metrics, ManyLabelsDoNotFillTheMemory) {
  Metrics metrics;
  for (int i = 0; i < 10'100; ++i) metrics.count("a_total", "A.", {{"name", std::to_string(i)}});
  EXPECT_THAT(metrics.text(), HasSubstr("a_total{name=\"other\"} 100\n"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("\"10050\"")));
}

TEST(Metrics, ACallToNobodyDoesNotNameItsOperation) {
  Metrics metrics;
  record_call(metrics, {"secret/guess", "peer", "NOT_FOUND", {}, false});
  record_call(metrics, {"a/b", "peer", "", std::chrono::microseconds(150), false});
  EXPECT_THAT(metrics.text(), Not(HasSubstr("guess")));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(alknet_calls_total{operation="a/b",code="OK"} 1)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(alknet_call_seconds_bucket{operation="a/b",le="0.00025"} 1)"));
}

}  // namespace
}  // namespace alknet::net
