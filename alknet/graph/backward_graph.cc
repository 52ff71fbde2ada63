#include "alknet/graph/backward_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "alknet/graph/error.h"
#include "alknet/graph/json_reader.h"
#include "alknet/graph/lower_program.h"
#include "alknet/graph/op_program.h"

namespace alknet::graph {
namespace {

Ref scalar(double value) { return {{}, 0, Scalar::of(value)}; }

Dtype dtype_of(const NodeWriter& writer, const Ref& ref) {
  return ref.scalar ? scalar_dtype(ref.scalar->kind) : writer.type(ref).dtype;
}

/// The shape of a reduction's input with the reduced sizes as 1, and those sizes.
struct Reduced {
  SymbolicShape kept, sizes;
};

Reduced reduced(const BackwardCall& call, const SymbolicShape& input) {
  const Json& dim = call.attrs.at("dim");
  std::vector<bool> named(input.size(), dim.is_null() || dim.get_array().empty());
  if (!dim.is_null()) {
    for (const Json& item : dim.get_array()) {
      const auto axis = item.to_number<std::int64_t>();
      named[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(input) : axis)] = true;
    }
  }
  Reduced result{input, {}};
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (!named[i]) continue;
    result.kept[i] = 1;
    result.sizes.push_back(input[i]);
  }
  return result;
}

/// Writes the nodes of one case.
class CaseWriter {
 public:
  CaseWriter(NodeWriter& writer, const BackwardCall& call) : writer_(writer), call_(call) {
    for (std::size_t i = 0; i < call.op.inputs.size(); ++i) values_[call.op.inputs[i].name] = call.inputs[i];
    for (std::size_t k = 0; k < call.op.outputs.size(); ++k) {
      values_[call.op.outputs[k].name] = call.outputs[k];
      values_["grad_" + call.op.outputs[k].name] = call.grad_outputs[k];
    }
  }

  bool applies(const BackwardCase& each) const {
    const auto given = [&](const std::string& name) { return !values_.find(name)->second.absent(); };
    for (const auto& [name, rank] : each.ranks) {
      if (!given(name) || type(name).shape.size() != rank) return false;
    }
    for (const auto& [name, present] : each.present) {
      if (given(name) != present) return false;
    }
    for (const auto& [name, dtype] : each.dtypes) {
      if (!given(name) || type(name).dtype != dtype) return false;
    }
    return std::all_of(each.attrs.begin(), each.attrs.end(), [&](const auto& attr) {
      const Json* value = call_.attrs.if_contains(attr.key());
      return value != nullptr && *value == attr.value();
    });
  }

  /// The reference `wanted`, after the nodes that it needs.
  Ref write(const BackwardCase& each, const std::string& wanted) {
    for (const std::size_t index : needed(each, wanted)) {
      const auto& node = each.nodes[index];
      values_[node.id] = write_node(node);
    }
    return read(wanted);
  }

 private:
  const ValueType& type(const std::string& name) const { return writer_.type(values_.find(name)->second); }

  static void names_in(const Json& value, std::vector<std::string>& names) {
    if (value.is_string()) names.emplace_back(value.get_string());
    if (!value.is_object()) return;
    for (const char* member : {"ref", "otherwise"}) {
      if (const Json* inner = value.get_object().if_contains(member)) names_in(*inner, names);
    }
  }

  /// Nodes behind `wanted`, in order.
  static std::vector<std::size_t> needed(const BackwardCase& each, const std::string& wanted) {
    std::vector<std::string> names = {wanted};
    std::vector<std::size_t> order;
    for (std::size_t i = each.nodes.size(); i-- > 0;) {
      const auto& node = each.nodes[i];
      if (std::find(names.begin(), names.end(), node.id) == names.end()) continue;
      order.push_back(i);
      for (const Json& operand : node.inputs) names_in(operand, names);
    }
    std::reverse(order.begin(), order.end());
    return order;
  }

