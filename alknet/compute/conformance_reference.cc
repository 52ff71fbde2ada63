#include "alknet/compute/conformance_reference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "alknet/compute/conformance_blocks.h"
#include "alknet/graph/op_program.h"
#include "alknet/graph/philox.h"
#include "alknet/graph/reference_call.h"
#include "alknet/graph/reference_matrix.h"
#include "alknet/graph/reference_window.h"
#include "alknet/graph/shape.h"

namespace alknet::compute::conformance {
namespace {

using Inputs = std::vector<std::optional<TestTensor>>;
/// Sums are taken in this: double would be no better than what f64 kernels do.
using Exact = long double;

std::size_t to_index(std::int64_t value) { return static_cast<std::size_t>(value); }

Reference empty_reference(Shape shape) {
  Reference reference;
  reference.shape = std::move(shape);
  reference.values.resize(to_index(graph::element_count(reference.shape)));
  reference.terms.resize(reference.values.size());
  return reference;
}

Shape without_last(const Shape& shape, std::size_t count) {
  return Shape(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(count));
}

Shape broadcast_shapes(const Shape& a, const Shape& b) {
  Shape shape = a.size() >= b.size() ? a : b;
  const Shape& other = a.size() >= b.size() ? b : a;
  for (std::size_t d = 0; d < other.size(); ++d) {
    auto& size = shape[shape.size() - other.size() + d];
    if (size == 1) size = other[d];
  }
  return shape;
}

Reference matmul(const JsonObject&, const Inputs& inputs) {
  Shape left = inputs[0]->layout.shape, right = inputs[1]->layout.shape;
  const bool vector_left = left.size() == 1, vector_right = right.size() == 1;
  if (vector_left) left.insert(left.begin(), 1);
  if (vector_right) right.push_back(1);
  const Shape batch = broadcast_shapes(without_last(left, 2), without_last(right, 2));
  const std::int64_t rows = left[left.size() - 2], depth = left.back(), columns = right.back();
  Shape shape = batch;
  if (!vector_left) shape.push_back(rows);
  if (!vector_right) shape.push_back(columns);
  Reference result = empty_reference(shape);
  const auto a = inputs[0]->values(), b = inputs[1]->values();
  for (std::int64_t i = 0; i < graph::element_count(batch); ++i) {
    const Shape position = position_of(i, batch);
    const std::int64_t at_a = broadcast_index(position, without_last(left, 2)) * rows * depth;
    const std::int64_t at_b = broadcast_index(position, without_last(right, 2)) * depth * columns;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        Exact sum = 0, terms = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          const Exact product =
              static_cast<Exact>(a[to_index(at_a + r * depth + k)]) * b[to_index(at_b + k * columns + c)];
          sum += product;
          terms += std::abs(product);
        }
        const std::size_t at = to_index((i * rows + r) * columns + c);
        result.values[at] = static_cast<double>(sum);
        result.terms[at] = static_cast<double>(terms);
      }
    }
  }
  return result;
}

/// The product with the transpose of the weight's values.
Reference quantized_matmul(const JsonObject& attrs, const Inputs& inputs) {
  TestTensor weight = decoded(*inputs[1]);
  std::reverse(weight.layout.shape.begin(), weight.layout.shape.end());
  std::reverse(weight.layout.strides.begin(), weight.layout.strides.end());
  return matmul(attrs, {inputs[0], std::move(weight)});
}

Reference dequantize(const JsonObject&, const Inputs& inputs) { return reference_of(*inputs[0]); }

