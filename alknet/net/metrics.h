#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/call/dispatcher.h"

namespace alknet::net {

/// One `name="value"` of a metric.
struct MetricLabel {
  std::string name;
  std::string value;
};

/// Counters, gauges and histograms in Prometheus' text exposition format 0.0.4. Thread-safe.
///
/// A family holds at most 10,000 label sets, so that hostile values cannot fill the memory: what comes beyond goes to
/// one set whose values are all "other".
class Metrics {
 public:
  /// Adds to a counter, which starts at 0.
  void count(std::string_view name, std::string_view help, std::vector<MetricLabel> labels, double amount = 1);

  /// Notes one observation, in seconds for durations. The buckets are those of the first call.
  void observe(std::string_view name, std::string_view help, std::vector<MetricLabel> labels, double value,
               std::span<const double> buckets);

  /// A gauge whose value is asked for when the metrics are read. `read` must be safe on the reading thread.
  void gauge(std::string name, std::string help, std::vector<MetricLabel> labels, std::function<double()> read);

  /// The whole exposition.
  std::string text() const;

 private:
  struct Series {
    double value = 0;                   // counter
    std::function<double()> read;       // gauge
    std::vector<std::uint64_t> counts;  // histogram: one a bucket, not cumulative
    std::uint64_t count = 0;
    double sum = 0;
  };
  struct Family {
    std::string help;
    std::string type;
    std::vector<double> buckets;
    std::map<std::string, Series> series;  // by the text of the labels
  };
  Family& family(std::string_view name, std::string_view help, std::string_view type);
  static Series& series(Family& family, const std::vector<MetricLabel>& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

/// Notes finished calls: `alknet_calls_total` by operation and code, `alknet_call_seconds` by operation. Names that no
/// operation has count as "unknown".
void record_call(Metrics& metrics, const call::CallRecord& record);

}  // namespace alknet::net