  /// A forward value is read where it is kept; gradients and nodes as they are.
  Ref read(const std::string& name) const {
    const Ref& ref = values_.find(name)->second;
    if (ref.absent() || ref.scalar) return ref;
    const bool forward =
        call_.op.input(name) != nullptr || std::any_of(call_.op.outputs.begin(), call_.op.outputs.end(),
                                                       [&](const OpOutput& output) { return output.name == name; });
    return forward ? call_.value(ref) : ref;
  }

  Ref operand(const Json& json) const {
    if (json.is_number()) return scalar(json.to_number<double>());
    if (json.is_string()) {
      const std::string name(json.get_string());
      if (name == "inf") return scalar(std::numeric_limits<double>::infinity());
      if (name == "-inf") return scalar(-std::numeric_limits<double>::infinity());
      if (name == "nan") return scalar(std::numeric_limits<double>::quiet_NaN());
      return read(name);
    }
    const JsonObject& object = json.get_object();
    const Json* otherwise = object.if_contains("otherwise");
    Ref result;
    if (const Json* parameter = object.if_contains("attr")) {
      const Json& value = call_.attrs.at(parameter->get_string());
      if (!value.is_null()) result = scalar(value.to_number<double>());
    } else {
      result = read(std::string(object.at("ref").get_string()));
    }
    return result.absent() && otherwise != nullptr ? operand(*otherwise) : result;
  }

  Json attribute(const Json& json) const {
    if (!json.is_object()) return json;
    const auto& [kind, value] = *json.get_object().begin();
    if (kind == "sizes") {
      return total_size(value.get_array(), call_.attrs.at(json.get_object().at("dim").get_string()));
    }
    const std::string name(value.get_string());
    if (kind == "shape") return dim_attribute(type(name).shape);
    if (kind == "size") {
      const auto& shape = type(name).shape;
      const auto dim = json.get_object().at("dim").to_number<std::int64_t>();
      return dim_attribute(shape[static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim)]);
    }
    if (kind == "dtype") return Json(dtype_name(type(name).dtype));
    const Json& parameter = call_.attrs.at(name);
    if (kind == "negate") return negated(parameter.get_array());
    if (kind == "list") return JsonArray{parameter};
    if (kind == "inverse") return inverse(parameter.get_array());
    if (kind == "last") return last(parameter.get_array().size());
    return parameter;
  }

  Json total_size(const JsonArray& inputs, const Json& dim) const {
    Dim total = 0;
    for (const Json& input : inputs) {
      const Ref& ref = values_.find(std::string(input.get_string()))->second;
      if (ref.absent()) continue;
      const auto& shape = writer_.type(ref).shape;
      const auto axis = dim.to_number<std::int64_t>();
      total = total + shape[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape) : axis)];
    }
    return dim_attribute(total);
  }

  static JsonArray negated(const JsonArray& dims) {
    JsonArray result;
    for (const Json& dim : dims) result.push_back(dim_attribute(Dim(0) - dim_from_attribute(dim)));
    return result;
  }

  static JsonArray inverse(const JsonArray& permutation) {
    const std::int64_t rank = std::ssize(permutation);
    JsonArray result(permutation.size());
    for (std::int64_t i = 0; i < rank; ++i) {
      const auto dim = permutation[static_cast<std::size_t>(i)].to_number<std::int64_t>();
      result[static_cast<std::size_t>(dim < 0 ? dim + rank : dim)] = i;
    }
    return result;
  }

  static JsonArray last(std::size_t count) {
    JsonArray result;
    for (std::int64_t i = -static_cast<std::int64_t>(count); i < 0; ++i) result.push_back(i);
    return result;
  }

  Ref write_node(const BackwardCase::Node& node) {
    JsonObject attrs;
    for (const auto& [name, value] : node.attrs) attrs[name] = attribute(value);
    if (node.op == "sum_to") {
      return writer_.sum_to(operand(node.inputs[0]), type(std::string(node.inputs[1].get_string())).shape);
    }
    if (node.op == "keep_dims") {
      const auto& input = type(std::string(node.inputs[1].get_string())).shape;
      return writer_.reshape(operand(node.inputs[0]), reduced(call_, input).kept);
    }
    if (node.op == "count") return count(operand(node.inputs[0]), attrs.at("dim").to_number<std::int64_t>());
    if (node.op == "causal_mask") return causal_mask(operand(node.inputs[0]), operand(node.inputs[1]));
    std::vector<Ref> inputs;
    for (const Json& input : node.inputs) inputs.push_back(operand(input));
    return writer_.node(node.op, inputs, std::move(attrs));
  }

  Ref count(const Ref& value, std::int64_t dim) {
    const auto& [dtype, shape] = writer_.type(value);
    return writer_.count({shape[static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim)]}, dtype);
  }

  Ref causal_mask(const Ref& query, const Ref& key) {
    const auto rows = [](const SymbolicShape& shape) { return shape[shape.size() - 2]; };
    const Ref queries = writer_.positions(rows(writer_.type(query).shape));
    const Ref keys = writer_.positions(rows(writer_.type(key).shape));
    return writer_.node("le", {keys, writer_.node("unsqueeze", {queries}, {{"dim", 1}})});
  }

  NodeWriter& writer_;
  const BackwardCall& call_;
  std::map<std::string, Ref, std::less<>> values_;
};

