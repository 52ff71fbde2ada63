#include <fmt/format.h>

#include <array>

#include "alknet/graph/composers.h"

namespace alknet::graph {
namespace {

/// The loss of each element as the parameter `reduction` asks.
Ref reduced(Composition& c, const Ref& loss) {
  const auto reduction = c.text("reduction");
  if (reduction == "none") return loss;
  return c.node(reduction == "mean" ? "mean" : "sum", {loss});
}

Ref negative(Composition& c, const Ref& value) { return c.node("neg", {value}); }

/// `value` times an optional weight that broadcasts.
Ref weighted(Composition& c, const Ref& value, const Ref& weight) {
  return weight.absent() ? value : c.node("mul", {value, weight});
}

Ref difference(Composition& c) { return c.node("sub", {c.input(0), c.input(1)}); }

std::vector<Ref> mse_loss(Composition& c) {
  const Ref d = difference(c);
  return {reduced(c, c.node("mul", {d, d}))};
}

std::vector<Ref> l1_loss(Composition& c) { return {reduced(c, c.node("abs", {difference(c)}))}; }

std::vector<Ref> smooth_l1_loss(Composition& c) {
  const double beta = c.number("beta");
  const Ref d = c.node("abs", {difference(c)});
  if (beta == 0) return {reduced(c, d)};
  const Ref inner = c.node("mul", {c.node("mul", {d, d}), c.scalar(0.5 / beta)});
  const Ref outer = c.node("sub", {d, c.scalar(0.5 * beta)});
  return {reduced(c, c.node("where", {c.node("lt", {d, c.scalar(beta)}), inner, outer}))};
}

std::vector<Ref> huber_loss(Composition& c) {
  const double delta = c.number("delta");
  const Ref d = c.node("abs", {difference(c)});
  const Ref inner = c.node("mul", {c.node("mul", {d, d}), c.scalar(0.5)});
  const Ref outer = c.node("mul", {c.node("sub", {d, c.scalar(0.5 * delta)}), c.scalar(delta)});
  return {reduced(c, c.node("where", {c.node("le", {d, c.scalar(delta)}), inner, outer}))};
}

/// log(p), and PyTorch's -100 where p is 0; its gradient stays finite there.
Ref bounded_log(Composition& c, const Ref& p) {
  constexpr double kTiny = 1.2e-38;  // below every normal f32
  const double least = c.dtype(p) == Dtype::kF16 ? 6e-8 : kTiny;
  const Ref inside = c.node("maximum", {p, c.scalar(least)});
  return c.node("where", {c.node("lt", {p, c.scalar(least)}), c.scalar(-100.0), c.node("log", {inside})});
}

std::vector<Ref> binary_cross_entropy(Composition& c) {
  const Ref p = c.input(0), y = c.input(1);
  const Ref other = c.node("sub", {c.scalar(1.0), p}), rest = c.node("sub", {c.scalar(1.0), y});
  const Ref hit = c.node("mul", {y, bounded_log(c, p)}), miss = c.node("mul", {rest, bounded_log(c, other)});
  return {reduced(c, weighted(c, negative(c, c.node("add", {hit, miss})), c.input(2)))};
}

/// (1 - y) x + (1 + (pos_weight - 1) y) log(1 + exp(-x)).
std::vector<Ref> binary_cross_entropy_with_logits(Composition& c) {
  const Ref x = c.input(0), y = c.input(1), one = c.scalar(1.0);
  Ref softplus = c.node("log1p", {c.node("exp", {negative(c, c.node("abs", {x}))})});
  softplus = c.node("add", {softplus, c.node("maximum", {negative(c, x), c.scalar(0.0)})});
  if (c.has(3)) {
    const Ref more = c.node("mul", {c.node("sub", {c.input(3), one}), y});
    softplus = c.node("mul", {softplus, c.node("add", {more, one})});
  }
  const Ref rest = c.node("mul", {c.node("sub", {one, y}), x});
  return {reduced(c, weighted(c, c.node("add", {rest, softplus}), c.input(2)))};
}

std::vector<Ref> kl_div(Composition& c) {
  const Ref input = c.input(0), target = c.input(1);
  Ref loss;
  if (c.boolean("log_target")) {
    loss = c.node("mul", {c.node("exp", {target}), c.node("sub", {target, input})});
  } else {
    loss = c.node("sub", {c.node("xlogy", {target, target}), c.node("mul", {target, input})});
  }
  if (c.text("reduction") != "batchmean") return {reduced(c, loss)};
  if (c.shape(loss).empty()) return {loss};
  return {c.node("div", {c.node("sum", {loss}), c.writer().count({c.shape(loss).front()}, c.dtype(loss))})};
}

/// Where the classes are: [C], or [N, C, ...].
std::int64_t class_dim(Composition& c, const Ref& input) {
  if (c.shape(input).empty()) c.rule().fail_shape("the input needs a dimension of classes");
  return c.rank(input) == 1 ? 0 : 1;
}

/// Class indices [N, ...]: where they are not to be ignored, and with 0 in place of those that are.
struct ClassIndices {
  Ref kept, index;
};

ClassIndices class_indices(Composition& c) {
  const Ref kept = c.node("ne", {c.input(1), c.scalar(c.integer("ignore_index"))});
  return {kept, c.node("where", {kept, c.input(1), c.scalar(std::int64_t{0})})};
}

/// Gathers along `dim` and drops the dimension.
Ref picked(Composition& c, const Ref& input, std::int64_t dim, const Ref& index) {
  const Ref at = c.node("unsqueeze", {index}, {{"dim", dim}});
  return c.node("squeeze", {c.node("gather", {input, at}, {{"dim", dim}})}, {{"dim", {dim}}});
}

/// The weight of each target: of its class, or 1, and 0 where it is ignored.
Ref target_weights(Composition& c, const ClassIndices& target, const Ref& class_weight, Dtype dtype) {
  if (class_weight.absent()) return c.writer().cast(target.kept, dtype);
  const Ref column = c.node("unsqueeze", {class_weight}, {{"dim", 1}});
  const Ref weight = c.node("squeeze", {c.node("embedding", {column, target.index})}, {{"dim", {-1}}});
  return c.node("where", {target.kept, weight, c.scalar(0.0)});
}

/// `loss`, whose elements count `weight`, reduced.
Ref reduced_by_weight(Composition& c, const Ref& loss, const Ref& weight) {
  const auto reduction = c.text("reduction");
  if (reduction == "none") return loss;
  const Ref total = c.node("sum", {loss});
  return reduction == "sum" ? total : c.node("div", {total, c.node("sum", {weight})});
}

void check_target(Composition& c, const Ref& input, const Ref& target, std::int64_t dim) {
  SymbolicShape expected = c.shape(input);
  expected.erase(expected.begin() + dim);
  if (c.shape(target) != expected) {
    c.rule().fail_shape(fmt::format("the target {} should have the shape {} of the input {} without its classes",
                                    shape_text(c.shape(target)), shape_text(expected), shape_text(c.shape(input))));
  }
}

/// -log_probability[target] * weight, not reduced; 0 where ignored.
Ref negative_likelihood(Composition& c, const Ref& log_probability, const ClassIndices& target, const Ref& weight,
                        std::int64_t dim) {
  const Ref loss = negative(c, c.node("mul", {picked(c, log_probability, dim, target.index), weight}));
  // An ignored target may have met -inf, which 0 does not silence.
  return c.node("where", {target.kept, loss, c.scalar(0.0)});
}

std::vector<Ref> nll_loss(Composition& c) {
  const Ref input = c.input(0);
  const std::int64_t dim = class_dim(c, input);
  check_target(c, input, c.input(1), dim);
  const ClassIndices target = class_indices(c);
  const Ref weight = target_weights(c, target, c.input(2), c.dtype(input));
  return {reduced_by_weight(c, negative_likelihood(c, input, target, weight, dim), weight)};
}

/// One weight a class, to broadcast along `dim` of `like`.
Ref class_weights(Composition& c, const Ref& weight, const Ref& like, std::int64_t dim) {
  SymbolicShape shape(c.shape(like).size(), 1);
  shape[static_cast<std::size_t>(dim)] = c.shape(weight).front();
  return c.writer().reshape(weight, shape);
}

/// -sum of log_probability * weight over the classes.
Ref summed_likelihood(Composition& c, const Ref& log_probability, const Ref& weight, std::int64_t dim) {
  Ref terms = log_probability;
  if (!weight.absent()) terms = c.node("mul", {terms, class_weights(c, weight, terms, dim)});
  return negative(c, c.node("sum", {terms}, {{"dim", {dim}}}));
}

Ref cross_entropy_of_probabilities(Composition& c, const Ref& log_probability, std::int64_t dim) {
  Ref target = c.input(1);
  if (c.shape(target) != c.shape(log_probability)) {
    c.rule().fail_shape(fmt::format("probabilities {} need the shape of the input {}", shape_text(c.shape(target)),
                                    shape_text(c.shape(log_probability))));
  }
  const double smoothing = c.number("label_smoothing");
  const Dim classes = c.shape(target)[static_cast<std::size_t>(dim)];
  if (smoothing > 0) {
    const Ref share = c.node("div", {c.scalar(smoothing), c.writer().count({classes}, c.dtype(target))});
    target = c.node("add", {c.node("mul", {target, c.scalar(1 - smoothing)}), share});
  }
  const Ref loss = summed_likelihood(c, c.node("mul", {log_probability, target}), c.input(2), dim);
  return reduced(c, loss);
}

std::vector<Ref> cross_entropy(Composition& c) {
  const Ref input = c.input(0);
  const std::int64_t dim = class_dim(c, input);
  const Ref log_probability = c.node("log_softmax", {input}, {{"dim", dim}});
  if (is_float(c.dtype(c.input(1)))) return {cross_entropy_of_probabilities(c, log_probability, dim)};
  check_target(c, input, c.input(1), dim);
  const double smoothing = c.number("label_smoothing");
  const ClassIndices target = class_indices(c);
  const Ref weight = target_weights(c, target, c.input(2), c.dtype(input));
  Ref loss = negative_likelihood(c, log_probability, target, weight, dim);
  if (smoothing > 0) {
    Ref smooth = summed_likelihood(c, log_probability, c.input(2), dim);
    smooth = c.node("where", {target.kept, smooth, c.scalar(0.0)});
    const Dim classes = c.shape(input)[static_cast<std::size_t>(dim)];
    const Ref share = c.node("div", {c.scalar(smoothing), c.writer().count({classes}, c.dtype(input))});
    loss = c.node("add", {c.node("mul", {loss, c.scalar(1 - smoothing)}), c.node("mul", {smooth, share})});
  }
  return {reduced_by_weight(c, loss, weight)};
}

constexpr std::array kLossComposers = {
    Composer{"binary_cross_entropy", binary_cross_entropy},
    Composer{"binary_cross_entropy_with_logits", binary_cross_entropy_with_logits},
    Composer{"cross_entropy", cross_entropy},
    Composer{"huber_loss", huber_loss},
    Composer{"kl_div", kl_div},
    Composer{"l1_loss", l1_loss},
    Composer{"mse_loss", mse_loss},
    Composer{"nll_loss", nll_loss},
    Composer{"smooth_l1_loss", smooth_l1_loss},
};

}  // namespace

std::span<const Composer> loss_composers() { return kLossComposers; }

}  // namespace alknet::graph
