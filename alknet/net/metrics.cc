#include "alknet/net/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace alknet::net {

namespace {

constexpr std::size_t kMaxSeries = 10'000;
constexpr std::array kCallSeconds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                  0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

std::string labels_text(const std::vector<MetricLabel>& labels) {
  std::string text;
  for (const MetricLabel& label : labels) {
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", label.name, escaped(label.value));
  }
  return text;
}

void append_line(std::string& out, std::string_view name, std::string_view labels, double value) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
  } else {
    fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
  }
}

}  // namespace

Metrics::Family& Metrics::family(std::string_view name, std::string_view help, std::string_view type) {
  const auto found = families_.find(name);
  if (found != families_.end()) return found->second;
  return families_.emplace(std::string(name), Family{std::string(help), std::string(type), {}, {}}).first->second;
}

Metrics::Series& Metrics::series(Family& family, const std::vector<MetricLabel>& labels) {
  const std::string text = labels_text(labels);
  const auto found = family.series.find(text);
  if (found != family.series.end()) return found->second;
  if (family.series.size() < kMaxSeries) return family.series[text];
  auto other = labels;
  for (MetricLabel& label : other) label.value = "other";
  return family.series[labels_text(other)];
}

void Metrics::count(std::string_view name, std::string_view help, std::vector<MetricLabel> labels, double amount) {
  const std::lock_guard lock(mutex_);
  series(family(name, help, "counter"), labels).value += amount;
}

void Metrics::observe(std::string_view name, std::string_view help, std::vector<MetricLabel> labels, double value,
                      std::span<const double> buckets) {
  const std::lock_guard lock(mutex_);
  Family& histogram = family(name, help, "histogram");
  if (histogram.buckets.empty()) histogram.buckets.assign(buckets.begin(), buckets.end());
  Series& one = series(histogram, labels);
  one.counts.resize(histogram.buckets.size());
  const auto bucket = std::lower_bound(histogram.buckets.begin(), histogram.buckets.end(), value);
  if (bucket != histogram.buckets.end()) {
    ++one.counts[static_cast<std::size_t>(bucket - histogram.buckets.begin())];
  }
  ++one.count;
  one.sum += value;
}

void Metrics::gauge(std::string name, std::string help, std::vector<MetricLabel> labels, std::function<double()> read) {
  const std::lock_guard lock(mutex_);
  series(family(name, help, "gauge"), labels).read = std::move(read);
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [labels, series] : family.series) {
      if (family.type != "histogram") {
        append_line(out, name, labels, series.read ? series.read() : series.value);
        continue;
      }
      const std::string_view comma = labels.empty() ? "" : ",";
      std::uint64_t below = 0;
      for (std::size_t i = 0; i < family.buckets.size(); ++i) {
        below += series.counts[i];
        append_line(out, name + "_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, family.buckets[i]),
                    static_cast<double>(below));
      }
      append_line(out, name + "_bucket", fmt::format("{}{}le=\"+Inf\"", labels, comma),
                  static_cast<double>(series.count));
      append_line(out, name + "_sum", labels, series.sum);
      append_line(out, name + "_count", labels, static_cast<double>(series.count));
    }
  }
  return out;
}

void record_call(Metrics& metrics, const call::CallRecord& record) {
  const std::string operation(record.code == "NOT_FOUND" ? "unknown" : record.operation);
  metrics.count("alknet_calls_total", "Finished calls.",
                {{"operation", operation}, {"code", std::string(record.code.empty() ? "OK" : record.code)}});
  metrics.observe("alknet_call_seconds", "Time from a call's start to its end.", {{"operation", operation}},
                  std::chrono::duration<double>(record.duration).count(), kCallSeconds);
}

}  // namespace alknet::net
