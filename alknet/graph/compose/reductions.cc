#include <algorithm>
#include <array>
#include <limits>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

/// A reduction's parameter `dim`, a list or null: the sizes that go, and the shape that is left.
struct ReducedShape {
  SymbolicShape sizes, kept;

  bool has_nothing() const { return std::find(sizes.begin(), sizes.end(), Dim(0)) != sizes.end(); }
};

ReducedShape reduced_shape(Composition& c, const SymbolicShape& input) {
  std::vector<std::size_t> axes;
  if (!c.attribute("dim").is_null()) axes = c.rule().axes("dim", input.size());
  ReducedShape result;
  for (std::size_t d = 0; d < input.size(); ++d) {
    const bool gone = axes.empty() || std::find(axes.begin(), axes.end(), d) != axes.end();
    if (gone) result.sizes.push_back(input[d]);
    if (!gone || c.boolean("keepdim")) result.kept.push_back(gone ? Dim(1) : input[d]);
  }
  return result;
}

Ref reduce(Composition& c, std::string_view op, const Ref& input, bool keepdim) {
  return c.node(op, {input}, {{"dim", c.attribute("dim")}, {"keepdim", keepdim}});
}

Ref is_zero(Composition& c, const Ref& value) { return c.node("eq", {value, c.scalar(std::int64_t{0})}); }

/// sqrt whose gradient at 0 is 0.
Ref square_root(Composition& c, const Ref& value) {
  const Ref zero = is_zero(c, value);
  const Ref root = c.node("sqrt", {c.node("where", {zero, c.scalar(std::int64_t{1}), value})});
  return c.node("where", {zero, c.scalar(std::int64_t{0}), root});
}

std::vector<Ref> logsumexp(Composition& c) {
  const Ref input = c.input(0);
  const ReducedShape shape = reduced_shape(c, c.shape(input));
  if (shape.has_nothing()) return {c.node("log", {reduce(c, "sum", c.node("exp", {input}), c.boolean("keepdim"))})};
  const Ref most = reduce(c, "amax", input, true);
  const Ref shift = c.node("where", {is_zero(c, c.node("sub", {most, most})), most, c.scalar(std::int64_t{0})});
  const Ref total = reduce(c, "sum", c.node("exp", {c.node("sub", {input, shift})}), c.boolean("keepdim"));
  return {c.node("add", {c.node("log", {total}), c.writer().reshape(shift, shape.kept)})};
}

/// Mean and variance; narrow floats compute in f32.
std::array<Ref, 2> moments(Composition& c) {
  const Ref given = c.input(0);
  const Dtype dtype = c.dtype(given);
  const Ref input = c.writer().cast(given, compute_dtype(dtype));
  const ReducedShape shape = reduced_shape(c, c.shape(input));
  const Ref mean = reduce(c, "mean", input, true);
  const Ref deviation = c.node("sub", {input, mean});
  const Ref total = reduce(c, "sum", c.node("mul", {deviation, deviation}), c.boolean("keepdim"));
  const double correction = c.attribute("correction").is_null() ? 1 : c.number("correction");
  Ref count = c.writer().count(shape.sizes, compute_dtype(dtype));
  count = count.scalar ? c.scalar(std::max(count.scalar->number - correction, 0.0))
                       : c.node("maximum", {c.node("sub", {count, c.scalar(correction)}), c.scalar(0.0)});
  return {c.writer().cast(c.writer().reshape(mean, shape.kept), dtype), c.node("div", {total, count})};
}

std::vector<Ref> var(Composition& c) { return {c.writer().cast(moments(c)[1], c.dtype(c.input(0)))}; }

std::vector<Ref> standard_deviation(Composition& c) {
  return {c.writer().cast(square_root(c, moments(c)[1]), c.dtype(c.input(0)))};
}

std::vector<Ref> var_mean(Composition& c) {
  const auto [mean, variance] = moments(c);
  return {c.writer().cast(variance, c.dtype(c.input(0))), mean};
}

std::vector<Ref> std_mean(Composition& c) {
  const auto [mean, variance] = moments(c);
  return {c.writer().cast(square_root(c, variance), c.dtype(c.input(0))), mean};
}

/// The order of a norm; "fro" is 2.
double norm_order(Composition& c) {
  const Json& p = c.attribute("p");
  if (!p.is_string()) return p.to_number<double>();
  const std::string_view text = p.get_string();
  if (text == "fro") return 2;
  if (text != "inf" && text != "-inf") c.rule().fail_attribute("p", "must be a number, \"fro\", \"inf\" or \"-inf\"");
  return (text == "inf" ? 1 : -1) * std::numeric_limits<double>::infinity();
}

std::vector<Ref> norm(Composition& c) {
  const double p = norm_order(c);
  const bool keepdim = c.boolean("keepdim");
  const Dtype dtype = c.dtype(c.input(0));
  const Ref input = c.writer().cast(c.input(0), compute_dtype(dtype));
  const auto result = [&](const Ref& ref) { return std::vector<Ref>{c.writer().cast(ref, dtype)}; };
  if (p == 2) return result(square_root(c, reduce(c, "sum", c.node("mul", {input, input}), keepdim)));
  const Ref size = c.node("abs", {input});
  if (p == 1) return result(reduce(c, "sum", size, keepdim));
  if (p == std::numeric_limits<double>::infinity()) return result(reduce(c, "amax", size, keepdim));
  if (p == -std::numeric_limits<double>::infinity()) return result(reduce(c, "amin", size, keepdim));
  if (p == 0) {
    const Ref counted = c.node("ne", {input, c.scalar(std::int64_t{0})});
    return result(reduce(c, "sum", c.writer().cast(counted, compute_dtype(dtype)), keepdim));
  }
  const Ref total = reduce(c, "sum", c.node("pow", {size, c.scalar(p)}), keepdim);
  const Ref zero = is_zero(c, total);
  const Ref root = c.node("pow", {c.node("where", {zero, c.scalar(std::int64_t{1}), total}), c.scalar(1 / p)});
  return result(c.node("where", {zero, c.scalar(p > 0 ? 0.0 : std::numeric_limits<double>::infinity()), root}));
}

