#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

/// `length` elements of a dimension from `start`, which counts from the end when it is negative.
std::vector<Ref> narrow(Composition& c) {
  const Ref input = c.input(0);
  const std::size_t axis = c.axis("dim", input);
  const Dim size = c.shape(input)[axis];
  Dim start = dim_from_attribute(c.attribute("start"));
  const Dim length = dim_from_attribute(c.attribute("length"));
  if (start.constant().value_or(0) < 0) start = size + start;
  const Dim end = start + length;
  const auto known = [](const Dim& dim) { return dim.constant().value_or(0); };
  const bool beyond = end.constant() && size.constant() && known(end) > known(size);
  if (known(start) < 0 || known(length) < 0 || beyond) {
    c.rule().fail_attribute("start", "and length do not lie inside the dimension");
  }
  return {
      c.node("slice", {input},
             {{"dim", static_cast<std::int64_t>(axis)}, {"start", dim_attribute(start)}, {"end", dim_attribute(end)}})};
}

/// One place of a dimension, which goes away.
std::vector<Ref> select(Composition& c) {
  const Ref input = c.input(0);
  const std::size_t axis = c.axis("dim", input);
  const Dim size = c.shape(input)[axis];
  Dim index = dim_from_attribute(c.attribute("index"));
  const auto at = index.constant();
  if (at && size.constant() && (*at < -*size.constant() || *at >= *size.constant())) {
    c.rule().fail_attribute("index", fmt::format("is {}, outside a dimension of {}", *at, *size.constant()));
  }
  if (at.value_or(0) < 0) index = size + index;
  const auto dim = static_cast<std::int64_t>(axis);
  const Ref row =
      c.node("slice", {input}, {{"dim", dim}, {"start", dim_attribute(index)}, {"end", dim_attribute(index + 1)}});
  return {c.node("squeeze", {row}, {{"dim", {dim}}})};
}

/// Outputs that an operation with a list of them may have; each is a node of the graph.
constexpr std::int64_t kMaxPieces = 65536;

void check_pieces(const Composition& c, std::string_view parameter, std::int64_t count) {
  if (count <= kMaxPieces) return;
  c.rule().fail_attribute(parameter, fmt::format("asks for {} outputs; there may be {}", count, kMaxPieces));
}

/// Slices along `axis` of the given sizes.
std::vector<Ref> pieces(Composition& c, std::size_t axis, const std::vector<std::int64_t>& sizes) {
  std::vector<Ref> list;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    list.push_back(c.node("slice", {c.input(0)},
                          {{"dim", static_cast<std::int64_t>(axis)}, {"start", start}, {"end", start + size}}));
    start += size;
  }
  return list;
}

std::int64_t known_size(const Composition& c, std::size_t axis) {
  const auto size = c.shape(c.input(0))[axis].constant();
  if (!size) c.rule().fail_attribute("dim", "names a dimension whose size is not known before the run");
  return *size;
}

std::int64_t quotient_up(std::int64_t total, std::int64_t size) { return total / size + (total % size == 0 ? 0 : 1); }

/// Equal pieces of `size`, the last with what is left; one empty piece of nothing.
std::vector<std::int64_t> equal_sizes(std::int64_t total, std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t left = total; left > 0; left -= sizes.back()) sizes.push_back(std::min(size, left));
  if (sizes.empty()) sizes.push_back(0);
  return sizes;
}

std::vector<Ref> split(Composition& c) {
  const std::size_t axis = c.axis("dim", c.input(0));
  const std::int64_t total = known_size(c, axis);
  if (c.attribute("split_size").is_array()) {
    const auto sizes = c.rule().integers("split_size");
    Dim sum = 0;
    for (const std::int64_t size : sizes) sum = sum + Dim(size);
    if (sum != Dim(total)) {
      c.rule().fail_attribute("split_size", fmt::format("adds up to {}, not to {}", sum.text(), total));
    }
    check_pieces(c, "split_size", std::ssize(sizes));
    return pieces(c, axis, sizes);
  }
  const std::int64_t size = std::max<std::int64_t>(c.integer("split_size"), 1);
  if (c.integer("split_size") == 0 && total > 0) c.rule().fail_attribute("split_size", "is 0");
  check_pieces(c, "split_size", quotient_up(total, size));
  return pieces(c, axis, equal_sizes(total, size));
}