template <bool logarithm>
Reference softmax(const JsonObject& attrs, const Inputs& inputs) {
  const Shape& shape = inputs[0]->layout.shape;
  Reference result = empty_reference(shape);
  std::int64_t dim = attrs.at("dim").to_number<std::int64_t>();
  if (dim < 0) dim += static_cast<std::int64_t>(shape.size());
  const std::int64_t length = shape.empty() ? 1 : shape[to_index(dim)];
  std::int64_t inner = 1;
  for (std::size_t d = to_index(dim) + 1; d < shape.size(); ++d) inner *= shape[d];
  const auto x = inputs[0]->values();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const std::int64_t first = at / (inner * length) * inner * length + at % inner;
    double largest = -std::numeric_limits<double>::infinity();
    Exact sum = 0;
    for (std::int64_t k = 0; k < length; ++k) largest = std::max(largest, x[to_index(first + k * inner)]);
    for (std::int64_t k = 0; k < length; ++k)
      sum += std::exp(static_cast<Exact>(x[to_index(first + k * inner)]) - largest);
    result.values[i] = static_cast<double>(std::exp(static_cast<Exact>(x[i]) - largest) / sum);
    result.terms[i] = result.values[i] * (1 + std::fabs(x[i] - largest));
    if (!logarithm) continue;
    result.values[i] = static_cast<double>(static_cast<Exact>(x[i]) - largest - std::log(sum));
    result.terms[i] = std::fabs(x[i]) + std::fabs(largest) + static_cast<double>(std::log(sum)) + 1;
  }
  return result;
}

template <bool centred>
Reference layer_norm(const JsonObject& attrs, const Inputs& inputs) {
  Reference result = empty_reference(inputs[0]->layout.shape);
  std::int64_t length = 1;
  for (const Json& size : attrs.at("normalized_shape").as_array()) length *= size.to_number<std::int64_t>();
  const Json& given = attrs.at("eps");
  const double eps = given.is_null() ? graph::dtype_epsilon(inputs[0]->dtype) : given.to_number<double>();
  const auto x = inputs[0]->values();
  const auto weight = inputs[1] ? inputs[1]->values() : std::vector<double>();
  const auto bias = centred && inputs[2] ? inputs[2]->values() : std::vector<double>();
  for (std::size_t row = 0; row + to_index(length) <= x.size() && length > 0; row += to_index(length)) {
    Exact mean = 0, magnitude = 0, variance = 0;
    for (std::int64_t k = 0; k < length; ++k) {
      mean += x[row + to_index(k)] / static_cast<Exact>(length);
      magnitude += std::fabs(x[row + to_index(k)]) / static_cast<Exact>(length);
    }
    if (!centred) mean = 0;
    for (std::int64_t k = 0; k < length; ++k) {
      const Exact deviation = x[row + to_index(k)] - mean;
      variance += deviation * deviation;
    }
    variance /= static_cast<Exact>(length);
    for (std::size_t k = 0; k < to_index(length); ++k) {
      const Exact factor = (weight.empty() ? 1 : weight[k]) / std::sqrt(variance + eps);
      const double shift = bias.empty() ? 0 : bias[k];
      result.values[row + k] = static_cast<double>((x[row + k] - mean) * factor + shift);
      result.terms[row + k] =
          static_cast<double>((std::fabs(x[row + k]) + magnitude) * std::abs(factor)) + std::fabs(shift);
    }
  }
  return result;
}

Reference embedding(const JsonObject&, const Inputs& inputs) {
  const std::int64_t width = inputs[0]->layout.shape[1];
  Shape shape = inputs[1]->layout.shape;
  shape.push_back(width);
  Reference result = empty_reference(shape);
  const auto weight = inputs[0]->values(), indices = inputs[1]->values();
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const auto row = static_cast<std::int64_t>(indices[i / to_index(width)]);
    result.values[i] = weight[to_index(row * width) + i % to_index(width)];
    result.terms[i] = std::fabs(result.values[i]);
  }
  return result;
}

Reference quantized_embedding(const JsonObject& attrs, const Inputs& inputs) {
  return embedding(attrs, {decoded(*inputs[0]), inputs[1]});
}

