#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

constexpr std::size_t kParts = 4;  // that one cat_parts takes

/// A size as a scalar, or where it is not known before the run as a value of an integer dtype.
Ref whole_count(Composition& c, const Dim& size, Dtype dtype) {
  if (const auto known = size.constant()) return c.scalar(*known);
  return c.writer().cast(c.writer().count({size}, Dtype::kF32), dtype);
}

/// Joins neighbours until one is left.
std::vector<Ref> cat(Composition& c) {
  std::vector<Ref> parts;
  for (const Ref& ref : c.list(0)) {
    // As in PyTorch, a vector of nothing goes with everything.
    if (c.shape(ref) != SymbolicShape{0}) parts.push_back(ref);
  }
  if (parts.empty()) parts = {c.list(0).front()};
  const std::size_t axis = c.rule().axis("dim", c.integer("dim"), c.shape(parts.front()).size());
  while (parts.size() > 1) {
    std::vector<Ref> joined;
    for (std::size_t i = 0; i < parts.size(); i += kParts) {
      const std::vector<Ref> group(parts.begin() + static_cast<std::ptrdiff_t>(i),
                                   parts.begin() + static_cast<std::ptrdiff_t>(std::min(i + kParts, parts.size())));
      joined.push_back(group.size() == 1 ? group.front()
                                         : c.node("cat_parts", group, {{"dim", static_cast<std::int64_t>(axis)}}));
    }
    parts = std::move(joined);
  }
  return parts;
}

/// `index`, a vector, as an index along `axis` of something of the shape.
Ref spread(Composition& c, const Ref& index, SymbolicShape shape, std::size_t axis) {
  const Dim count = element_count(c.shape(index));
  SymbolicShape line(shape.size(), 1);
  line[axis] = count;
  shape[axis] = count;
  return c.writer().expand(c.writer().reshape(index, line), shape);
}

void check_vector(Composition& c, const Ref& index) {
  if (c.rank(index) > 1) {
    c.rule().fail_shape(fmt::format("index has the shape {}; it must be a vector", shape_text(c.shape(index))));
  }
}

Ref select_places(Composition& c, const Ref& input, const Ref& index, std::size_t axis) {
  return c.node("gather", {input, spread(c, index, c.shape(input), axis)}, {{"dim", static_cast<std::int64_t>(axis)}});
}

std::vector<Ref> index_select(Composition& c) {
  check_vector(c, c.input(1));
  if (c.rank(c.input(0)) == 0) {
    c.rule().axis("dim", c.integer("dim"), 1);
    const Ref one = c.writer().reshape(c.input(0), {1});
    return {c.writer().reshape(select_places(c, one, c.input(1), 0), {})};
  }
  return {select_places(c, c.input(0), c.input(1), c.axis("dim", c.input(0)))};
}

std::vector<Ref> index_add(Composition& c) {
  check_vector(c, c.input(1));
  const std::size_t axis = c.axis("dim", c.input(0));
  Ref source = c.input(2);
  SymbolicShape expected = c.shape(c.input(0));
  expected[axis] = element_count(c.shape(c.input(1)));
  if (c.shape(source) != expected) {
    c.rule().fail_shape(
        fmt::format("source has the shape {}, not {}", shape_text(c.shape(source)), shape_text(expected)));
  }
  if (c.number("alpha") != 1) source = c.node("mul", {source, c.scalar_of("alpha")});
  return {c.node("scatter_add", {c.input(0), spread(c, c.input(1), expected, axis), source},
                 {{"dim", static_cast<std::int64_t>(axis)}})};
}

std::vector<Ref> scatter_value(Composition& c) {
  const Ref value =
      c.node("full", {},
             {{"size", JsonArray()}, {"fill_value", c.attribute("value")}, {"dtype", dtype_name(c.dtype(c.input(0)))}});
  return {c.node("scatter", {c.input(0), c.input(1), c.writer().expand(value, c.shape(c.input(1)))},
                 {{"dim", c.integer("dim")}})};
}