std::vector<Ref> chunk(Composition& c) {
  const std::size_t axis = c.axis("dim", c.input(0));
  const std::int64_t total = known_size(c, axis);
  const std::int64_t chunks = c.integer("chunks");
  // As in PyTorch, nothing is cut into as many empty pieces as asked for, and other sizes into at most that many.
  check_pieces(c, "chunks", total == 0 ? chunks : std::min(total, chunks));
  if (total == 0) return pieces(c, axis, std::vector<std::int64_t>(static_cast<std::size_t>(chunks), 0));
  return pieces(c, axis, equal_sizes(total, quotient_up(total, chunks)));
}

std::vector<Ref> unbind(Composition& c) {
  const std::size_t axis = c.axis("dim", c.input(0));
  const auto dim = static_cast<std::int64_t>(axis);
  const std::int64_t size = known_size(c, axis);
  check_pieces(c, "dim", size);
  std::vector<Ref> list;
  for (std::int64_t i = 0; i < size; ++i) list.push_back(c.node("select", {c.input(0)}, {{"dim", dim}, {"index", i}}));
  return list;
}

std::vector<Ref> flatten(Composition& c) {
  const Ref input = c.input(0);
  const SymbolicShape shape = c.shape(input);
  const std::size_t rank = std::max<std::size_t>(shape.size(), 1);
  const std::size_t first = c.rule().axis("start_dim", c.integer("start_dim"), rank);
  const std::size_t last = c.rule().axis("end_dim", c.integer("end_dim"), rank);
  if (first > last) c.rule().fail_attribute("start_dim", "comes after end_dim");
  SymbolicShape flat;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d > first && d <= last) {
      flat.back() = flat.back() * shape[d];
    } else {
      flat.push_back(shape[d]);
    }
  }
  if (shape.empty()) flat.emplace_back(1);
  return {c.writer().reshape(input, flat)};
}

/// Splits a dimension; one of the sizes may be -1.
std::vector<Ref> unflatten(Composition& c) {
  const Ref input = c.input(0);
  const std::size_t axis = c.axis("dim", input);
  SymbolicShape sizes = c.rule().dims("sizes");
  Dim known = 1;
  const auto open = std::find(sizes.begin(), sizes.end(), Dim(-1));
  for (const Dim& size : sizes) known = size == Dim(-1) ? known : known * size;
  SymbolicShape shape = c.shape(input);
  if (open != sizes.end()) {
    if (known == Dim(0)) c.rule().fail_attribute("sizes", "leaves -1 open beside a 0");
    *open = Dim::floor_divide(shape[axis], known);
    known = known * *open;
  }
  if (known != shape[axis]) {
    c.rule().fail_attribute("sizes", fmt::format("have the product {}, not {}", known.text(), shape[axis].text()));
  }
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), sizes.begin(), sizes.end());
  return {c.writer().reshape(input, shape)};
}

/// Dimensions `source` to the places `destination`; the others keep their order.
std::vector<Ref> movedim(Composition& c) {
  const std::size_t rank = c.shape(c.input(0)).size();
  const auto axes = [&](std::string_view parameter) {
    if (c.attribute(parameter).is_array()) return c.rule().axes(parameter, rank);
    return std::vector<std::size_t>{c.axis(parameter, c.input(0))};
  };
  const auto source = axes("source"), destination = axes("destination");
  if (source.size() != destination.size()) c.rule().fail_attribute("destination", "is not as long as source");
  JsonArray dims(rank);
  std::size_t next = 0;
  for (std::size_t d = 0; d < rank; ++d) {
    if (std::find(source.begin(), source.end(), d) != source.end()) continue;
    while (std::find(destination.begin(), destination.end(), next) != destination.end()) ++next;
    dims[next++] = static_cast<std::int64_t>(d);
  }
  for (std::size_t i = 0; i < source.size(); ++i) dims[destination[i]] = static_cast<std::int64_t>(source[i]);
  return {c.node("permute", {c.input(0)}, {{"dims", dims}})};
}

/// Copies one after the other: [1, a, 1, b] expanded to [r, a, s, b] and joined.
Ref repeated(Composition& c, SymbolicShape counts) {
  const Ref input = c.input(0);
  SymbolicShape shape = c.shape(input);
  shape.insert(shape.begin(), counts.size() - std::min(counts.size(), shape.size()), 1);
  counts.insert(counts.begin(), shape.size() - counts.size(), 1);
  SymbolicShape apart, spread, joined;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    apart.insert(apart.end(), {1, shape[d]});
    spread.insert(spread.end(), {counts[d], shape[d]});
    joined.push_back(counts[d] * shape[d]);
  }
  return c.writer().reshape(c.writer().expand(c.writer().reshape(input, apart), spread), joined);
}

