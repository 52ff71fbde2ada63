#include "alknet/compute/eager/data_dependent.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/base/error.h"
#include "alknet/compute/eager/operations.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

using Inputs = std::span<const Argument>;

const Tensor& operand(const OpSpec& op, Inputs inputs, std::size_t index) {
  if (index < inputs.size() && inputs[index].kind() == Argument::Kind::kTensor) return inputs[index].tensors().front();
  throw Error(graph::GraphError::kMissingInput,
              fmt::format("[{}] the input \"{}\" must be a tensor", op.name, op.inputs[index].name));
}

Tensor first_rows(const Tensor& tensor, std::int64_t count) { return tensor.narrow(0, 0, count); }

Tensor flattened(const Tensor& tensor) { return tensor.reshape(Shape{tensor.element_count()}); }

Tensor empty_indices(const Tensor& beside) {
  return beside.context().empty(Dtype::kI64, {0}).to(beside.buffer()->backend());
}

/// Places of what is true in a vector, i64.
Tensor places_of_true(const Tensor& mask) {
  const auto count = mask.count_nonzero().item<std::int64_t>();
  const Tensor all = nonzero_static(mask, mask.element_count());
  return first_rows(all.reshape(Shape{mask.element_count()}), count);
}

std::vector<Tensor> nonzero(const OpSpec& op, Inputs inputs, const JsonObject&) {
  const Tensor& input = operand(op, inputs, 0);
  const auto count = input.count_nonzero().item<std::int64_t>();
  return {first_rows(nonzero_static(input, input.element_count()), count)};
}

std::vector<Tensor> masked_select(const OpSpec& op, Inputs inputs, const JsonObject&) {
  const Tensor &input = operand(op, inputs, 0), &mask = operand(op, inputs, 1);
  if (mask.dtype() != Dtype::kBool) {
    throw Error(graph::GraphError::kDtypeMismatch,
                fmt::format("[{}] the mask is {}, not bool: compare it with a number", op.name,
                            graph::dtype_name(mask.dtype())));
  }
  const auto symbolic = [](const Tensor& tensor) {
    return std::optional(graph::SymbolicShape(tensor.shape().begin(), tensor.shape().end()));
  };
  const auto shapes =
      graph::infer_shapes(graph::OpTable::builtin().at("logical_and"), std::array{symbolic(input), symbolic(mask)}, {});
  const Shape shape = graph::evaluate(shapes.front(), {});
  const Tensor values = flattened(input.expand(shape)), chosen = flattened(mask.expand(shape));
  return {values.index_select(places_of_true(chosen), 0)};
}

/// The order of rows of a matrix, compared from their first element on.
Tensor lexicographic_order(const Tensor& rows) {
  Tensor order;
  for (std::int64_t column = rows.size(1); column-- > 0;) {
    Tensor keys = rows.select(1, column);
    if (order) keys = keys.index_select(order, 0);
    const Tensor next = keys.argsort(0, false, true);
    order = order ? order.index_select(next, 0) : next;
  }
  return order;
}

std::vector<Tensor> unique(const OpSpec& op, Inputs inputs, const JsonObject& attrs) {
  Tensor input = operand(op, inputs, 0).detach();
  const Json& dim = attrs.at("dim");
  const Shape given = input.shape();
  if (!dim.is_null()) {
    input.size(dim.to_number<std::int64_t>());  // refuses a dimension that is none
    input = input.transpose(0, dim.to_number<std::int64_t>());
  }
  const Shape turned = input.shape();
  const std::int64_t count = dim.is_null() ? input.element_count() : turned.front();
  const std::int64_t width = count == 0 ? 0 : input.element_count() / count;
  const Tensor rows = dim.is_null() ? flattened(input) : input.reshape(Shape{count, width});
  const auto shaped = [&](const Tensor& picked) {
    if (dim.is_null()) return picked;
    Shape shape = turned;
    shape.front() = picked.size(0);
    return contiguous(picked.reshape(shape).transpose(0, dim.to_number<std::int64_t>()));
  };
  const bool inverse = attrs.at("return_inverse").get_bool(), counts = attrs.at("return_counts").get_bool();
  const Tensor none = empty_indices(input);
  if (count == 0) return {shaped(rows), inverse && dim.is_null() ? none.reshape(given) : none, none};
  if (!dim.is_null() && width == 0) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[{}] {} has no elements to compare along dimension {}", op.name, graph::shape_text(given),
                            dim.to_number<std::int64_t>()));
  }
  const Tensor order = dim.is_null() ? rows.argsort(0, false, true) : lexicographic_order(rows);
  const Tensor sorted = rows.index_select(order, 0);
  // Where a row differs from the one before it; the first does. NaN differs from NaN.
  Tensor differs = sorted.narrow(0, 1, count - 1).ne(sorted.narrow(0, 0, count - 1));
  if (!dim.is_null()) differs = differs.any(1);
  const Tensor first = input.context().from<bool>(std::array{true}, {1}).to(input.buffer()->backend());
  const Tensor begins = cat({first, differs});
  const Tensor starts = places_of_true(begins);
  std::vector<Tensor> results = {shaped(sorted.index_select(starts, 0)), none, none};
  if (inverse) {
    const Tensor group = begins.cumsum(0) - 1;
    results[1] = zeros_like(order).scatter(order, group, 0);
    if (dim.is_null()) results[1] = results[1].reshape(given);
  }
  if (counts) {
    const Tensor end = input.context().from<std::int64_t>(std::array{count}, {1}).to(input.buffer()->backend());
    const std::int64_t groups = starts.size(0);
    results[2] = cat({starts.narrow(0, 1, groups - 1), end}) - starts;
  }
  return results;
}

struct DataDependent {
  std::string_view op;
  std::vector<Tensor> (*run)(const OpSpec& op, Inputs inputs, const JsonObject& attrs);
};
constexpr std::array kOperations = {
    DataDependent{"masked_select", masked_select},
    DataDependent{"nonzero", nonzero},
    DataDependent{"unique", unique},
};

}  // namespace

std::vector<Tensor> apply_data_dependent(const OpSpec& op, Inputs inputs, const JsonObject& attrs) {
  const auto found =
      std::find_if(kOperations.begin(), kOperations.end(), [&](const auto& row) { return row.op == op.name; });
  if (found == kOperations.end()) throw Error(BaseError::kInternal, fmt::format("[{}] is not implemented", op.name));
  return found->run(op, inputs, attrs);
}

}  // namespace alknet::compute