/// `index` with what counts from the end as a place from the start.
Ref from_start(Composition& c, const Ref& index, const Dim& size) {
  const Ref behind = c.node("add", {index, whole_count(c, size, c.dtype(index))});
  return c.node("where", {c.node("lt", {index, c.scalar(std::int64_t{0})}), behind, index});
}

std::vector<Ref> take(Composition& c) {
  const Dim count = element_count(c.shape(c.input(0)));
  const Ref flat = c.writer().reshape(c.input(0), {count});
  const Ref index = c.writer().reshape(c.input(1), {element_count(c.shape(c.input(1)))});
  const Ref picked = c.node("gather", {flat, from_start(c, index, count)}, {{"dim", 0}});
  return {c.writer().reshape(picked, c.shape(c.input(1)))};
}

/// The first dimensions of an input, joined, and an index of several tensors as one into it.
struct Joined {
  Ref index;             ///< A vector.
  SymbolicShape picked;  ///< The shape that the indices have together.
  SymbolicShape rest;    ///< The dimensions after the joined ones.
  Dim count = 1;         ///< Of the joined dimensions.
};

Joined join_indices(Composition& c) {
  const auto& list = c.list(1);
  const SymbolicShape& shape = c.shape(c.input(0));
  if (list.empty() || list.size() > shape.size()) {
    c.rule().fail_shape(fmt::format("{} indices for an input of the shape {}", list.size(), shape_text(shape)));
  }
  Joined joined;
  const auto split = shape.begin() + static_cast<std::ptrdiff_t>(list.size());
  joined.rest.assign(split, shape.end());
  joined.count = element_count(SymbolicShape(shape.begin(), split));
  for (const Ref& ref : list) joined.picked = broadcast(c.rule(), joined.picked, c.shape(ref));
  Ref valid;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Ref place = from_start(c, list[i], shape[i]);
    if (i == 0) {
      joined.index = place;
    } else {
      const Ref size = whole_count(c, shape[i], c.dtype(list[i]));
      joined.index = c.node("add", {c.node("mul", {joined.index, size}), place});
    }
    if (list.size() == 1) break;
    // A place beyond one dimension must not become one of another row.
    const Ref size = whole_count(c, shape[i], c.dtype(list[i]));
    const Ref inside =
        c.node("logical_and", {c.node("ge", {place, c.scalar(std::int64_t{0})}), c.node("lt", {place, size})});
    valid = i == 0 ? inside : c.node("logical_and", {valid, inside});
  }
  if (list.size() > 1) joined.index = c.node("where", {valid, joined.index, c.scalar(std::int64_t{-1})});
  joined.index = c.writer().reshape(c.writer().expand(joined.index, joined.picked), {element_count(joined.picked)});
  return joined;
}

std::vector<Ref> index(Composition& c) {
  const Joined joined = join_indices(c);
  const Dim width = element_count(joined.rest);
  const Ref table = c.writer().reshape(c.input(0), {joined.count, width});
  SymbolicShape shape = joined.picked;
  shape.insert(shape.end(), joined.rest.begin(), joined.rest.end());
  return {c.writer().reshape(select_places(c, table, joined.index, 0), shape)};
}

std::vector<Ref> index_put(Composition& c) {
  const Joined joined = join_indices(c);
  const Dim width = element_count(joined.rest);
  const Ref table = c.writer().reshape(c.input(0), {joined.count, width});
  SymbolicShape shape = joined.picked;
  shape.insert(shape.end(), joined.rest.begin(), joined.rest.end());
  const SymbolicShape rows = {element_count(joined.picked), width};
  const Ref values = c.writer().reshape(c.writer().expand(c.input(2), shape), rows);
  const Ref result = c.node(c.boolean("accumulate") ? "scatter_add" : "scatter",
                            {table, spread(c, joined.index, rows, 0), values}, {{"dim", 0}});
  return {c.writer().reshape(result, c.shape(c.input(0)))};
}