std::vector<Ref> tile(Composition& c) { return {repeated(c, c.rule().dims("dims"))}; }

std::vector<Ref> repeat(Composition& c) {
  if (c.rule().dims("repeats").size() < c.shape(c.input(0)).size()) {
    c.rule().fail_attribute("repeats", "has fewer items than the input has dimensions");
  }
  return {repeated(c, c.rule().dims("repeats"))};
}

std::vector<Ref> stack(Composition& c) {
  const auto& list = c.list(0);
  const auto rank = c.shape(list.front()).size() + 1;
  const auto dim = static_cast<std::int64_t>(c.rule().axis("dim", c.integer("dim"), rank));
  std::vector<Ref> rows;
  for (const Ref& ref : list) {
    if (c.shape(ref) != c.shape(list.front())) {
      c.rule().fail_shape(
          fmt::format("the shapes {} and {} differ", shape_text(c.shape(list.front())), shape_text(c.shape(ref))));
    }
    rows.push_back(c.node("unsqueeze", {ref}, {{"dim", dim}}));
  }
  return c.writer().call("cat", {rows}, {{"dim", dim}});
}

/// Integers of a parameter that is one or a list of them.
std::vector<std::int64_t> one_or_more(const Composition& c, std::string_view parameter) {
  if (c.attribute(parameter).is_array()) return c.rule().integers(parameter);
  return {c.integer(parameter)};
}

/// The end of a dimension before its beginning.
Ref rolled(Composition& c, const Ref& value, std::size_t axis, std::int64_t shift) {
  const Dim size = c.shape(value)[axis];
  const auto known = size.constant();
  if (!known) c.rule().fail_attribute("dims", "names a dimension whose size is not known before the run");
  if (*known == 0 || shift % *known == 0) return value;
  const std::int64_t from = (*known - shift % *known) % *known;
  const auto dim = static_cast<std::int64_t>(axis);
  const Ref end = c.node("slice", {value}, {{"dim", dim}, {"start", from}});
  const Ref begin = c.node("slice", {value}, {{"dim", dim}, {"end", from}});
  return c.writer().call("cat", {{end, begin}}, {{"dim", dim}}).front();
}

std::vector<Ref> roll(Composition& c) {
  const auto shifts = one_or_more(c, "shifts");
  Ref value = c.input(0);
  if (c.attribute("dims").is_null()) {
    if (shifts.size() != 1) c.rule().fail_attribute("shifts", "needs as many dims");
    const SymbolicShape shape = c.shape(value);
    return {c.writer().reshape(rolled(c, c.writer().reshape(value, {element_count(shape)}), 0, shifts.front()), shape)};
  }
  const auto dims = one_or_more(c, "dims");
  if (shifts.size() != dims.size()) c.rule().fail_attribute("shifts", "needs as many dims");
  for (std::size_t i = 0; i < dims.size(); ++i) {
    value = rolled(c, value, c.rule().axis("dims", dims[i], c.shape(c.input(0)).size()), shifts[i]);
  }
  return {value};
}

std::vector<Ref> flip(Composition& c) {
  Ref value = c.input(0);
  for (const std::size_t axis : c.rule().axes("dims", c.shape(value).size())) {
    const auto size = c.shape(value)[axis].constant();
    if (!size) c.rule().fail_attribute("dims", "names a dimension whose size is not known before the run");
    const Ref backwards = c.node("sub", {c.scalar(*size - 1), c.writer().positions(*size)});
    value = c.node("index_select", {value, backwards}, {{"dim", static_cast<std::int64_t>(axis)}});
  }
  return {value};
}

constexpr std::array kShapeComposers = {
    Composer{"chunk", chunk},         Composer{"flatten", flatten}, Composer{"flip", flip},
    Composer{"movedim", movedim},     Composer{"narrow", narrow},   Composer{"repeat", repeat},
    Composer{"roll", roll},           Composer{"select", select},   Composer{"split", split},
    Composer{"stack", stack},         Composer{"tile", tile},       Composer{"unbind", unbind},
    Composer{"unflatten", unflatten},
};

}  // namespace

std::span<const Composer> shape_composers() { return kShapeComposers; }

}  // namespace alknet::graph
