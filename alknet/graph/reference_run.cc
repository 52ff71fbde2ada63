#include "alknet/graph/reference_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "alknet/base/bytes.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/composite.h"
#include "alknet/graph/op_program.h"
#include "alknet/graph/philox.h"
#include "alknet/graph/reference_call.h"
#include "alknet/graph/reference_matrix.h"
#include "alknet/graph/reference_window.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {
namespace {

using namespace reference;
using Tensor = ReferenceTensor;

Tensor elementwise(const Call& call) {
  std::vector<Dtype> dtypes;
  for (const auto& dtype : call.dtypes.inputs) dtypes.push_back(is_float(*dtype) ? Dtype::kF64 : *dtype);
  std::vector<Dtype> outputs;
  for (const Dtype dtype : call.dtypes.outputs) outputs.push_back(is_float(dtype) ? Dtype::kF64 : dtype);
  const auto program = elementwise_program(call.op, call.attrs, dtypes, outputs);
  Tensor result = filled(call.shape);
  for (std::size_t i = 0; i < result.data.size(); ++i) {
    const Shape at = position(static_cast<std::int64_t>(i), call.shape);
    std::vector<double> values;
    for (const Tensor* input : call.inputs) values.push_back(input->data[broadcast_index(at, input->shape)]);
    for (const auto& name : scalar_parameters(call.op)) values.push_back(*scalar_value(call.attrs, name));
    for (std::size_t v = values.size(); v < program.variables.size(); ++v) {
      const auto linear = static_cast<std::int64_t>(i);
      values.push_back(
          static_cast<double>(expr::coordinate_value(program.variables[v].coordinate, linear, call.shape)));
    }
    result.data[i] = expr::evaluate(program, values).front();
  }
  return result;
}

Tensor sum(const Call& call) {
  const Tensor& input = call.input(0);
  const auto reduced = reduced_axes(call);
  Shape kept = input.shape;
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = reduced[i] ? 1 : kept[i];
  Tensor result = filled(call.shape);
  for (std::size_t i = 0; i < input.data.size(); ++i) {
    result.data[broadcast_index(position(static_cast<std::int64_t>(i), input.shape), kept)] += input.data[i];
  }
  return result;
}

Tensor mean(const Call& call) {
  const auto reduced = reduced_axes(call);
  double count = 1;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i]) count *= static_cast<double>(call.input(0).shape[i]);
  }
  Tensor result = sum(call);
  for (double& value : result.data) value /= count;
  return result;
}

Tensor view(const Call& call) {
  const Tensor& input = call.input(0);
  const auto layout = apply_view(call.op, {input.shape, contiguous_strides(input.shape), 0}, call.attrs, &call.shape);
  Tensor result = filled(call.shape);
  for (std::size_t i = 0; i < result.data.size(); ++i) {
    const Shape at = position(static_cast<std::int64_t>(i), call.shape);
    std::int64_t offset = layout->offset;
    for (std::size_t d = 0; d < at.size(); ++d) offset += at[d] * layout->strides[d];
    result.data[i] = input.data[to_index(offset)];
  }
  return result;
}

Tensor matmul(const Call& call) {
  Tensor a = call.input(0), b = call.input(1);
  Shape shape = call.shape;
  if (a.shape.size() == 1) {
    a.shape.insert(a.shape.begin(), 1);
    shape.insert(shape.end() - (b.shape.size() == 1 ? 0 : 1), 1);
  }
  if (b.shape.size() == 1) {
    b.shape.push_back(1);
    shape.push_back(1);
  }
  Tensor result = filled(shape);
  const std::int64_t depth = a.shape.back();
  for (std::size_t i = 0; i < result.data.size(); ++i) {
    Shape left = position(static_cast<std::int64_t>(i), shape);
    Shape right = left;
    for (std::int64_t k = 0; k < depth; ++k) {
      left.back() = k;
      right[right.size() - 2] = k;
      result.data[i] += a.data[broadcast_index(left, a.shape)] * b.data[broadcast_index(right, b.shape)];
    }
  }
  result.shape = call.shape;
  return result;
}

/// The weight holds values here, not blocks.
Tensor quantized_matmul(const Call& call) {
  const Tensor& weight = call.input(1);
  Tensor transposed = filled({weight.shape[1], weight.shape[0]});
  for (std::int64_t r = 0; r < weight.shape[0]; ++r) {
    for (std::int64_t k = 0; k < weight.shape[1]; ++k) {
      transposed.data[to_index(k * weight.shape[0] + r)] = weight.data[to_index(r * weight.shape[1] + k)];
    }
  }
  const std::vector<const Tensor*> inputs = {&call.input(0), &transposed};
  return matmul({call.op, call.attrs, inputs, call.dtypes, call.shape});
}

