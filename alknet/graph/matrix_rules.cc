#include <fmt/format.h>

#include <array>

#include "alknet/graph/graph.h"
#include "alknet/graph/shape_rule.h"

namespace alknet::graph {
namespace {

/// Square matrices in the last two dimensions.
const SymbolicShape& square_input(const RuleCall& call) {
  const SymbolicShape& shape = call.input(0);
  if (shape.size() < 2 || shape[shape.size() - 1] != shape[shape.size() - 2]) {
    call.fail_shape(fmt::format("the input {} does not end in two equal sizes", shape_text(shape)));
  }
  return shape;
}

std::vector<SymbolicShape> square(const RuleCall& call) { return {square_input(call)}; }

std::vector<SymbolicShape> determinant(const RuleCall& call) {
  const SymbolicShape& shape = square_input(call);
  return {SymbolicShape(shape.begin(), shape.end() - 2)};
}

/// A [..., n, n] and B [n] or [..., n, k], whose leading sizes broadcast.
std::vector<SymbolicShape> solve(const RuleCall& call) {
  const SymbolicShape& left = square_input(call);
  const SymbolicShape& right = call.input(1);
  const bool vector = right.size() == 1;
  if (right.empty() || (vector && left.size() > 2) || right[right.size() - (vector ? 1 : 2)] != left.back()) {
    call.fail_shape(
        fmt::format("the right side {} does not fit the matrix {}: it needs [..., {}, k], or for one "
                    "matrix a vector",
                    shape_text(right), shape_text(left), left.back().text()));
  }
  if (vector) return {right};
  SymbolicShape shape =
      broadcast(call, std::span(left).first(left.size() - 2), std::span(right).first(right.size() - 2));
  shape.push_back(right[right.size() - 2]);
  shape.push_back(right.back());
  return {shape};
}

/// input [..., in] and weight [out, in] -> [..., out].
std::vector<SymbolicShape> quantized_matmul(const RuleCall& call) {
  const SymbolicShape& input = call.input(0);
  const SymbolicShape& weight = call.input(1);
  if (weight.size() != 2 || input.empty() || input.back() != weight[1]) {
    call.fail_shape(fmt::format("the input {} and the weight {} do not have the forms [..., in] and [out, in]",
                                shape_text(input), shape_text(weight)));
  }
  SymbolicShape shape(input.begin(), input.end() - 1);
  shape.push_back(weight[0]);
  return {shape};
}

constexpr std::array kMatrixRules = {
    ShapeRule{"square", square, nullptr, false, false},
    ShapeRule{"determinant", determinant, nullptr, false, false},
    ShapeRule{"solve", solve, nullptr, false, false},
    ShapeRule{"quantized_matmul", quantized_matmul, nullptr, false, false},
};

}  // namespace

std::span<const ShapeRule> matrix_shape_rules() { return kMatrixRules; }

}  // namespace alknet::graph