std::vector<Ref> count_nonzero(Composition& c) {
  const Ref counted = c.writer().cast(c.input(0), Dtype::kBool);
  return {reduce(c, "sum", counted, false)};
}

/// The sorted values and their places along the parameter `dim`.
std::vector<Ref> sorted(Composition& c, const Ref& input, bool descending) {
  return c.writer().call("sort", {{input}}, {{"dim", c.integer("dim")}, {"descending", descending}});
}

/// Elements [start, start + length) along the parameter `dim`.
Ref part(Composition& c, const Ref& ref, const Dim& start, const Dim& length) {
  return c.node("slice", {ref},
                {{"dim", c.integer("dim")}, {"start", dim_attribute(start)}, {"end", dim_attribute(start + length)}});
}

Ref dropped(Composition& c, const Ref& ref) {
  if (c.boolean("keepdim")) return ref;
  return c.node("squeeze", {ref}, {{"dim", {c.integer("dim")}}});
}

std::vector<Ref> argsort(Composition& c) { return {sorted(c, c.input(0), c.boolean("descending"))[1]}; }

std::vector<Ref> topk(Composition& c) {
  const Ref input = c.input(0);
  const Dim k = dim_from_attribute(c.attribute("k"));
  if (c.rank(input) == 0) {
    c.rule().axis("dim", c.integer("dim"), 1);
    return sorted(c, input, true);
  }
  const auto size = c.shape(input)[c.axis("dim", input)].constant(), wanted = k.constant();
  if ((wanted && *wanted < 0) || (size && wanted && *wanted > *size)) {
    c.rule().fail_attribute("k", "must lie between 0 and the size of the dimension");
  }
  const auto all = sorted(c, input, c.boolean("largest"));
  return {part(c, all[0], 0, k), part(c, all[1], 0, k)};
}

std::vector<Ref> kthvalue(Composition& c) {
  const Ref input = c.input(0);
  const std::int64_t k = c.integer("k");
  if (c.rank(input) == 0) return sorted(c, input, false);
  const auto size = c.shape(input)[c.axis("dim", input)].constant();
  if (k < 1 || (size && k > *size)) c.rule().fail_attribute("k", "must lie between 1 and the size of the dimension");
  const auto all = sorted(c, input, false);
  return {dropped(c, part(c, all[0], k - 1, 1)), dropped(c, part(c, all[1], k - 1, 1))};
}

/// The lower of the two in the middle, or NaN where there is one.
std::vector<Ref> median_along(Composition& c, const Ref& input, const Json& dim) {
  const auto axis = c.rule().axis("dim", dim.to_number<std::int64_t>(), c.shape(input).size());
  const Dim size = c.shape(input)[axis];
  if (size == Dim(0)) c.rule().fail_shape("a dimension of 0 has no median");
  const auto all = c.writer().call("sort", {{input}}, {{"dim", dim}});
  const auto at = [&](const Ref& ref, const Dim& place) {
    return c.node("slice", {ref},
                  {{"dim", dim}, {"start", dim_attribute(place)}, {"end", dim_attribute(place + Dim(1))}});
  };
  const Dim middle = Dim::floor_divide(size - Dim(1), 2);
  Ref value = at(all[0], middle), place = at(all[1], middle);
  if (is_float(c.dtype(input))) {
    const Ref last = at(all[0], size - Dim(1));
    const Ref broken = c.node("isnan", {last});
    value = c.node("where", {broken, last, value});
    place = c.node("where", {broken, c.node("argmax", {input}, {{"dim", dim}, {"keepdim", true}}), place});
  }
  return {value, place};
}

std::vector<Ref> median_dim(Composition& c) {
  const Ref input = c.input(0);
  if (c.rank(input) == 0) return sorted(c, input, false);
  const auto result = median_along(c, input, c.attribute("dim"));
  return {dropped(c, result[0]), dropped(c, result[1])};
}

std::vector<Ref> median(Composition& c) {
  const Ref flat = c.writer().reshape(c.input(0), {element_count(c.shape(c.input(0)))});
  return {c.writer().reshape(median_along(c, flat, 0)[0], {})};
}

std::vector<Ref> largest(Composition& c) { return {c.node("amax", {c.input(0)})}; }
std::vector<Ref> smallest(Composition& c) { return {c.node("amin", {c.input(0)})}; }

constexpr std::array kReductionComposers = {
    Composer{"argsort", argsort},
    Composer{"count_nonzero", count_nonzero},
    Composer{"kthvalue", kthvalue},
    Composer{"logsumexp", logsumexp},
    Composer{"max", largest},
    Composer{"median", median},
    Composer{"median_dim", median_dim},
    Composer{"min", smallest},
    Composer{"norm", norm},
    Composer{"std", standard_deviation},
    Composer{"std_mean", std_mean},
    Composer{"topk", topk},
    Composer{"var", var},
    Composer{"var_mean", var_mean},
};

}  // namespace

std::span<const Composer> reduction_composers() { return kReductionComposers; }

}  // namespace alknet::graph