std::optional<Ref> write_expression(NodeWriter& writer, const BackwardCall& call, std::size_t input) {
  std::vector<Dtype> inputs, outputs;
  for (const Ref& ref : call.inputs) inputs.push_back(dtype_of(writer, ref));
  for (const Ref& ref : call.outputs) outputs.push_back(writer.type(ref).dtype);
  // Weak scalars have the dtype that the call computes in.
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (call.inputs[i].scalar && call.op.inputs[i].promotes) inputs[i] = inputs[input];
  }
  const auto program = gradient_program(call.op, call.attrs, inputs, outputs, input);
  if (!program) return std::nullopt;
  const ValueType target = writer.type(call.inputs[input]);
  const bool reduces = std::holds_alternative<ReductionForward>(call.op.forward);
  Reduced sizes;
  if (reduces) sizes = reduced(call, target.shape);
  const auto kept = [&](const Ref& ref) { return reduces ? writer.reshape(ref, sizes.kept) : ref; };
  const auto read = [&](std::size_t index) -> Ref {
    if (index < call.inputs.size()) {
      return call.inputs[index].scalar ? call.inputs[index] : call.value(call.inputs[index]);
    }
    index -= call.inputs.size() + scalar_parameters(call.op).size();
    if (index < call.outputs.size()) return kept(call.value(call.outputs[index]));
    index -= call.outputs.size();
    if (index == call.outputs.size()) return writer.count(sizes.sizes, target.dtype);
    // A count that is a value is f32, which may be more than f16 holds.
    const bool widen = reduces && !element_count(sizes.sizes).constant();
    const Ref& gradient = call.grad_outputs[index];
    return kept(widen ? writer.cast(gradient, compute_dtype(target.dtype)) : gradient);
  };
  return writer.sum_to(writer.cast(lower_program(writer, *program, read), target.dtype), target.shape);
}

}  // namespace

std::optional<Ref> write_backward(NodeWriter& writer, const BackwardCall& call, std::size_t input) {
  const OpSpec& op = call.op;
  const std::string& name = op.inputs[input].name;
  if (op.elementwise() || op.backward.expressions.contains(name)) return write_expression(writer, call, input);
  CaseWriter cases(writer, call);
  for (const auto& each : op.backward.cases) {
    if (!cases.applies(each)) continue;
    const auto gradient = each.gradients.find(name);
    if (gradient == each.gradients.end()) break;
    const Ref result = cases.write(each, gradient->second);
    return writer.sum_to(writer.cast(result, writer.type(call.inputs[input]).dtype),
                         writer.type(call.inputs[input]).shape);
  }
  throw Error(GraphError::kNotDifferentiable,
              fmt::format("[{}] has no gradient with respect to \"{}\"; mark the node no_grad, or give the operation a "
                          "`backward`",
                          op.name, name),
              JsonObject{{"op", op.name}});
}

}  // namespace alknet::graph
