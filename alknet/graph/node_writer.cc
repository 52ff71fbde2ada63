#include "alknet/graph/node_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/hash.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/composite.h"
#include "alknet/graph/error.h"
#include "alknet/graph/op_program.h"

namespace alknet::graph {
namespace {

/// Composites that stand for composites, and so on.
constexpr std::size_t kMaxDepth = 16;

std::string scalar_text(const Scalar& scalar) {
  return fmt::format("#{}:{}:{:x}", static_cast<int>(scalar.kind), scalar.integer,
                     std::bit_cast<std::uint64_t>(scalar.number));
}

bool all_scalars(const std::vector<Ref>& refs) {
  return !refs.empty() && std::all_of(refs.begin(), refs.end(), [](const Ref& ref) { return ref.scalar.has_value(); });
}

/// An element-wise operation on scalars, in double.
Ref folded(const OpSpec& op, const std::vector<Ref>& inputs, const JsonObject& attrs) {
  const std::vector<Dtype> dtypes(inputs.size(), Dtype::kF64);
  const auto program = elementwise_program(op, attrs, dtypes, std::array{Dtype::kF64});
  std::vector<double> values;
  for (const Ref& ref : inputs) values.push_back(ref.scalar->number);
  for (const auto& name : scalar_parameters(op)) values.push_back(attrs.at(name).to_number<double>());
  return {{}, 0, Scalar::of(expr::evaluate(program, values).front())};
}

template <typename T>
SharedBytes bytes_of(const std::vector<T>& values) {
  return SharedBytes::copy(std::as_bytes(std::span(values)));
}

}  // namespace

NodeWriter::NodeWriter(Graph& graph, const OpTable& ops, Types types)
    : graph_(graph), ops_(ops), names_(graph), types_(std::move(types)) {
  for (const Node& node : graph.nodes) {
    const OpSpec& op = ops.at(node.op);
    // A gradient through a shared node must not stop there, nor keep what is to be recomputed.
    if (node.no_grad || node.checkpoint || op.kind == OpKind::kRandom) continue;
    known_.try_emplace(key(op, node.inputs, complete_attributes(op, node.attrs)), node.id);
  }
}

std::string NodeWriter::key(const OpSpec& op, const std::vector<std::vector<Ref>>& inputs, const JsonObject& attrs) {
  std::string text = op.name;
  for (const auto& refs : inputs) {
    text += '(';
    for (const Ref& ref : refs) text += (ref.scalar ? scalar_text(*ref.scalar) : ref.text()) + '\n';
  }
  while (!text.empty() && text.back() == '(') text.pop_back();
  return text + json_text(attrs);
}

std::vector<Ref> NodeWriter::add(const OpSpec& op, Node node) {
  const std::string id = node.id;
  const auto typed = type_call(op, node, types_, ops_);
  for (std::size_t k = 0; typed && k < typed->outputs.size(); ++k) {
    types_.try_emplace(Ref{id, k, std::nullopt}.text(), typed->outputs[k]);
  }
  graph_.nodes.push_back(std::move(node));
  return outputs(op, id);
}

std::vector<Ref> NodeWriter::outputs(const OpSpec& op, const std::string& id) const {
  std::vector<Ref> refs;
  for (std::size_t k = 0; k < op.outputs.size(); ++k) refs.push_back({id, k, std::nullopt});
  return refs;
}

std::vector<Ref> NodeWriter::call(std::string_view name, std::vector<std::vector<Ref>> inputs, JsonObject attrs) {
  const OpSpec& op = ops_.at(name);
  const JsonObject complete = complete_attributes(op, attrs);
  inputs.resize(op.inputs.size());
  std::vector<Ref> first;
  for (auto& refs : inputs) {
    if (refs.size() == 1 && refs.front().absent()) refs.clear();
    first.push_back(refs.empty() ? Ref{} : refs.front());
  }
  if (op.elementwise() && all_scalars(first)) return {folded(op, first, complete)};
  Node node;
  node.op = op.name;
  node.inputs = inputs;
  node.attrs = attrs;
  const auto dtypes = call_dtypes(op, node, types_);
  for (std::size_t i = 0; dtypes && i < inputs.size(); ++i) {
    for (Ref& ref : node.inputs[i]) ref = cast(ref, *dtypes->inputs[i]);
  }
  if (op.composite()) {
    if (++depth_ > kMaxDepth) {
      throw Error(GraphError::kOpTableInvalid, fmt::format("[{}] stands for itself", op.name),
                  JsonObject{{"op", op.name}});
    }
    auto results = write_composite(*this, {op, complete, node.inputs});
    --depth_;
    return results;
  }
  if (op.name == "mul" && inputs[1].front().scalar && inputs[1].front().scalar->number == 1) return {node.inputs[0]};
  std::string identity = key(op, node.inputs, complete);
  if (op.kind == OpKind::kRandom) identity += names_.unique("random");
  const auto [place, added] = known_.try_emplace(std::move(identity));
  if (!added) return outputs(op, place->second);
  place->second = names_.unique(origin_.prefix + op.name);
  node.id = place->second;
  node.path = origin_.path;
  node.source = origin_.source;
  node.no_grad = origin_.no_grad;
  node.checkpoint = origin_.checkpoint;
  return add(op, std::move(node));
}

Ref NodeWriter::node(std::string_view name, const std::vector<Ref>& inputs, JsonObject attrs) {
  std::vector<std::vector<Ref>> lists;
  for (const Ref& ref : inputs) lists.push_back({ref});
  return call(name, std::move(lists), std::move(attrs)).front();
}

std::string NodeWriter::copy(const Node& original, std::vector<std::vector<Ref>> inputs) {
  Node node = original;
  node.id = names_.unique(original.id + ".again");
  node.inputs = std::move(inputs);
  node.checkpoint = false;
  std::string id = node.id;
  add(ops_.at(original.op), std::move(node));
  return id;
}

Ref NodeWriter::cast(const Ref& ref, Dtype dtype) {
  if (ref.absent() || ref.scalar || type(ref).dtype == dtype) return ref;
  return node("cast", {ref}, {{"dtype", dtype_name(dtype)}});
}

Ref NodeWriter::reshape(const Ref& ref, const SymbolicShape& shape) {
  if (type(ref).shape == shape) return ref;
  return node("reshape", {ref}, {{"shape", dim_attribute(shape)}});
}

Ref NodeWriter::expand(const Ref& ref, const SymbolicShape& shape) {
  if (type(ref).shape == shape) return ref;
  return node("expand", {ref}, {{"size", dim_attribute(shape)}});
}

Ref NodeWriter::sum_to(const Ref& ref, const SymbolicShape& shape) {
  const SymbolicShape from = type(ref).shape;
  if (from == shape) return ref;
  JsonArray dims;
  const std::size_t added = from.size() - std::min(from.size(), shape.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i < added || (shape[shape.size() - from.size() + i] == Dim(1) && from[i] != Dim(1))) {
      dims.push_back(static_cast<std::int64_t>(i));
    }
  }
  Ref result = ref;
  if (!dims.empty()) result = node("sum", {result}, {{"dim", dims}, {"keepdim", true}});
  SymbolicShape summed = type(result).shape;
  summed.erase(summed.begin(), summed.begin() + static_cast<std::ptrdiff_t>(added));
  return expand(reshape(result, summed), shape);
}

