#include "alknet/compute/eager/gradcheck_operation.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "alknet/compute/eager/apply.h"

namespace alknet::compute {
namespace {

/// The shape of the leaf that an arrangement makes an operand of `shape` from.
Shape leaf_shape(const Shape& shape, conformance::Arrangement arrangement) {
  Shape leaf = shape;
  if (arrangement == conformance::Arrangement::kTransposed) std::reverse(leaf.begin(), leaf.end());
  if (arrangement == conformance::Arrangement::kSliced && !leaf.empty()) leaf.back() = 2 * leaf.back() + 1;
  if (arrangement == conformance::Arrangement::kBroadcast && !leaf.empty())
    leaf.front() = std::min<std::int64_t>(1, leaf.front());
  return leaf;
}

/// The operand, by views that a gradient passes.
Tensor arranged(const Tensor& leaf, const Shape& shape, conformance::Arrangement arrangement) {
  if (shape.empty()) return leaf;
  if (arrangement == conformance::Arrangement::kTransposed) {
    Shape dims(shape.size());
    for (std::size_t d = 0; d < dims.size(); ++d) dims[d] = static_cast<std::int64_t>(dims.size() - 1 - d);
    return leaf.permute(dims);
  }
  if (arrangement == conformance::Arrangement::kSliced) return leaf.slice(-1, 1, std::nullopt, 2);
  if (arrangement == conformance::Arrangement::kBroadcast) return leaf.expand(shape);
  return leaf;
}

class OperationCheck {
 public:
  OperationCheck(Context context, const graph::OpSpec& op) : context_(std::move(context)), op_(op) {}

  /// Nothing when the operation refuses the case.
  std::optional<GradcheckReport> run(const GradcheckCase& made) {
    std::vector<Tensor> leaves;
    for (std::size_t i = 0; i < made.inputs.size(); ++i) leaves.push_back(leaf(made, i));
    const TensorFunction function = [&](std::span<const Tensor> given) { return call(made, given); };
    bool any = false;
    for (const Tensor& each : leaves) any = any || (each && each.requires_grad());
    if (!any) return std::nullopt;
    for (Tensor& each : leaves) {
      if (!each) each = context_.empty(Dtype::kF32, {});  // stands for an absent one
    }
    return gradcheck(function, leaves, {.step = 2e-4});  // few differences then step over a kink
  }

 private:
  const graph::OpInput& input(std::size_t index) const { return op_.inputs[std::min(index, op_.inputs.size() - 1)]; }

  Tensor leaf(const GradcheckCase& made, std::size_t index) {
    const auto& each = made.inputs[index];
    if (each.absent) return {};
    const Shape shape = leaf_shape(each.shape, each.arrangement);
    const bool floats = !each.dtype || graph::is_float(*each.dtype);
    const auto [low, high] = domain(index, floats);
    std::uniform_real_distribution<double> real(low, high);
    std::vector<double> values(static_cast<std::size_t>(graph::element_count(shape)));
    for (double& value : values) value = floats ? real(random_) : std::floor(real(random_));
    Tensor tensor = context_.from<double>(values, shape);
    if (!floats) return tensor.to(*each.dtype);
    if (input(index).differentiable) tensor.requires_grad_();
    return tensor;
  }

  std::pair<double, double> domain(std::size_t index, bool floats) const {
    if (!floats) return {0, 2};
    const JsonObject* domains = op_.test.if_object();
    if (const Json* smooth = domains ? domains->if_contains("gradient") : nullptr) domains = &smooth->get_object();
    const Json* range = domains ? domains->if_contains(input(index).name) : nullptr;
    if (range == nullptr || !range->is_array()) return {-2, 2};
    const double low = range->get_array()[0].to_number<double>();
    const double high = range->get_array()[1].to_number<double>();
    // Near the edge of a domain a difference would leave it; far out it says little.
    return {std::max(low + 0.01 * std::min(1.0, high - low), low < 0 ? -3.0 : std::min(0.2, high / 2)),
            std::min(high - 0.01 * std::min(1.0, high - low), 3.0)};
  }

  std::vector<Tensor> call(const GradcheckCase& made, std::span<const Tensor> given) const {
    std::vector<Tensor> operands;
    for (std::size_t i = 0; i < given.size(); ++i) {
      operands.push_back(made.inputs[i].absent ? Tensor()
                                               : arranged(given[i], made.inputs[i].shape, made.inputs[i].arrangement));
    }
    std::vector<Argument> arguments;
    std::size_t next = 0;
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      if (op_.inputs[i].variadic) {
        const std::size_t count = operands.size() - next - (op_.inputs.size() - i - 1);
        arguments.emplace_back(std::span<const Tensor>(operands).subspan(next, count));
        next += count;
      } else if (next < operands.size()) {
        arguments.emplace_back(operands[next++]);
      }
    }
    return apply(op_.name, arguments, made.attrs);
  }

  Context context_;
  const graph::OpSpec& op_;
  std::mt19937_64 random_{1};
};

}  // namespace

std::optional<GradcheckReport> gradcheck_operation(const Context& context, const graph::OpSpec& op,
                                                   const GradcheckCase& made) {
  return OperationCheck(context, op).run(made);
}

}  // namespace alknet::compute