Reference attention(const JsonObject& attrs, const Inputs& inputs) {
  const Shape& query = inputs[0]->layout.shape;
  const std::size_t rank = query.size();
  const std::int64_t queries = query[rank - 2], depth = query[rank - 1];
  const std::int64_t keys = inputs[1]->layout.shape[rank - 2], width = inputs[2]->layout.shape[rank - 1];
  const double scale =
      attrs.at("scale").is_null() ? 1 / std::sqrt(static_cast<double>(depth)) : attrs.at("scale").to_number<double>();
  const bool causal = attrs.at("is_causal").as_bool();
  Shape shape = query;
  shape[rank - 1] = width;
  Reference result = empty_reference(shape);
  const auto q = inputs[0]->values(), k = inputs[1]->values(), v = inputs[2]->values();
  const auto mask = inputs[3] ? inputs[3]->values() : std::vector<double>();
  const Shape batch = without_last(query, 2);
  const double infinity = std::numeric_limits<double>::infinity();
  for (std::int64_t row = 0; row < graph::element_count(batch) * queries; ++row) {
    const std::int64_t head = row / queries, i = row % queries;
    std::vector<double> scores(to_index(keys));
    double largest = -infinity, magnitude = 0, sum = 0;
    for (std::int64_t j = 0; j < keys; ++j) {
      double score = 0, terms = 0;
      for (std::int64_t d = 0; d < depth; ++d) {
        const double product = q[to_index(row * depth + d)] * k[to_index((head * keys + j) * depth + d)] * scale;
        score += product;
        terms += std::fabs(product);
      }
      if (inputs[3]) {
        Shape position = position_of(head, batch);
        position.push_back(i);
        position.push_back(j);
        const double m = mask[to_index(broadcast_index(position, inputs[3]->layout.shape))];
        if (inputs[3]->dtype == Dtype::kBool)
          score = m != 0 ? score : -infinity;
        else
          score += m, terms += std::fabs(m);
      }
      if (causal && j > i) score = -infinity;
      scores[to_index(j)] = score;
      largest = std::max(largest, score);
      magnitude = std::max(magnitude, terms);
    }
    if (largest == -infinity) continue;  // 0
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (std::int64_t d = 0; d < width; ++d) {
      for (std::int64_t j = 0; j < keys; ++j) {
        const double term = scores[to_index(j)] / sum * v[to_index((head * keys + j) * width + d)];
        result.values[to_index(row * width + d)] += term;
        result.terms[to_index(row * width + d)] += std::fabs(term) * (1 + magnitude);
      }
    }
  }
  return result;
}

Reference random_words(const JsonObject& attrs, const Inputs& inputs) {
  Shape shape;
  for (const Json& size : attrs.at("size").as_array()) shape.push_back(size.to_number<std::int64_t>());
  Reference result = empty_reference(shape);
  const auto rng = inputs[0]->values();
  const auto word = [&](std::size_t i) { return static_cast<std::uint64_t>(rng[i]); };
  const auto stream = attrs.at("stream").to_number<std::uint32_t>();
  for (std::size_t e = 0; e < result.values.size(); ++e) {
    const std::uint64_t at = graph::reference::word_of(attrs.at("words").as_string(), e);
    result.values[e] = graph::random_word(word(0) | word(1) << 32, word(2) | word(3) << 32, stream, at);
  }
  return result;
}

}  // namespace

Reference reference_of(const TestTensor& tensor) {
  Reference reference;
  reference.shape = tensor.layout.shape;
  reference.values = tensor.values();
  for (const double value : reference.values) reference.terms.push_back(std::fabs(value));
  return reference;
}

Reference elementwise_reference(const OpSpec& op, const JsonObject& attrs, const std::vector<Reference>& operands,
                                const std::vector<Dtype>& dtypes, Dtype output, const Shape& shape) {
  const auto program = graph::elementwise_program(op, attrs, dtypes, std::array{output});
  std::vector<double> parameters;
  for (const auto& name : graph::scalar_parameters(op)) parameters.push_back(*graph::scalar_value(attrs, name));
  Reference result = empty_reference(shape);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const Shape position = position_of(static_cast<std::int64_t>(i), shape);
    std::vector<double> values;
    double terms = 0;
    for (const Reference& operand : operands) {
      const std::size_t at = operand.shape == shape ? i : to_index(broadcast_index(position, operand.shape));
      values.push_back(operand.values[at]);
      terms += operand.terms[at];
    }
    values.insert(values.end(), parameters.begin(), parameters.end());
    for (std::size_t v = values.size(); v < program.variables.size(); ++v) {
      const auto linear = static_cast<std::int64_t>(i);
      values.push_back(
          static_cast<double>(graph::expr::coordinate_value(program.variables[v].coordinate, linear, shape)));
    }
    result.values[i] = graph::expr::evaluate(program, values)[0];
    for (const double parameter : parameters) terms *= std::max(1.0, std::fabs(parameter));
    result.terms[i] = terms + std::fabs(result.values[i]);
  }
  return result;
}

