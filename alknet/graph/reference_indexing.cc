#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "alknet/graph/reference_call.h"

namespace alknet::graph::reference {
namespace {

std::size_t axis_of(const Call& call, const Shape& shape) {
  const auto dim = call.attrs.at("dim").to_number<std::int64_t>();
  return to_index(dim < 0 ? dim + std::max<std::int64_t>(std::ssize(shape), 1) : dim);
}

/// Element of a tensor of `shape` at a position.
std::size_t at_position(const Shape& at, const Shape& shape) {
  std::int64_t linear = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) linear = linear * shape[d] + at[d];
  return to_index(linear);
}

/// Calls `visit(place in index, place of the indexed element in `shape`)`.
template <typename Visit>
void for_each_index(const Call& call, const Tensor& index, const Shape& shape, Visit&& visit) {
  for (std::size_t i = 0; i < index.data.size(); ++i) {
    Shape at = position(static_cast<std::int64_t>(i), index.shape);
    if (!at.empty()) at[axis_of(call, shape)] = static_cast<std::int64_t>(index.data[i]);
    visit(position(static_cast<std::int64_t>(i), index.shape), at_position(at, shape));
  }
}

Outputs gather(const Call& call) {
  Tensor result = filled(call.shape);
  for_each_index(call, call.input(1), call.input(0).shape, [&](const Shape& at, std::size_t place) {
    result.data[at_position(at, call.shape)] = call.input(0).data[place];
  });
  return {result};
}

Outputs add_at(const Call& call, Tensor result, const Tensor& source, bool adds) {
  for_each_index(call, call.input(1), result.shape, [&](const Shape& at, std::size_t place) {
    const double value = source.data[at_position(at, source.shape)];
    result.data[place] = adds ? result.data[place] + value : value;
  });
  return {result};
}

Outputs embedding_dense_backward(const Call& call) {
  Tensor result = filled(call.shape);
  const std::size_t width = to_index(call.shape[1]);
  for (std::size_t i = 0; i < call.input(0).data.size(); ++i) {
    result.data[static_cast<std::size_t>(call.input(1).data[i / width]) * width + i % width] += call.input(0).data[i];
  }
  return {result};
}

Outputs slice_backward(const Call& call) {
  Tensor result = filled(call.shape);
  JsonObject attrs = call.attrs;
  attrs.erase("input_sizes");
  const auto layout = apply_view(OpTable::builtin().at("slice"), {call.shape, contiguous_strides(call.shape), 0}, attrs,
                                 &call.input(0).shape);
  for (std::size_t i = 0; i < call.input(0).data.size(); ++i) {
    const Shape at = position(static_cast<std::int64_t>(i), call.input(0).shape);
    std::int64_t offset = layout->offset;
    for (std::size_t d = 0; d < at.size(); ++d) offset += at[d] * layout->strides[d];
    result.data[to_index(offset)] = call.input(0).data[i];
  }
  return {result};
}

Outputs constant_pad(const Call& call) {
  double value = call.attrs.at("value").to_number<double>();
  if (call.dtypes.inputs[0] == Dtype::kBool) value = value != 0 ? 1 : 0;
  Tensor result = filled(call.shape, value);
  const Tensor& input = call.input(0);
  const JsonArray& padding = call.attrs.at("pad").get_array();
  for (std::size_t i = 0; i < input.data.size(); ++i) {
    Shape at = position(static_cast<std::int64_t>(i), input.shape);
    bool inside = true;
    for (std::size_t d = 0; d < at.size(); ++d) {
      const std::size_t pair = 2 * (at.size() - 1 - d);
      if (pair < padding.size()) at[d] += padding[pair].to_number<std::int64_t>();
      inside = inside && at[d] >= 0 && at[d] < call.shape[d];
    }
    if (inside) result.data[at_position(at, call.shape)] = input.data[i];
  }
  return {result};
}

Outputs concatenate(const Call& call) {
  Tensor result = filled(call.shape);
  std::int64_t start = 0;
  const std::size_t axis = axis_of(call, call.shape);
  for (std::size_t part = 0; part < call.inputs.size(); ++part) {
    if (!call.has(part)) continue;
    const Tensor& input = call.input(part);
    for (std::size_t i = 0; i < input.data.size(); ++i) {
      Shape at = position(static_cast<std::int64_t>(i), input.shape);
      at[axis] += start;
      result.data[at_position(at, call.shape)] = input.data[i];
    }
    start += input.shape[axis];
  }
  return {result};
}

Outputs fold(const Call& call, double start, double (*combine)(double, double)) {
  const Tensor& input = call.input(0);
  const auto reduced = reduced_axes(call);
  Shape kept = input.shape;
  for (std::size_t d = 0; d < kept.size(); ++d) kept[d] = reduced[d] ? 1 : kept[d];
  Tensor result = filled(call.shape, start);
  for (std::size_t i = 0; i < input.data.size(); ++i) {
    double& total = result.data[broadcast_index(position(static_cast<std::int64_t>(i), input.shape), kept)];
    total = combine(total, input.data[i]);
  }
  return {result};
}

/// The lines of `shape` along an axis: calls `visit(places of a line's elements)`.
template <typename Visit>
void for_each_line(const Shape& shape, std::size_t axis, Visit&& visit) {
  const std::int64_t length = shape.empty() ? 1 : shape[axis];
  const std::int64_t stride = shape.empty() ? 1 : contiguous_strides(shape)[axis];
  for (std::int64_t i = 0; i < element_count(shape); ++i) {
    if (!shape.empty() && position(i, shape)[axis] != 0) continue;
    std::vector<std::size_t> places;
    for (std::int64_t k = 0; k < length; ++k) places.push_back(to_index(i + k * stride));
    visit(places);
  }
}

/// value = step(value before, element, its place)
Outputs scan(const Call& call, double start, const std::function<double(double, std::size_t, std::size_t)>& step) {
  Tensor result = filled(call.shape);
  for_each_line(call.shape, call.shape.empty() ? 0 : axis_of(call, call.shape), [&](std::vector<std::size_t> places) {
    if (call.attrs.at("reverse").get_bool()) std::reverse(places.begin(), places.end());
    double total = start;
    for (std::size_t k = 0; k < places.size(); ++k) {
      total = result.data[places[k]] = step(total, places[k], k == 0 ? places[k] : places[k - 1]);
    }
  });
  return {result};
}

Outputs linear_scan(const Call& call) {
  const bool reverse = call.attrs.at("reverse").get_bool();
  return scan(call, 0, [&](double total, std::size_t place, std::size_t before) {
    return call.input(0).data[reverse ? before : place] * total + call.input(1).data[place];
  });
}

/// The extreme so far; NaN stays.
Outputs running_extreme(const Call& call, double sign) {
  return scan(call, -sign * std::numeric_limits<double>::infinity(), [&](double most, std::size_t place, std::size_t) {
    const double value = call.input(0).data[place];
    return !std::isnan(most) && (std::isnan(value) || sign * value > sign * most) ? value : most;
  });
}

double log_add(double a, double b) {
  const double most = std::max(a, b);
  return std::isinf(most) ? most : most + std::log(std::exp(a - most) + std::exp(b - most));
}

Outputs sort(const Call& call) {
  Outputs results = {filled(call.shape), filled(call.shape)};
  const bool descending = call.attrs.at("descending").get_bool();
  const auto& input = call.input(0).data;
  for_each_line(call.shape, axis_of(call, call.shape), [&](const std::vector<std::size_t>& places) {
    std::vector<std::size_t> order(places.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const double x = input[places[descending ? b : a]], y = input[places[descending ? a : b]];
      return std::isnan(y) ? !std::isnan(x) : x < y;
    });
    for (std::size_t k = 0; k < order.size(); ++k) {
      results[0].data[places[k]] = input[places[order[k]]];
      results[1].data[places[k]] = static_cast<double>(order[k]);
    }
  });
  return results;
}

