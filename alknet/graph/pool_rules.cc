#include <fmt/format.h>

#include <array>
#include <cmath>

#include "alknet/graph/graph.h"
#include "alknet/graph/shape_rule.h"
#include "alknet/graph/window.h"

namespace alknet::graph {
namespace {

using PoolShapes = std::vector<SymbolicShape>;

void check_pool_rank(const RuleCall& call, const SymbolicShape& input, std::size_t rank) {
  if (input.size() != rank + 1 && input.size() != rank + 2) {
    call.fail_shape(fmt::format("the input {} needs {} or {} dimensions", shape_text(input), rank + 1, rank + 2));
  }
}

std::int64_t pool_parameter(const RuleCall& call, std::string_view name, std::size_t d, std::size_t rank) {
  const Json& value = call.attribute(name);
  if (const auto* list = value.if_array(); list != nullptr && list->size() != 1 && list->size() != rank) {
    call.fail_attribute(name, fmt::format("has {} items for {} spatial dimensions", list->size(), rank));
  }
  return window_parameter(value, d);
}

Dim pooled(const RuleCall& call, const Dim& input, std::size_t d, std::size_t rank, bool dilated) {
  const std::int64_t kernel = pool_parameter(call, "kernel_size", d, rank);
  const std::int64_t stride = call.attribute("stride").is_null() ? kernel : pool_parameter(call, "stride", d, rank);
  const std::int64_t padding = pool_parameter(call, "padding", d, rank);
  const Dim reach = Dim(dilated ? pool_parameter(call, "dilation", d, rank) : 1) * Dim(kernel - 1) + Dim(1);
  if (padding > kernel / 2) {
    call.fail_attribute("padding", fmt::format("is {}; at most half of kernel_size {}", padding, kernel));
  }
  const Dim room = input + Dim(2) * Dim(padding) - reach;
  const auto known = room.constant();
  if (known && *known < 0 && !call.boolean("ceil_mode")) {
    call.fail_shape(fmt::format("the window of {} is larger than the padded input of {}", reach.text(),
                                (input + Dim(2) * Dim(padding)).text()));
  }
  if (!call.boolean("ceil_mode")) return Dim::floor_divide(room, Dim(stride)) + Dim(1);
  if (!known) {
    call.fail_attribute("ceil_mode", fmt::format("needs sizes known before the run, not {}", input.text()));
  }
  std::int64_t size = *known / stride + (*known > 0 && *known % stride != 0 ? 1 : 0) + 1;
  // A window must start inside.
  if (size > 1 && (*input.constant() + padding - 1) / stride < size - 1) --size;
  if (size < 1 || *input.constant() + padding < 1) {
    call.fail_shape(fmt::format("the window of {} is larger than the input of {}", reach.text(), input.text()));
  }
  return size;
}

SymbolicShape pool_shape(const RuleCall& call, const SymbolicShape& input, std::size_t rank) {
  check_pool_rank(call, input, rank);
  SymbolicShape shape = input;
  const bool dilated = call.has_attribute("dilation");
  for (std::size_t d = 0; d < rank; ++d) {
    Dim& size = shape[input.size() - rank + d];
    size = pooled(call, size, d, rank, dilated);
  }
  return shape;
}

SymbolicShape adaptive_pool_shape(const RuleCall& call, const SymbolicShape& input, std::size_t rank) {
  check_pool_rank(call, input, rank);
  SymbolicShape shape = input;
  const Json& given = call.attribute("output_size");
  const auto* list = given.if_array();
  if (list != nullptr && list->size() != 1 && list->size() != rank) {
    call.fail_attribute("output_size", fmt::format("has {} items for {} spatial dimensions", list->size(), rank));
  }
  for (std::size_t d = 0; d < rank; ++d) {
    const Json& item = list != nullptr ? list->at(list->size() == 1 ? 0 : d) : given;
    if (!item.is_null()) shape[input.size() - rank + d] = item.to_number<std::int64_t>();
  }
  return shape;
}

/// Other inputs of a pool's relatives: `index` must have the shape `expected`.
void check_pool_input(const RuleCall& call, std::size_t index, const SymbolicShape& expected) {
  if (!call.has(index) || call.input(index) == expected) return;
  call.fail_shape(
      fmt::format("a tensor has the shape {}, but {} is needed", shape_text(call.input(index)), shape_text(expected)));
}

using PoolShape = SymbolicShape (*)(const RuleCall& call, const SymbolicShape& input, std::size_t rank);

template <std::size_t kRank, PoolShape kShape>
PoolShapes pool(const RuleCall& call) {
  check_pool_input(call, 1, call.input(0));
  return {kShape(call, call.input(0), kRank)};
}

template <std::size_t kRank, PoolShape kShape>
PoolShapes pool_backward(const RuleCall& call) {
  const SymbolicShape shape = call.dims("input_size");
  check_pool_input(call, 0, kShape(call, shape, kRank));
  check_pool_input(call, 1, shape);
  return {shape};
}

/// Which modes there are for a number of spatial dimensions (0: any).
struct InterpolateMode {
  std::string_view name;
  std::size_t rank;
  bool corners;
};
constexpr std::array kInterpolateModes = {
    InterpolateMode{"nearest", 0, false}, InterpolateMode{"nearest-exact", 0, false},
    InterpolateMode{"area", 0, false},    InterpolateMode{"linear", 1, true},
    InterpolateMode{"bilinear", 2, true}, InterpolateMode{"bicubic", 2, true},
    InterpolateMode{"trilinear", 3, true}};

void check_mode(const RuleCall& call, std::size_t rank) {
  const std::string_view mode = call.attribute("mode").get_string();
  for (const auto& [name, wanted, corners] : kInterpolateModes) {
    if (name != mode) continue;
    if (wanted != 0 && wanted != rank) {
      call.fail_attribute("mode",
                          fmt::format("is {}, which takes {} spatial dimension(s), not {}", mode, wanted, rank));
    }
    if (!corners && !call.attribute("align_corners").is_null()) {
      call.fail_attribute("align_corners", fmt::format("has no meaning for the mode {}: leave it null", mode));
    }
  }
}

SymbolicShape interpolate_shape(const RuleCall& call, const SymbolicShape& input, std::size_t) {
  if (input.size() < 3 || input.size() > 5) {
    call.fail_shape(fmt::format("the input {} needs a rank of 3 to 5", shape_text(input)));
  }
  const std::size_t rank = input.size() - 2;
  check_mode(call, rank);
  const Json& size = call.attribute("size");
  const Json& factor = call.attribute("scale_factor");
  if (size.is_null() == factor.is_null())
    call.fail_attribute("size", "or else scale_factor must be given, and not both");
  const Json& given = size.is_null() ? factor : size;
  const auto* list = given.if_array();
  if (list != nullptr && list->size() != rank) {
    call.fail_attribute(size.is_null() ? "scale_factor" : "size",
                        fmt::format("has {} items for {} spatial dimensions", list->size(), rank));
  }
  SymbolicShape shape = input;
  for (std::size_t d = 0; d < rank; ++d) {
    const Json& item = list != nullptr ? list->at(d) : given;
    if (!size.is_null()) {
      shape[2 + d] = dim_from_attribute(item);
      continue;
    }
    const double scale = item.to_number<double>();
    if (const auto known = input[2 + d].constant()) {
      const double wanted = std::floor(static_cast<double>(*known) * scale);
      if (!(std::fabs(wanted) <= static_cast<double>(kMaxElements))) {
        call.fail_attribute("scale_factor", fmt::format("is {}, which makes {} too large", scale, *known));
      }
      shape[2 + d] = static_cast<std::int64_t>(wanted);
    } else if (scale == std::floor(scale) && std::fabs(scale) <= static_cast<double>(kMaxElements)) {
      shape[2 + d] = input[2 + d] * Dim(static_cast<std::int64_t>(scale));
    } else {
      call.fail_attribute("scale_factor", fmt::format("is {}: a size that is not known before the run ({}) takes "
                                                      "integers",
                                                      scale, input[2 + d].text()));
    }
  }
  for (std::size_t d = 0; d < rank; ++d) {
    const auto from = input[2 + d].constant(), to = shape[2 + d].constant();
    if ((from && *from < 1) || (to && *to < 1)) {
      call.fail_shape(
          fmt::format("cannot resize {} to {}: spatial sizes must be positive", shape_text(input), shape_text(shape)));
    }
  }
  return shape;
}

constexpr std::array kPoolRules = {
    ShapeRule{"pool1d", pool<1, pool_shape>, nullptr, false, false},
    ShapeRule{"pool2d", pool<2, pool_shape>, nullptr, false, false},
    ShapeRule{"pool3d", pool<3, pool_shape>, nullptr, false, false},
    ShapeRule{"pool1d_backward", pool_backward<1, pool_shape>, nullptr, false, false},
    ShapeRule{"pool2d_backward", pool_backward<2, pool_shape>, nullptr, false, false},
    ShapeRule{"pool3d_backward", pool_backward<3, pool_shape>, nullptr, false, false},
    ShapeRule{"adaptive_pool1d", pool<1, adaptive_pool_shape>, nullptr, false, false},
    ShapeRule{"adaptive_pool2d", pool<2, adaptive_pool_shape>, nullptr, false, false},
    ShapeRule{"adaptive_pool3d", pool<3, adaptive_pool_shape>, nullptr, false, false},
    ShapeRule{"adaptive_pool1d_backward", pool_backward<1, adaptive_pool_shape>, nullptr, false, false},
    ShapeRule{"adaptive_pool2d_backward", pool_backward<2, adaptive_pool_shape>, nullptr, false, false},
    ShapeRule{"adaptive_pool3d_backward", pool_backward<3, adaptive_pool_shape>, nullptr, false, false},
    ShapeRule{"interpolate", pool<0, interpolate_shape>, nullptr, false, false},
    ShapeRule{"interpolate_backward", pool_backward<0, interpolate_shape>, nullptr, false, false},
};

}  // namespace

std::span<const ShapeRule> pool_shape_rules() { return kPoolRules; }

}  // namespace alknet::graph
