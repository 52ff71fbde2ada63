#include <fmt/format.h>

#include <array>
#include <cmath>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

/// [N, C, ...], each channel scaled by weight[C] and shifted by bias[C].
Ref by_channel(Composition& c, Ref value, const Ref& weight, const Ref& bias) {
  const auto spread = [&](const Ref& vector) {
    SymbolicShape shape(c.shape(value).size() - 1, 1);
    shape.front() = c.shape(value)[1];
    if (c.shape(vector) != SymbolicShape{shape.front()}) {
      c.rule().fail_shape(fmt::format("weight and bias need one element for each of {} channels, not the shape {}",
                                      shape.front().text(), shape_text(c.shape(vector))));
    }
    return c.writer().reshape(vector, shape);
  };
  if (!weight.absent()) value = c.node("mul", {value, spread(weight)});
  if (!bias.absent()) value = c.node("add", {value, spread(bias)});
  return value;
}

/// Normalises groups of channels: a layer norm of [N, groups, C / groups, ...] over all but the first two.
Ref normalized_groups(Composition& c, const Dim& groups) {
  const Ref input = c.input(0);
  const SymbolicShape shape = c.shape(input);
  if (shape.size() < 2) c.rule().fail_shape(fmt::format("the input {} needs a batch and channels", shape_text(shape)));
  if (Dim::remainder(shape[1], groups) != Dim(0)) {
    c.rule().fail_shape(fmt::format("{} groups do not divide {} channels", groups.text(), shape[1].text()));
  }
  SymbolicShape inner = {Dim::floor_divide(shape[1], groups)};
  inner.insert(inner.end(), shape.begin() + 2, shape.end());
  SymbolicShape grouped = {shape[0], groups};
  grouped.insert(grouped.end(), inner.begin(), inner.end());
  const Ref normal = c.node("layer_norm", {c.writer().reshape(input, grouped)},
                            {{"normalized_shape", dim_attribute(inner)}, {"eps", c.number("eps")}});
  return by_channel(c, c.writer().reshape(normal, shape), c.input(1), c.input(2));
}

std::vector<Ref> group_norm(Composition& c) { return {normalized_groups(c, c.integer("num_groups"))}; }

std::vector<Ref> instance_norm(Composition& c) {
  const SymbolicShape& shape = c.shape(c.input(0));
  if (shape.size() < 3) c.rule().fail_shape(fmt::format("the input {} needs the form [N, C, ...]", shape_text(shape)));
  return {normalized_groups(c, Dim(shape[1]))};
}

/// Pairs of elements, rotated by position * base^(-2 i / depth).
std::vector<Ref> rope(Composition& c) {
  const Ref input = c.input(0);
  const SymbolicShape shape = c.shape(input);
  const auto depth = shape.empty() ? std::nullopt : shape.back().constant();
  if (shape.size() < 2 || !depth || *depth % 2 != 0) {
    c.rule().fail_shape(fmt::format("the input {} needs the form [..., positions, an even size]", shape_text(shape)));
  }
  const Dtype wide = c.dtype(input) == Dtype::kF64 ? Dtype::kF64 : Dtype::kF32;
  constexpr std::int64_t kMaxDepth = 1 << 20;  // the frequencies become a constant of the graph
  if (*depth > kMaxDepth) c.rule().fail_shape(fmt::format("the last size is {}; at most {}", *depth, kMaxDepth));
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < *depth / 2; ++i) {
    frequencies.push_back(std::pow(c.number("base"), -2.0 * static_cast<double>(i) / static_cast<double>(*depth)));
  }
  const Ref positions = c.has(1) ? c.input(1) : c.writer().positions(shape[shape.size() - 2]);
  const Ref column = c.node("unsqueeze", {c.writer().cast(positions, wide)}, {{"dim", -1}});
  const Ref angle = c.node("mul", {column, c.writer().vector(frequencies, wide)});
  const Ref cos = c.writer().cast(c.node("cos", {angle}), c.dtype(input));
  const Ref sin = c.writer().cast(c.node("sin", {angle}), c.dtype(input));
  const bool interleaved = c.boolean("interleaved");
  const std::int64_t half = *depth / 2;
  const auto part = [&](std::int64_t which) {
    JsonObject attrs{{"dim", -1}, {"start", interleaved ? which : which * half}};
    if (interleaved) attrs["step"] = 2;
    if (!interleaved) attrs["end"] = (which + 1) * half;
    return c.node("slice", {input}, std::move(attrs));
  };
  const Ref x = part(0), y = part(1);
  Ref first = c.node("sub", {c.node("mul", {x, cos}), c.node("mul", {y, sin})});
  Ref second = c.node("add", {c.node("mul", {y, cos}), c.node("mul", {x, sin})});
  if (!interleaved) return c.writer().call("cat", {{first, second}}, {{"dim", -1}});
  first = c.node("unsqueeze", {first}, {{"dim", -1}});
  second = c.node("unsqueeze", {second}, {{"dim", -1}});
  return {c.writer().reshape(c.writer().call("cat", {{first, second}}, {{"dim", -1}}).front(), shape)};
}

std::vector<Ref> dropout(Composition& c) {
  const Ref input = c.input(0);
  const double p = c.number("p");
  if (!c.boolean("training") || p == 0) return {input};
  if (!c.has(1)) c.rule().fail_attribute("training", "needs the input \"rng\"");
  // A value times 0 need not be 0.
  if (p == 1) return {c.writer().zeros(c.writer().type(input))};
  const Ref keep = c.writer().expand(c.writer().number(1 - p, Dtype::kF32), c.shape(input));
  const Ref kept = c.node("bernoulli", {keep, c.input(1)}, {{"stream", c.attribute("stream")}});
  const Ref scaled = c.node("mul", {input, c.scalar(1 / (1 - p))});
  return {c.node("mul", {scaled, c.writer().cast(kept, c.dtype(input))})};
}

/// 1 at the place that each class says.
std::vector<Ref> one_hot(Composition& c) {
  const Ref index = c.node("unsqueeze", {c.input(0)}, {{"dim", -1}});
  SymbolicShape shape = c.shape(c.input(0));
  shape.emplace_back(c.integer("num_classes"));
  const Ref ones = c.writer().ones({Dtype::kI64, c.shape(index)});
  return {c.node("scatter", {c.writer().zeros({Dtype::kI64, shape}), index, ones}, {{"dim", -1}})};
}

constexpr std::array kNnComposers = {
    Composer{"dropout", dropout},
    Composer{"group_norm", group_norm},
    Composer{"instance_norm", instance_norm},
    Composer{"one_hot", one_hot},
    Composer{"rope", rope},
};

}  // namespace

std::span<const Composer> nn_composers() { return kNnComposers; }

}  // namespace alknet::graph