/// The extreme elements along a dimension and where they are.
Outputs extremes(const Call& call, double sign) {
  Outputs results = {filled(call.shape), filled(call.shape)};
  const Tensor& input = call.input(0);
  std::size_t result = 0;
  for_each_line(input.shape, axis_of(call, input.shape), [&](const std::vector<std::size_t>& places) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < places.size(); ++k) {
      const double value = input.data[places[k]], most = input.data[places[best]];
      if (!std::isnan(most) && (std::isnan(value) || sign * value > sign * most)) best = k;
    }
    results[0].data[result] = input.data[places[best]];
    results[1].data[result++] = static_cast<double>(best);
  });
  return results;
}

/// Where the extreme element is; with `dim` null, in all.
Outputs place_of_extreme(const Call& call, double sign) {
  if (!call.attrs.at("dim").is_null()) return {extremes(call, sign)[1]};
  Tensor flat = call.input(0);
  flat.shape = {element_count(flat.shape)};
  JsonObject attrs = call.attrs;
  attrs["dim"] = 0;
  const std::vector<const Tensor*> inputs = {&flat};
  return {extremes({call.op, attrs, inputs, call.dtypes, call.shape}, sign)[1]};
}

}  // namespace

const Runs& indexing_runs() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static const Runs kRuns = {
      {"gather", gather},
      {"gather_backward", [](const Call& c) { return add_at(c, filled(c.shape), c.input(0), true); }},
      {"scatter", [](const Call& c) { return add_at(c, c.input(0), c.input(2), false); }},
      {"scatter_add", [](const Call& c) { return add_at(c, c.input(0), c.input(2), true); }},
      {"constant_pad_nd", constant_pad},
      {"embedding_dense_backward", embedding_dense_backward},
      {"slice_backward", slice_backward},
      {"cat_parts", concatenate},
      {"prod", [](const Call& c) { return fold(c, 1, [](double a, double b) { return a * b; }); }},
      {"amax", [](const Call& c) { return fold(c, -kInfinity, [](double a, double b) { return std::max(a, b); }); }},
      {"amin", [](const Call& c) { return fold(c, kInfinity, [](double a, double b) { return std::min(a, b); }); }},
      {"any", [](const Call& c) { return fold(c, 0, [](double a, double b) { return std::max(a, b); }); }},
      {"all", [](const Call& c) { return fold(c, 1, [](double a, double b) { return std::min(a, b); }); }},
      {"argmax", [](const Call& c) { return place_of_extreme(c, 1); }},
      {"argmin", [](const Call& c) { return place_of_extreme(c, -1); }},
      {"max_dim", [](const Call& c) { return extremes(c, 1); }},
      {"min_dim", [](const Call& c) { return extremes(c, -1); }},
      {"cumsum",
       [](const Call& c) {
         return scan(c, 0, [&](double t, std::size_t i, std::size_t) { return t + c.input(0).data[i]; });
       }},
      {"cumprod",
       [](const Call& c) {
         return scan(c, 1, [&](double t, std::size_t i, std::size_t) { return t * c.input(0).data[i]; });
       }},
      {"logcumsumexp",
       [](const Call& c) {
         return scan(c, -kInfinity,
                     [&](double t, std::size_t i, std::size_t) { return log_add(t, c.input(0).data[i]); });
       }},
      {"linear_scan", linear_scan},
      {"running_max", [](const Call& c) { return running_extreme(c, 1); }},
      {"running_min", [](const Call& c) { return running_extreme(c, -1); }},
      {"sort", sort},
  };
  return kRuns;
}

}  // namespace alknet::graph::reference
