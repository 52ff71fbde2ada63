#include "alknet/graph/resample.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "alknet/graph/window.h"

namespace alknet::graph {
namespace {

using Taps = std::vector<std::vector<ResampleTap>>;

/// A window before it is cut to the source: what a pool counts as its size ends at the padding's end.
struct PaddedWindow {
  std::int64_t first, size;
};

PaddedWindow padded_window(const JsonObject& attrs, std::size_t d, std::int64_t input, std::int64_t place) {
  const std::int64_t kernel = window_parameter(attrs.at("kernel_size"), d);
  const Json& given = attrs.at("stride");
  const std::int64_t stride = given.is_null() ? kernel : window_parameter(given, d);
  const std::int64_t padding = window_parameter(attrs.at("padding"), d);
  const std::int64_t first = place * stride - padding;
  return {first, std::min(first + kernel, input + padding) - first};
}

std::vector<ResampleTap> mean_of(std::int64_t first, std::int64_t last, std::int64_t input, double divisor) {
  std::vector<ResampleTap> taps;
  for (std::int64_t i = std::max<std::int64_t>(first, 0); i < std::min(last, input); ++i) {
    taps.push_back({i, 1 / divisor});
  }
  return taps;
}

std::vector<ResampleTap> average(const JsonObject& attrs, std::size_t d, std::size_t rank, std::int64_t input,
                                 std::int64_t place) {
  const auto [first, size] = padded_window(attrs, d, input, place);
  const std::int64_t inside = std::min(first + size, input) - std::max<std::int64_t>(first, 0);
  const Json& override = attrs.at("divisor_override");
  double divisor = static_cast<double>(attrs.at("count_include_pad").as_bool() ? size : inside);
  if (!override.is_null()) divisor = d + 1 == rank ? override.to_number<double>() : 1;
  return mean_of(first, first + size, input, divisor);
}

std::vector<ResampleTap> adaptive(std::int64_t input, std::int64_t output, std::int64_t place) {
  const std::int64_t first = place * input / output, last = ((place + 1) * input + output - 1) / output;
  return mean_of(first, last, input, static_cast<double>(last - first));
}

/// Keys' cubic convolution with a = -0.75, as image libraries have it.
double cubic_weight(double distance) {
  constexpr double kA = -0.75;
  const double x = std::fabs(distance);
  if (x <= 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  return x < 2 ? ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA : 0;
}

std::vector<ResampleTap> interpolated(const JsonObject& attrs, std::size_t d, std::int64_t input, std::int64_t output,
                                      std::int64_t place) {
  const std::string_view mode = attrs.at("mode").get_string();
  const auto at = static_cast<double>(place);
  const bool exact = attrs.at("scale_factor").is_null();
  const double scale = interpolate_scale(attrs, d, input, output);
  if (mode == "nearest" || mode == "nearest-exact") {
    const bool centred = mode == "nearest-exact";
    const std::int64_t source = exact && !centred ? place * input / output
                                : exact           ? (2 * place + 1) * input / (2 * output)
                                                  : static_cast<std::int64_t>((at + (centred ? 0.5 : 0)) * scale);
    return {{std::min(source, input - 1), 1}};
  }
  const Json& align = attrs.at("align_corners");
  const bool corners = align.is_bool() && align.get_bool();
  double coordinate = corners ? (output > 1 ? at * static_cast<double>(input - 1) / static_cast<double>(output - 1) : 0)
                              : (at + 0.5) * scale - 0.5;
  const bool cubic = mode == "bicubic";
  if (!cubic) coordinate = std::max(coordinate, 0.0);
  const double low = std::floor(coordinate), rest = coordinate - low;
  std::vector<ResampleTap> taps;
  for (int k = cubic ? -1 : 0; k < (cubic ? 3 : 2); ++k) {
    const double weight = cubic ? cubic_weight(rest - k) : k == 0 ? 1 - rest : rest;
    const auto source = std::clamp<std::int64_t>(static_cast<std::int64_t>(low) + k, 0, input - 1);
    taps.push_back({source, weight});
  }
  return taps;
}

}  // namespace

std::size_t spatial_rank(const OpSpec& op, std::size_t rank) {
  const std::size_t digit = op.shape.find_first_of("0123456789");
  return digit == std::string::npos ? rank - 2 : static_cast<std::size_t>(op.shape[digit] - '0');
}

std::vector<WindowRange> pool_ranges(const JsonObject& attrs, std::size_t dimension, std::int64_t input,
                                     std::int64_t output) {
  std::vector<WindowRange> ranges;
  const Json* kernel = attrs.if_contains("kernel_size");
  for (std::int64_t place = 0; place < output; ++place) {
    if (kernel == nullptr) {
      const std::int64_t first = place * input / output;
      ranges.push_back({first, ((place + 1) * input + output - 1) / output - first, 1});
      continue;
    }
    const std::int64_t step = window_parameter(attrs.at("dilation"), dimension);
    std::int64_t first = padded_window(attrs, dimension, input, place).first;
    const std::int64_t end = std::min(input, first + (window_parameter(*kernel, dimension) - 1) * step + 1);
    if (first < 0) first += (-first + step - 1) / step * step;
    ranges.push_back({first, first < end ? (end - first + step - 1) / step : 0, step});
  }
  return ranges;
}

Taps resample_taps(const JsonObject& attrs, std::size_t dimension, std::size_t rank, std::int64_t input,
                   std::int64_t output) {
  Taps taps;
  const Json* mode = attrs.if_contains("mode");
  const bool interpolates = mode != nullptr && mode->get_string() != "area";
  for (std::int64_t place = 0; place < output; ++place) {
    if (interpolates) {
      taps.push_back(interpolated(attrs, dimension, input, output, place));
    } else if (attrs.contains("kernel_size")) {
      taps.push_back(average(attrs, dimension, rank, input, place));
    } else {
      taps.push_back(adaptive(input, output, place));
    }
  }
  return taps;
}

Taps transposed_taps(const Taps& taps, std::int64_t input) {
  Taps result(static_cast<std::size_t>(input));
  for (std::size_t place = 0; place < taps.size(); ++place) {
    for (const auto& [source, weight] : taps[place]) {
      result[static_cast<std::size_t>(source)].push_back({static_cast<std::int64_t>(place), weight});
    }
  }
  return result;
}

double interpolate_scale(const JsonObject& attrs, std::size_t dimension, std::int64_t input, std::int64_t output) {
  const Json& factor = attrs.at("scale_factor");
  if (factor.is_null()) return static_cast<double>(input) / static_cast<double>(output);
  const auto* list = factor.if_array();
  return 1 / (list != nullptr ? list->at(list->size() == 1 ? 0 : dimension) : factor).to_number<double>();
}

}  // namespace alknet::graph
