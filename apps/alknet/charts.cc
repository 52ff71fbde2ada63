#include "apps/alknet/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace alknet::app {
namespace {

constexpr Color kInk{40, 40, 40}, kFaint{225, 225, 225}, kWhite{255, 255, 255}, kBlue{31, 90, 150};
constexpr std::array kPalette = {kBlue, Color{214, 96, 30}, Color{40, 140, 60}, Color{150, 60, 150}};

struct Range {
  double low = 0, high = 1;
};

/// Round steps of 1, 2 or 5 times a power of ten, about `count` of them.
double round_step(const Range& range, int count) {
  const double rough = (range.high - range.low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

/// The values' range, widened to round steps.
Range value_range(const std::vector<Series>& series) {
  Range range{HUGE_VAL, -HUGE_VAL};
  for (const Series& one : series) {
    for (const double value : one.values) {
      if (!std::isfinite(value)) continue;
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }
  if (range.low > range.high) return {};
  if (range.low == range.high) range = {range.low - 0.5, range.high + 0.5};
  const double step = round_step(range, 5);
  return {std::floor(range.low / step) * step, std::ceil(range.high / step) * step};
}

}  // namespace

Drawing line_chart(const std::string& title, const std::string& x_label, const std::string& y_label,
                   const std::vector<Series>& series) {
  constexpr double kWidth = 640, kHeight = 400, kLeft = 70, kRight = 20, kTop = 50, kBottom = 55;
  Drawing drawing(kWidth, kHeight);
  const Range y = value_range(series);
  std::size_t longest = 2;
  for (const Series& one : series) longest = std::max(longest, one.values.size());
  const Range x{1, static_cast<double>(longest)};
  const auto place = [&](double at, double value) {
    return Point{kLeft + (at - x.low) / (x.high - x.low) * (kWidth - kLeft - kRight),
                 kHeight - kBottom - (value - y.low) / (y.high - y.low) * (kHeight - kTop - kBottom)};
  };

  drawing.text({kLeft, 28}, 16, title, kInk);
  const double y_step = round_step(y, 5);
  for (double value = y.low; value <= y.high + y_step / 2; value += y_step) {
    drawing.line({place(x.low, value), place(x.high, value)}, 1, kFaint);
    drawing.text({kLeft - 8, place(x.low, value).y + 4}, 12, fmt::format("{:.4g}", std::abs(value) < 1e-12 ? 0 : value),
                 kInk, Anchor::kEnd);
  }
  const double x_step = std::max(1.0, round_step(x, 10));
  for (double at = x_step > 1 ? x_step : 1; at <= x.high; at += x_step) {
    drawing.text({place(at, y.low).x, kHeight - kBottom + 18}, 12, fmt::format("{:.4g}", at), kInk, Anchor::kMiddle);
  }
  drawing.line({place(x.low, y.high), place(x.low, y.low), place(x.high, y.low)}, 1.5, kInk);
  drawing.text({kLeft + (kWidth - kLeft - kRight) / 2, kHeight - 14}, 13, x_label, kInk, Anchor::kMiddle);
  drawing.text({20, kTop + (kHeight - kTop - kBottom) / 2}, 13, y_label, kInk, Anchor::kMiddle, true);

  double legend = kWidth - kRight;
  for (std::size_t i = series.size(); i-- > 0;) {
    const Color color = kPalette[i % kPalette.size()];
    std::vector<Point> points;
    for (std::size_t at = 0; at < series[i].values.size(); ++at) {
      points.push_back(place(static_cast<double>(at + 1), series[i].values[at]));
    }
    drawing.line(std::move(points), 2, color);
    drawing.text({legend, 28}, 13, series[i].name, color, Anchor::kEnd);
    legend -= 9.0 * static_cast<double>(series[i].name.size()) + 16;
  }
  return drawing;
}

Drawing confusion_matrix(const std::string& title, const std::vector<std::vector<std::size_t>>& counts) {
  constexpr double kCell = 40, kLeft = 70, kTop = 80;
  const auto classes = static_cast<double>(counts.size());
  Drawing drawing(kLeft + classes * kCell + 20, kTop + classes * kCell + 20);
  drawing.text({kLeft, 28}, 16, title, kInk);
  drawing.text({kLeft + classes * kCell / 2, 52}, 13, "predicted", kInk, Anchor::kMiddle);
  drawing.text({22, kTop + classes * kCell / 2}, 13, "true", kInk, Anchor::kMiddle, true);
  for (std::size_t row = 0; row < counts.size(); ++row) {
    const double top = kTop + static_cast<double>(row) * kCell;
    drawing.text({kLeft + static_cast<double>(row) * kCell + kCell / 2, kTop - 8}, 13, std::to_string(row), kInk,
                 Anchor::kMiddle);
    drawing.text({kLeft - 12, top + kCell / 2 + 4}, 13, std::to_string(row), kInk, Anchor::kEnd);
    std::size_t total = 1;
    for (const std::size_t count : counts[row]) total = std::max(total, count);
    for (std::size_t column = 0; column < counts[row].size(); ++column) {
      const std::size_t count = counts[row][column];
      const double part = static_cast<double>(count) / static_cast<double>(total);
      const auto mix = [&](std::uint8_t from, std::uint8_t to) {
        // Single errors are to be seen beside dozens that are right.
        const double shade = count == 0 ? 0 : 0.15 + 0.85 * part;
        return static_cast<std::uint8_t>(from + (to - from) * shade);
      };
      const Color target = row == column ? kBlue : kPalette[1];
      const Point corner{kLeft + static_cast<double>(column) * kCell, top};
      drawing.rectangle({corner.x + 1, corner.y + 1}, kCell - 2, kCell - 2,
                        {mix(245, target.red), mix(245, target.green), mix(245, target.blue)});
      if (count == 0) continue;
      drawing.text({corner.x + kCell / 2, corner.y + kCell / 2 + 5}, 13, std::to_string(count),
                   part > 0.5 ? kWhite : kInk, Anchor::kMiddle);
    }
  }
  return drawing;
}

}  // namespace alknet::app