Ref NodeWriter::constant(std::string_view name, Dtype dtype, Shape shape, SharedBytes data) {
  const auto known = constants_.find(name);
  if (known != constants_.end()) return known->second;
  const Ref ref{names_.unique(name), 0, std::nullopt};
  types_.try_emplace(ref.name, ValueType{dtype, SymbolicShape(shape.begin(), shape.end())});
  graph_.constants.push_back({ref.name, dtype, std::move(shape), std::move(data)});
  constants_.emplace(name, ref);
  return ref;
}

Ref NodeWriter::number(double value, Dtype dtype) {
  if (dtype == Dtype::kF64) {
    return constant(fmt::format("grad.number.f64.{}", value), dtype, {}, bytes_of(std::vector<double>{value}));
  }
  const auto narrow = static_cast<float>(value);
  return cast(constant(fmt::format("grad.number.{}", narrow), Dtype::kF32, {}, bytes_of(std::vector<float>{narrow})),
              dtype);
}

Ref NodeWriter::vector(const std::vector<double>& values, Dtype dtype) {
  const std::vector<float> narrow(values.begin(), values.end());
  SharedBytes data = dtype == Dtype::kF64 ? bytes_of(values) : bytes_of(narrow);
  const Shape shape = {std::ssize(values)};
  return constant(fmt::format("vector.{}.{}", dtype_name(dtype), xxh3_128_hex(data.span())), dtype, shape,
                  std::move(data));
}

Ref NodeWriter::zeros(const ValueType& type) { return expand(number(0, type.dtype), type.shape); }
Ref NodeWriter::ones(const ValueType& type) { return expand(number(1, type.dtype), type.shape); }

Ref NodeWriter::count(const SymbolicShape& sizes, Dtype dtype) {
  if (const auto known = element_count(sizes).constant()) {
    return {{}, 0, Scalar::of(static_cast<double>(*known))};
  }
  // No operation gives a size as a value, but a sum over that many ones does.
  const Dtype wide = dtype == Dtype::kF64 ? Dtype::kF64 : Dtype::kF32;
  return node("sum", {expand(number(1, wide), sizes)});
}

Ref NodeWriter::positions(const Dim& size) {
  return node("arange", {}, {{"end", dim_attribute(size)}, {"dtype", dtype_name(Dtype::kI32)}});
}

}  // namespace alknet::graph
