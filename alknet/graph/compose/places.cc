#include <fmt/format.h>

#include <array>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

Ref zero() { return Composition::scalar(std::int64_t{0}); }

/// A size as a scalar, or as a value of i32 where it is not known before the run.
Ref size_value(Composition& c, const Dim& size) {
  if (const auto known = size.constant()) return c.scalar(*known);
  return c.writer().cast(c.writer().count({size}, Dtype::kF32), Dtype::kI32);
}

/// i32 [size]: places in the flattened input of what is not 0, in order; -1 where there are no more.
Ref places_of_true(Composition& c, const Ref& input, const Dim& size) {
  const Dim count = element_count(c.shape(input));
  Ref flat = c.writer().reshape(input, {count});
  if (c.dtype(flat) != Dtype::kBool) flat = c.node("ne", {flat, zero()});
  const Ref seen = c.node("cumsum", {flat}, {{"dim", 0}});
  // What is 0, and what comes when the result is full, goes to one place behind it.
  const Ref limit = size_value(c, size);
  Ref slot = c.node("minimum", {c.node("sub", {seen, c.scalar(std::int64_t{1})}), limit});
  slot = c.node("where", {flat, slot, limit});
  const Ref none = c.writer().expand(c.writer().number(-1, Dtype::kI32), {size + Dim(1)});
  const Ref filled = c.node("scatter", {none, slot, c.writer().positions(count)}, {{"dim", 0}});
  return c.node("narrow", {filled}, {{"dim", 0}, {"start", 0}, {"length", dim_attribute(size)}});
}

std::vector<Ref> nonzero_static(Composition& c) {
  const Dim size = dim_from_attribute(c.attribute("size"));
  const SymbolicShape shape = c.shape(c.input(0));
  const Ref places = places_of_true(c, c.input(0), size);
  const Ref found = c.node("ge", {places, zero()});
  std::vector<Ref> columns;
  Ref rest = places;
  for (std::size_t d = shape.size(); d-- > 0;) {
    const Ref length = size_value(c, shape[d]);
    const Ref at = d == 0 ? rest : c.node("remainder", {rest, length});
    columns.insert(columns.begin(),
                   c.node("unsqueeze", {c.node("where", {found, at, c.scalar_of("fill_value")})}, {{"dim", 1}}));
    if (d > 0) rest = c.node("floor_divide", {rest, length});
  }
  // An input of rank 0 has places without coordinates.
  if (columns.empty())
    return {c.writer().cast(c.writer().expand(c.writer().reshape(places, {size, 1}), {size, 0}), Dtype::kI64)};
  return {c.writer().cast(c.writer().call("cat", {columns}, {{"dim", 1}}).front(), Dtype::kI64)};
}

/// The extreme so far and where it is: the last of equal ones, as in PyTorch; NaN stays.
std::vector<Ref> running_extreme(Composition& c, std::string_view scan) {
  const bool number = c.rank(c.input(0)) == 0;
  const Ref input = number ? c.writer().reshape(c.input(0), {1}) : c.input(0);
  const SymbolicShape shape = c.shape(input);
  const std::size_t axis = c.rule().axis("dim", c.integer("dim"), shape.size());
  const JsonObject along = {{"dim", static_cast<std::int64_t>(axis)}};
  const bool has_nan = is_float(c.dtype(input));
  const Ref wide = has_nan ? input : c.writer().cast(input, Dtype::kI64);
  Ref reached = c.node("eq", {wide, c.node(scan, {wide}, along)});
  if (has_nan) reached = c.node("logical_or", {reached, c.node("isnan", {wide})});
  SymbolicShape line(shape.size(), 1);
  line[axis] = shape[axis];
  const Ref places = c.writer().cast(c.writer().reshape(c.writer().positions(shape[axis]), line), Dtype::kI64);
  const Ref indices = c.node("running_max", {c.node("where", {reached, places, zero()})}, along);
  const Ref values = c.node("gather", {input, indices}, along);
  if (!number) return {values, indices};
  return {c.writer().reshape(values, {}), c.writer().reshape(indices, {})};
}

std::vector<Ref> cummax(Composition& c) { return running_extreme(c, "running_max"); }
std::vector<Ref> cummin(Composition& c) { return running_extreme(c, "running_min"); }

constexpr std::array kPlaceComposers = {
    Composer{"cummax", cummax},
    Composer{"cummin", cummin},
    Composer{"nonzero_static", nonzero_static},
};

}  // namespace

std::span<const Composer> place_composers() { return kPlaceComposers; }

}  // namespace alknet::graph