/// exp(x - max) / sum over `size` elements `stride` apart.
void softmax_row(double* row, std::int64_t size, std::int64_t stride) {
  double most = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < size; ++i) most = std::max(most, row[i * stride]);
  double total = 0;
  for (std::int64_t i = 0; i < size; ++i) total += row[i * stride] = std::exp(row[i * stride] - most);
  for (std::int64_t i = 0; i < size; ++i) row[i * stride] /= total;
}

Tensor softmax(const Call& call) {
  Tensor result = call.input(0);
  const auto dim = call.attrs.at("dim").to_number<std::int64_t>();
  const std::int64_t rank = std::ssize(result.shape);
  if (rank == 0) return filled({}, 1);
  const std::size_t axis = to_index(dim < 0 ? dim + rank : dim);
  const std::int64_t stride = contiguous_strides(result.shape)[axis];
  for (std::size_t i = 0; i < result.data.size(); ++i) {
    if (position(static_cast<std::int64_t>(i), result.shape)[axis] == 0) {
      softmax_row(&result.data[i], result.shape[axis], stride);
    }
  }
  return result;
}

Tensor log_softmax(const Call& call) {
  Tensor result = softmax(call);
  for (double& value : result.data) value = std::log(value);
  return result;
}

template <bool centred>
Tensor layer_norm(const Call& call) {
  Tensor result = call.input(0);
  const std::size_t trailing = call.attrs.at("normalized_shape").get_array().size();
  std::size_t width = 1;
  for (std::size_t i = 0; i < trailing; ++i) width *= to_index(result.shape[result.shape.size() - 1 - i]);
  const Json& given = call.attrs.at("eps");
  const double eps = given.is_null() ? dtype_epsilon(*call.dtypes.inputs[0]) : given.to_number<double>();
  for (std::size_t row = 0; width > 0 && row < result.data.size() / width; ++row) {
    double* values = &result.data[row * width];
    double average = 0, variance = 0;
    for (std::size_t i = 0; centred && i < width; ++i) average += values[i] / static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) {
      variance += (values[i] - average) * (values[i] - average) / static_cast<double>(width);
    }
    for (std::size_t i = 0; i < width; ++i) {
      values[i] = (values[i] - average) / std::sqrt(variance + eps);
      if (call.has(1)) values[i] *= call.input(1).data[i];
      if (call.has(2)) values[i] += call.input(2).data[i];
    }
  }
  return result;
}

Tensor embedding(const Call& call) {
  Tensor result = filled(call.shape);
  const std::size_t width = to_index(call.input(0).shape[1]);
  for (std::size_t i = 0; i < result.data.size(); ++i) {
    result.data[i] = call.input(0).data[static_cast<std::size_t>(call.input(1).data[i / width]) * width + i % width];
  }
  return result;
}

Tensor attention(const Call& call) {
  const Shape& query = call.input(0).shape;
  const std::size_t rank = query.size();
  const std::int64_t queries = query[rank - 2], depth = query[rank - 1];
  const std::int64_t keys = call.input(1).shape[rank - 2], width = call.shape[rank - 1];
  const Json& given = call.attrs.at("scale");
  const double scale = given.is_null() ? 1 / std::sqrt(static_cast<double>(depth)) : given.to_number<double>();
  Tensor result = filled(call.shape);
  for (std::int64_t row = 0; row < element_count(query) / std::max<std::int64_t>(depth, 1); ++row) {
    const std::int64_t batch = row / queries;
    Shape at = position(row, Shape(query.begin(), query.end() - 1));
    at.push_back(0);
    std::vector<double> scores(to_index(keys));
    bool any = false;
    for (std::int64_t j = 0; j < keys; ++j) {
      double& score = scores[to_index(j)];
      for (std::int64_t d = 0; d < depth; ++d) {
        score += call.input(0).data[to_index(row * depth + d)] *
                 call.input(1).data[to_index((batch * keys + j) * depth + d)] * scale;
      }
      at.back() = j;
      const double mask = call.has(3) ? call.input(3).data[broadcast_index(at, call.input(3).shape)] : 0;
      const bool boolean = call.has(3) && call.dtypes.inputs[3] == Dtype::kBool;
      const bool dropped = (call.attrs.at("is_causal").get_bool() && j > row % queries) || (boolean && mask == 0);
      score = dropped ? -std::numeric_limits<double>::infinity() : score + (boolean ? 0 : mask);
      any = any || !std::isinf(score);
    }
    if (!any) continue;
    softmax_row(scores.data(), keys, 1);
    for (std::int64_t j = 0; j < keys; ++j) {
      for (std::int64_t c = 0; c < width; ++c) {
        result.data[to_index(row * width + c)] +=
            scores[to_index(j)] * call.input(2).data[to_index((batch * keys + j) * width + c)];
      }
    }
  }
  return result;
}