Reference reduction_reference(const OpSpec& op, const JsonObject& attrs, const TestTensor& input, Dtype output) {
  const Shape& shape = input.layout.shape;
  std::vector<bool> reduced(shape.size(), true);
  if (const Json& dims = attrs.at("dim"); dims.is_array() && !dims.get_array().empty()) {
    reduced.assign(shape.size(), false);
    for (const Json& dim : dims.get_array()) {
      const auto d = dim.to_number<std::int64_t>();
      reduced[to_index(d < 0 ? d + static_cast<std::int64_t>(shape.size()) : d)] = true;
    }
  }
  Shape kept = shape, result_shape;
  std::int64_t count = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (reduced[d]) count *= shape[d], kept[d] = 1;
    if (!reduced[d])
      result_shape.push_back(shape[d]);
    else if (attrs.at("keepdim").as_bool())
      result_shape.push_back(1);
  }
  const auto programs = graph::reduction_programs(op, input.dtype, output);
  const double initial = graph::expr::evaluate(programs.init, {})[0];
  Reference result = empty_reference(result_shape);
  std::fill(result.values.begin(), result.values.end(), initial);
  std::fill(result.terms.begin(), result.terms.end(), initial);
  const auto values = input.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t at = to_index(broadcast_index(position_of(static_cast<std::int64_t>(i), shape), kept));
    result.values[at] = graph::expr::evaluate(programs.combine, std::array{result.values[at], values[i]})[0];
    result.terms[at] = graph::expr::evaluate(programs.combine, std::array{result.terms[at], std::fabs(values[i])})[0];
  }
  // The interpreter computes in double: its own rounding, at most half an eps a step, counts as terms.
  const double own_error = output == Dtype::kF64 ? 1 + static_cast<double>(count) / 8 : 1;
  for (double& terms : result.terms) terms *= own_error;
  for (auto* list : {&result.values, &result.terms}) {
    for (double& value : *list) {
      value = graph::expr::evaluate(programs.finish, std::array{value, static_cast<double>(count)})[0];
    }
  }
  return result;
}

namespace {

/// Those whose loops are in graph/reference_indexing.cc: the terms are what they give for absolute values.
std::vector<Reference> indexing_reference(const OpSpec& op, const JsonObject& attrs, const Inputs& inputs) {
  const auto run = graph::reference::indexing_runs().find(op.name);
  if (run == graph::reference::indexing_runs().end()) return {};
  std::vector<std::optional<graph::SymbolicShape>> shapes(inputs.size());
  std::vector<graph::ReferenceTensor> values(inputs.size()), terms(inputs.size());
  std::vector<const graph::ReferenceTensor*> value_list(inputs.size()), term_list(inputs.size());
  graph::OpDtypes dtypes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    dtypes.inputs.emplace_back();
    if (!inputs[i]) continue;
    const Shape& shape = inputs[i]->layout.shape;
    shapes[i].emplace(shape.begin(), shape.end());
    values[i] = terms[i] = {shape, inputs[i]->values()};
    for (double& term : terms[i].data) term = std::fabs(term);
    value_list[i] = &values[i];
    term_list[i] = &terms[i];
    dtypes.inputs.back() = inputs[i]->dtype;
  }
  const Shape shape = graph::evaluate(graph::infer_shapes(op, shapes, attrs).front(), {});
  const auto exact = run->second({op, attrs, value_list, dtypes, shape});
  const auto of_terms = run->second({op, attrs, term_list, dtypes, shape});
  std::vector<Reference> results;
  for (std::size_t k = 0; k < exact.size(); ++k) results.push_back({exact[k].shape, exact[k].data, of_terms[k].data});
  return results;
}

