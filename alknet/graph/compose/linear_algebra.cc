#include <fmt/format.h>

#include <array>

#include "alknet/graph/composers.h"

namespace alknet::graph {
namespace {

void need_rank(Composition& c, std::size_t input, std::size_t rank) {
  const SymbolicShape& shape = c.shape(c.input(input));
  if (shape.size() != rank) {
    c.rule().fail_shape(fmt::format("input {} has the shape {}; its rank must be {}", input, shape_text(shape), rank));
  }
}

/// matmul of inputs `first` and `first + 1`, which must have these ranks.
Ref product(Composition& c, std::size_t first, std::size_t rank, std::size_t other_rank) {
  need_rank(c, first, rank);
  need_rank(c, first + 1, other_rank);
  if (rank == 3 && c.shape(c.input(first)).front() != c.shape(c.input(first + 1)).front()) {
    c.rule().fail_shape("the batches differ in size");
  }
  return c.node("matmul", {c.input(first), c.input(first + 1)});
}

template <std::size_t rank, std::size_t other_rank>
std::vector<Ref> plain_product(Composition& c) {
  return {product(c, 0, rank, other_rank)};
}

/// beta * input + alpha * (a @ b); as in PyTorch, with beta = 0 the input is not looked at.
template <std::size_t rank, std::size_t other_rank>
std::vector<Ref> added_product(Composition& c) {
  const Ref product_of = product(c, 1, rank, other_rank);
  const SymbolicShape shape = c.shape(product_of);
  const Ref input = c.writer().expand(c.input(0), shape);
  const Ref scaled = c.number("alpha") == 1 ? product_of : c.node("mul", {product_of, c.scalar_of("alpha")});
  if (c.number("beta") == 0) return {scaled};
  const Ref kept = c.number("beta") == 1 ? input : c.node("mul", {input, c.scalar_of("beta")});
  return {c.node("add", {scaled, kept})};
}

/// input @ weight^T + bias; weights in blocks have a product of their own.
std::vector<Ref> linear(Composition& c) {
  need_rank(c, 1, 2);
  const Ref input = c.input(0), weight = c.input(1);
  const Ref product_of = is_block(c.dtype(weight))
                             ? c.node("quantized_matmul", {input, weight})
                             : c.node("matmul", {input, c.node("transpose", {weight}, {{"dim0", 0}, {"dim1", 1}})});
  if (!c.has(2)) return {product_of};
  if (c.shape(c.input(2)) != SymbolicShape{c.shape(weight)[0]}) {
    c.rule().fail_shape(fmt::format("the bias {} does not have one element for each row of the weight {}",
                                    shape_text(c.shape(c.input(2))), shape_text(c.shape(weight))));
  }
  return {c.node("add", {product_of, c.input(2)})};
}

std::vector<Ref> outer(Composition& c) {
  need_rank(c, 0, 1);
  need_rank(c, 1, 1);
  return {c.node("mul", {c.node("unsqueeze", {c.input(0)}, {{"dim", 1}}), c.input(1)})};
}

constexpr std::array kLinearAlgebraComposers = {
    Composer{"addmm", added_product<2, 2>},
    Composer{"addmv", added_product<2, 1>},
    Composer{"baddbmm", added_product<3, 3>},
    Composer{"bmm", plain_product<3, 3>},
    Composer{"dot", plain_product<1, 1>},
    Composer{"linear", linear},
    Composer{"mm", plain_product<2, 2>},
    Composer{"mv", plain_product<2, 1>},
    Composer{"outer", outer},
};

}  // namespace

std::span<const Composer> linear_algebra_composers() { return kLinearAlgebraComposers; }

}  // namespace alknet::graph