Tensor random_words(const Call& call) {
  Tensor result{call.shape, std::vector<double>(static_cast<std::size_t>(element_count(call.shape)))};
  const auto word = [&](std::size_t i) { return static_cast<std::uint64_t>(call.input(0).data[i]); };
  const auto stream = call.attrs.at("stream").to_number<std::uint32_t>();
  const std::string_view words = call.attrs.at("words").as_string();
  for (std::uint64_t e = 0; e < result.data.size(); ++e) {
    const std::uint64_t at = reference::word_of(words, e);
    result.data[e] = random_word(word(0) | word(1) << 32, word(2) | word(3) << 32, stream, at);
  }
  return result;
}

Outputs run_call(const Call& call) {
  if (call.op.elementwise()) return {elementwise(call)};
  if (call.op.view()) return {view(call)};
  const auto indexing = indexing_runs().find(call.op.name);
  if (indexing != indexing_runs().end()) return indexing->second(call);
  static const std::map<std::string, Tensor (*)(const Call&), std::less<>> kRuns = {
      {"sum", sum},
      {"mean", mean},
      {"matmul", matmul},
      {"softmax", softmax},
      {"quantized_matmul", quantized_matmul},
      {"quantized_embedding", embedding},
      {"dequantize", [](const Call& c) { return c.input(0); }},
      {"layer_norm", layer_norm<true>},
      {"log_softmax", log_softmax},
      {"rms_norm", layer_norm<false>},
      {"embedding", embedding},
      {"random_words", random_words},
      {"attention", attention},
  };
  if (const auto* named = std::get_if<TemplateForward>(&call.op.forward)) {
    if (const auto window = find_window_reference(named->name))
      return {window(call.op, call.attrs, call.inputs, call.shape)};
    if (auto made = matrix_reference(named->name, call.attrs, call.inputs, call.shape)) return {std::move(*made)};
  }
  const auto run = kRuns.find(call.op.name);
  if (run == kRuns.end()) throw std::runtime_error("no reference of " + call.op.name);
  return {run->second(call)};
}

Tensor decoded(const Constant& constant) {
  Tensor tensor{constant.shape, {}};
  const std::size_t size = dtype_bytes(constant.dtype);
  for (std::size_t at = 0; at < constant.data.size(); at += size) {
    const std::byte* from = constant.data.data() + at;
    switch (constant.dtype) {
      case Dtype::kF64: tensor.data.push_back(load_le<double>(from)); break;
      case Dtype::kF32: tensor.data.push_back(static_cast<double>(load_le<float>(from))); break;
      case Dtype::kI64: tensor.data.push_back(static_cast<double>(load_le<std::int64_t>(from))); break;
      case Dtype::kI32: tensor.data.push_back(load_le<std::int32_t>(from)); break;
      default: throw std::runtime_error("no reference of this constant");
    }
  }
  return tensor;
}

}  // namespace

ReferenceValues reference_run(const Graph& written, const ReferenceValues& inputs, const DimValues& dims,
                              const OpTable& ops) {
  const Graph graph = expand_composites(insert_casts(written, ops), ops).graph;
  const Analysis analysis = analyze_valid(graph, ops);
  ReferenceValues values = inputs;
  for (const auto& constant : graph.constants) values.emplace(constant.name, decoded(constant));
  for (const std::size_t index : analysis.typed.order) {
    const Node& node = graph.nodes[index];
    const OpSpec& op = ops.at(node.op);
    const OpDtypes& dtypes = analysis.dtypes[index];
    std::vector<Tensor> scalars(op.inputs.size());
    std::vector<const Tensor*> operands;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      if (i >= node.inputs.size() || node.inputs[i].empty()) {
        operands.push_back(nullptr);
      } else if (node.inputs[i].front().scalar) {
        scalars[i] = filled({}, node.inputs[i].front().scalar->number);
        operands.push_back(&scalars[i]);
      } else {
        operands.push_back(&values.at(node.inputs[i].front().text()));
      }
    }
    const JsonObject attrs = bind_attributes(op, complete_attributes(op, node.attrs), dims);
    const Outputs results =
        run_call({op, attrs, operands, dtypes, evaluate(analysis.typed.types.at(node.id).shape, dims)});
    for (std::size_t k = 0; k < results.size(); ++k) values[Ref{node.id, k, std::nullopt}.text()] = results[k];
  }
  ReferenceValues outputs;
  for (const auto& output : graph.outputs) outputs[output.name] = values.at(output.value.text());
  return outputs;
}

}  // namespace alknet::graph
