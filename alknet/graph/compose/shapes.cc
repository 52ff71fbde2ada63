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

/// Equal pieces of `size`, the last with what is left; one empty piece of nothing.
std::vector<std::int64_t> equal_sizes(std::int64_t total, std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t at = 0; at < total; at += size) sizes.push_back(std::min(size, total - at));
  if (sizes.empty()) sizes.push_back(0);
  return sizes;
}

std::vector<Ref> split(Composition& c) {
  const std::size_t axis = c.axis("dim", c.input(0));
  const std::int64_t total = known_size(c, axis);
  if (c.attribute("split_size").is_array()) {
    const auto sizes = c.rule().integers("split_size");
    std::int64_t sum = 0;
    for (const std::int64_t size : sizes) sum += size;
    if (sum != total) c.rule().fail_attribute("split_size", fmt::format("adds up to {}, not to {}", sum, total));
    return pieces(c, axis, sizes);
  }
  const std::int64_t size = c.integer("split_size");
  if (size == 0 && total > 0) c.rule().fail_attribute("split_size", "is 0");
  return pieces(c, axis, equal_sizes(total, std::max<std::int64_t>(size, 1)));
}

std::vector<Ref> chunk(Composition& c) {
  const std::size_t axis = c.axis("dim", c.input(0));
  const std::int64_t total = known_size(c, axis);
  const std::int64_t chunks = c.integer("chunks");
  // As in PyTorch, nothing is cut into as many empty pieces as asked for, and other sizes into at most that many.
  if (total == 0) return pieces(c, axis, std::vector<std::int64_t>(static_cast<std::size_t>(chunks), 0));
  return pieces(c, axis, equal_sizes(total, (total + chunks - 1) / chunks));
}

std::vector<Ref> unbind(Composition& c) {
  const std::size_t axis = c.axis("dim", c.input(0));
  const auto dim = static_cast<std::int64_t>(axis);
  std::vector<Ref> list;
  for (std::int64_t i = 0; i < known_size(c, axis); ++i)
    list.push_back(c.node("select", {c.input(0)}, {{"dim", dim}, {"index", i}}));
  return list;
}

constexpr std::array kComposers = {
    Composer{"chunk", chunk}, Composer{"narrow", narrow}, Composer{"select", select},
    Composer{"split", split}, Composer{"unbind", unbind},
};

}  // namespace

std::span<const Composer> shape_composers() { return kComposers; }

}  // namespace alknet::graph