/// Of convolutions and pools: the terms are what the same loops give for the absolute values.
std::vector<Reference> window_reference(const OpSpec& op, const JsonObject& attrs, const Inputs& inputs) {
  const auto run = graph::find_window_reference(std::get<graph::TemplateForward>(op.forward).name);
  if (run == nullptr) return indexing_reference(op, attrs, inputs);
  std::vector<std::optional<graph::SymbolicShape>> shapes;
  std::vector<graph::ReferenceTensor> values(inputs.size()), terms(inputs.size());
  std::vector<const graph::ReferenceTensor*> value_list, term_list;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    shapes.emplace_back();
    value_list.push_back(inputs[i] ? &values[i] : nullptr);
    term_list.push_back(inputs[i] ? &terms[i] : nullptr);
    if (!inputs[i]) continue;
    const Shape& shape = inputs[i]->layout.shape;
    shapes.back().emplace(shape.begin(), shape.end());
    values[i] = terms[i] = {shape, inputs[i]->values()};
    if (!op.inputs[i].differentiable) continue;  // what decides where, not how much
    for (double& value : terms[i].data) value = std::fabs(value);
  }
  const Shape shape = graph::evaluate(graph::infer_shapes(op, shapes, attrs).front(), {});
  JsonObject absolute = attrs;
  absolute[graph::kAbsoluteWeights] = true;
  return {{shape, run(op, attrs, value_list, shape).data, run(op, absolute, term_list, shape).data}};
}

/// Of decompositions of well-conditioned matrices: errors are measured against the largest element and the size.
std::vector<Reference> decomposition_reference(const OpSpec& op, const JsonObject& attrs, const Inputs& inputs) {
  std::vector<std::optional<graph::SymbolicShape>> shapes;
  std::vector<graph::ReferenceTensor> values(inputs.size());
  std::vector<const graph::ReferenceTensor*> list;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& own = inputs[i]->layout.shape;
    shapes.emplace_back(graph::SymbolicShape(own.begin(), own.end()));
    values[i] = {own, inputs[i]->values()};
    list.push_back(&values[i]);
  }
  const Shape shape = graph::evaluate(graph::infer_shapes(op, shapes, attrs).front(), {});
  auto made = graph::matrix_reference(op.name, attrs, list, shape);
  if (!made) return {};
  double largest = 0;
  for (const double value : made->data) largest = std::max(largest, std::fabs(value));
  const auto n = static_cast<double>(values[0].shape.back());
  return {{shape, made->data, std::vector<double>(made->data.size(), largest * std::sqrt(n))}};
}

}  // namespace

std::vector<Reference> template_reference(const OpSpec& op, const JsonObject& attrs, const Inputs& inputs) {
  using Function = Reference (*)(const JsonObject&, const Inputs&);
  static const std::map<std::string, Function, std::less<>> kReferences = {
      {"embedding", embedding},
      {"layer_norm", layer_norm<true>},
      {"log_softmax", softmax<true>},
      {"matmul", matmul},
      {"random_words", random_words},
      {"rms_norm", layer_norm<false>},
      {"softmax", softmax<false>},
      {"attention", attention},
      {"quantized_matmul", quantized_matmul},
      {"dequantize", dequantize},
      {"quantized_embedding", quantized_embedding},
  };
  const auto found = kReferences.find(std::get<graph::TemplateForward>(op.forward).name);
  if (found == kReferences.end()) {
    auto window = window_reference(op, attrs, inputs);
    return window.empty() ? decomposition_reference(op, attrs, inputs) : window;
  }
  return {found->second(attrs, inputs)};
}

}  // namespace alknet::compute::conformance