/// Where the elements of a padded dimension come from.
Ref padded_places(Composition& c, std::string_view mode, const Dim& size, const Dim& before, const Dim& after) {
  const Ref zero = c.scalar(std::int64_t{0});
  const Ref count = whole_count(c, size, Dtype::kI32);
  const Ref last = whole_count(c, size - Dim(1), Dtype::kI32);
  Ref at = c.writer().positions(size + before + after);
  at = c.node("sub", {at, whole_count(c, before, Dtype::kI32)});
  if (mode == "replicate") return c.node("minimum", {c.node("maximum", {at, zero}), last});
  if (mode == "circular") {
    at = c.node("where", {c.node("lt", {at, zero}), c.node("add", {at, count}), at});
    return c.node("where", {c.node("ge", {at, count}), c.node("sub", {at, count}), at});
  }
  at = c.node("where", {c.node("lt", {at, zero}), c.node("neg", {at}), at});
  const Ref mirrored = c.node("sub", {whole_count(c, Dim(2) * size - Dim(2), Dtype::kI32), at});
  return c.node("where", {c.node("gt", {at, last}), mirrored, at});
}

std::vector<Ref> pad(Composition& c) {
  const std::string_view mode = c.text("mode");
  if (mode == "constant") {
    return {c.node("constant_pad_nd", {c.input(0)}, {{"pad", c.attribute("pad")}, {"value", c.attribute("value")}})};
  }
  const SymbolicShape padding = c.rule().dims("pad");
  Ref result = c.input(0);
  const std::size_t rank = c.shape(result).size();
  if (padding.size() % 2 != 0 || padding.size() > 2 * rank) {
    c.rule().fail_attribute("pad", "takes two items for each of the last dimensions");
  }
  for (std::size_t i = 0; i < padding.size(); i += 2) {
    const std::size_t axis = rank - 1 - i / 2;
    const Dim size = c.shape(result)[axis];
    for (const Dim& amount : {padding[i], padding[i + 1]}) {
      const auto known = amount.constant(), length = size.constant();
      const std::int64_t most = mode == "reflect" ? length.value_or(0) - 1 : length.value_or(0);
      if (known && *known == 0) continue;
      if ((known && *known < 0) || (known && length && (*length == 0 || (mode != "replicate" && *known > most)))) {
        c.rule().fail_attribute("pad", fmt::format("has {}, which \"{}\" cannot give to a dimension of {}",
                                                   amount.text(), mode, size.text()));
      }
    }
    if (padding[i] == Dim(0) && padding[i + 1] == Dim(0)) continue;
    result = select_places(c, result, padded_places(c, mode, size, padding[i], padding[i + 1]), axis);
  }
  return {result};
}

std::vector<Ref> unfold(Composition& c) {
  const Ref input = c.input(0);
  const std::size_t axis = c.axis("dimension", input);
  SymbolicShape shape = c.shape(input);
  const std::int64_t size = c.integer("size"), step = c.integer("step");
  const auto known = shape[axis].constant();
  if (known && *known < size) {
    c.rule().fail_attribute("size", fmt::format("is {}, more than the dimension's {}", size, *known));
  }
  const Dim windows = Dim::floor_divide(shape[axis] - Dim(size), step) + Dim(1);
  const Ref starts = c.node("mul", {c.writer().positions(windows), c.scalar(step)});
  const Ref places = c.node("add", {c.writer().reshape(starts, {windows, 1}), c.writer().positions(size)});
  const Ref rows = select_places(c, input, c.writer().reshape(places, {windows * Dim(size)}), axis);
  shape[axis] = windows;
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, size);
  JsonArray order;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d != axis + 1) order.push_back(static_cast<std::int64_t>(d));
  }
  order.push_back(static_cast<std::int64_t>(axis) + 1);
  return {c.node("permute", {c.writer().reshape(rows, shape)}, {{"dims", order}})};
}

constexpr std::array kIndexingComposers = {
    Composer{"cat", cat},
    Composer{"index", index},
    Composer{"index_add", index_add},
    Composer{"index_put", index_put},
    Composer{"index_select", index_select},
    Composer{"pad", pad},
    Composer{"scatter_value", scatter_value},
    Composer{"take", take},
    Composer{"unfold", unfold},
};

}  // namespace

std::span<const Composer> indexing_composers() { return kIndexingComposers; }

}  // namespace alknet::graph
