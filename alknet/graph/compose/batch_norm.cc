#include <fmt/format.h>

#include <array>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

constexpr std::array kPerChannel = {"running_mean", "running_var", "weight", "bias"};

void check_batch_norm(Composition& c) {
  const SymbolicShape& shape = c.shape(c.input(0));
  if (shape.size() < 2) c.rule().fail_shape(fmt::format("the input {} needs a rank of 2 or more", shape_text(shape)));
  for (std::size_t i = 0; i < kPerChannel.size(); ++i) {
    if (c.has(i + 1) && c.shape(c.input(i + 1)) != SymbolicShape{shape[1]}) {
      c.rule().fail_shape(fmt::format("{} has the shape {}; there are {} channels", kPerChannel[i],
                                      shape_text(c.shape(c.input(i + 1))), shape[1].text()));
    }
  }
  if (c.has(1) != c.has(2)) c.rule().fail_shape("running_mean and running_var come together");
  if (!c.has(1) && !c.boolean("training"))
    c.rule().fail_attribute("training", "must be true without running statistics");
}

std::vector<Ref> batch_norm(Composition& c) {
  check_batch_norm(c);
  const Ref input = c.input(0);
  const SymbolicShape shape = c.shape(input);
  SymbolicShape channel(shape.size(), 1), rest = shape;
  channel[1] = shape[1];
  rest[1] = 1;
  const auto spread = [&](const Ref& ref) { return c.writer().reshape(ref, channel); };
  const auto flat = [&](const Ref& ref) { return c.writer().reshape(ref, {shape[1]}); };

  Ref mean, variance, next_mean = c.input(1), next_var = c.input(2);
  Ref centered;
  if (c.boolean("training")) {
    JsonArray dims = {0};
    for (std::int64_t d = 2; d < std::ssize(shape); ++d) dims.push_back(d);
    const JsonObject over = {{"dim", dims}, {"keepdim", true}};
    mean = c.node("mean", {input}, over);
    centered = c.node("sub", {input, mean});
    variance = c.node("mean", {c.node("mul", {centered, centered})}, over);
    const Ref count = c.writer().count(rest, c.dtype(input));
    const Ref unbiased = c.node("mul", {flat(variance), c.node("div", {count, c.node("sub", {count, c.scalar(1.0)})})});
    const double momentum = c.number("momentum");
    const auto next = [&](const Ref& old, const Ref& now) {
      if (old.absent()) return now;
      return c.node("add", {c.node("mul", {old, c.scalar(1 - momentum)}), c.node("mul", {now, c.scalar(momentum)})});
    };
    next_mean = next(next_mean, flat(mean));
    next_var = next(next_var, unbiased);
  } else {
    mean = spread(c.input(1));
    centered = c.node("sub", {input, mean});
    variance = spread(c.input(2));
  }
  const Ref scale = c.node("rsqrt", {c.node("add", {variance, c.scalar(c.number("eps"))})});
  Ref output = c.node("mul", {centered, scale});
  if (c.has(3)) output = c.node("mul", {output, spread(c.input(3))});
  if (c.has(4)) output = c.node("add", {output, spread(c.input(4))});
  return {output, next_mean, next_var};
}

constexpr std::array kNormalizationComposers = {Composer{"batch_norm", batch_norm}};

}  // namespace

std::span<const Composer> normalization_composers() { return kNormalizationComposers; }

}  // namespace alknet::graph
