#include "alknet/graph/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace alknet::graph {

void GradcheckReport::add(const GradcheckReport& other, std::string_view what) {
  ops.insert(other.ops.begin(), other.ops.end());
  cases += other.cases;
  elements += other.elements;
  passed = passed && other.passed;
  if (other.worst <= worst) return;
  worst = other.worst;
  worst_at = fmt::format("{}: {}", what, other.worst_at);
}

Json GradcheckReport::to_json() const {
  JsonArray names;
  for (const std::string& op : ops) names.emplace_back(op);
  return {{"passed", passed},     {"ops", std::move(names)}, {"cases", cases},
          {"elements", elements}, {"worst", worst},          {"worst_at", worst_at}};
}

std::string GradcheckReport::summary() const {
  return fmt::format("{} operations, {} cases, {} derivatives, worst error {:.1e} ({})", ops.size(), cases, elements,
                     worst, worst_at);
}

void compare_gradient(std::span<double> values, std::span<const double> analytic, FunctionRef<double()> total,
                      std::string_view where, const GradcheckOptions& options, GradcheckReport& report) {
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double middle = values[k];
    const double h = options.step * std::max(0.1, std::fabs(middle));
    const auto at = [&](double offset) {
      values[k] = middle + offset;
      return total();
    };
    const double expected = (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
    values[k] = middle;
    if (std::isnan(expected)) continue;
    ++report.elements;
    const double difference = std::fabs(analytic[k] - expected) / (1 + std::fabs(expected));
    const double error = std::isnan(difference) ? HUGE_VAL : difference;
    if (error <= report.worst) continue;
    report.worst = error;
    report.worst_at = fmt::format("{}, element {}: got {}, expected {}", where, k, analytic[k], expected);
    report.passed = report.passed && error <= options.tolerance;
  }
}

}  // namespace alknet::graph
