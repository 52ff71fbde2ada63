#include "alknet/graph/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/graph/error.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/json_reader.h"
#include "alknet/graph/shape_rule.h"

namespace alknet::graph {
namespace {

const ShapeRule* find_rule(std::string_view name) {
  for (const auto rules : {computing_shape_rules(), indexing_shape_rules(), view_shape_rules(), window_shape_rules(),
                           pool_shape_rules(), matrix_shape_rules()}) {
    for (const ShapeRule& rule : rules) {
      if (rule.name == name) return &rule;
    }
  }
  return nullptr;
}

/// Op tables only hold names of rules that exist.
const ShapeRule& rule_of(const OpSpec& op) {
  const ShapeRule* rule = find_rule(op.shape);
  if (rule == nullptr) {
    throw Error(GraphError::kOpTableInvalid, fmt::format("[{}] there is no shape rule \"{}\"", op.name, op.shape));
  }
  return *rule;
}

}  // namespace

const SymbolicShape& RuleCall::input(std::size_t index) const {
  if (!has(index)) {
    throw Error(GraphError::kMissingInput, fmt::format("[{}] the input \"{}\" is missing", op_.name,
                                                       index < op_.inputs.size() ? op_.inputs[index].name : "?"));
  }
  return *inputs_[index];
}

const Json& RuleCall::attribute(std::string_view parameter) const {
  const Json* value = attrs_.if_contains(parameter);
  if (value == nullptr) fail_attribute(parameter, "is missing");
  return *value;
}

std::int64_t RuleCall::integer(std::string_view parameter) const {
  const auto value = json_integer(attribute(parameter));
  if (!value) fail_attribute(parameter, "must be an integer");
  return *value;
}

bool RuleCall::boolean(std::string_view parameter) const {
  const Json& value = attribute(parameter);
  if (!value.is_bool()) fail_attribute(parameter, "must be true or false");
  return value.get_bool();
}

std::vector<std::int64_t> RuleCall::integers(std::string_view parameter) const {
  const Json& value = attribute(parameter);
  if (!value.is_array()) fail_attribute(parameter, "must be a list of integers");
  std::vector<std::int64_t> integers;
  for (const auto& item : value.get_array()) {
    const auto integer = json_integer(item);
    if (!integer) fail_attribute(parameter, "must be a list of integers");
    integers.push_back(*integer);
  }
  return integers;
}

SymbolicShape RuleCall::dims(std::string_view parameter) const {
  const Json& value = attribute(parameter);
  if (!value.is_array()) fail_attribute(parameter, "must be a list of dimensions");
  if (value.get_array().size() > kMaxRank) fail_attribute(parameter, fmt::format("has more than {} items", kMaxRank));
  SymbolicShape shape;
  for (const auto& item : value.get_array()) shape.push_back(dim_from_attribute(item));
  return shape;
}

std::size_t RuleCall::axis(std::string_view parameter, std::int64_t dim, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (dim < -signed_rank || dim >= signed_rank) {
    fail_attribute(parameter, rank == 0 ? fmt::format("is {}, but the rank is 0", dim)
                                        : fmt::format("is {}, outside {} .. {}", dim, -signed_rank, signed_rank - 1));
  }
  return static_cast<std::size_t>(dim < 0 ? dim + signed_rank : dim);
}

std::vector<std::size_t> RuleCall::axes(std::string_view parameter, std::size_t rank) const {
  std::vector<std::size_t> axes;
  for (const std::int64_t dim : integers(parameter)) {
    const std::size_t axis_of_dim = axis(parameter, dim, rank);
    if (std::find(axes.begin(), axes.end(), axis_of_dim) != axes.end()) {
      fail_attribute(parameter, fmt::format("names dimension {} twice", axis_of_dim));
    }
    axes.push_back(axis_of_dim);
  }
  return axes;
}

void RuleCall::fail_shape(std::string_view message) const {
  JsonArray shapes;
  for (const auto& shape : inputs_) shapes.push_back(shape ? Json(shape_text(*shape)) : Json(nullptr));
  throw Error(GraphError::kShapeMismatch, fmt::format("[{}] {}", op_.name, message),
              JsonObject{{"op", op_.name}, {"shapes", shapes}});
}

void RuleCall::fail_attribute(std::string_view parameter, std::string_view message) const {
  throw Error(GraphError::kBadAttribute, fmt::format("[{}] parameter \"{}\" {}", op_.name, parameter, message),
              JsonObject{{"op", op_.name}, {"parameter", parameter}});
}

SymbolicShape broadcast(const RuleCall& call, std::span<const Dim> a, std::span<const Dim> b) {
  if (a.size() < b.size()) std::swap(a, b);
  SymbolicShape result(a.begin(), a.end());
  const std::size_t offset = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    Dim& size = result[offset + i];
    if (size == Dim(1)) {
      size = b[i];
    } else if (b[i] != Dim(1) && b[i] != size) {
      call.fail_shape(fmt::format("shapes {} and {} do not broadcast: {} against {}",
                                  shape_text(SymbolicShape(a.begin(), a.end())),
                                  shape_text(SymbolicShape(b.begin(), b.end())), size.text(), b[i].text()));
    }
  }
  return result;
}

bool has_shape_rule(std::string_view name) { return find_rule(name) != nullptr; }

std::vector<SymbolicShape> infer_shapes(const OpSpec& op, std::span<const std::optional<SymbolicShape>> inputs,
                                        const JsonObject& attrs) {
  const RuleCall call(op, inputs, attrs);
  auto shapes = rule_of(op).infer(call);
  for (const auto& shape : shapes) {
    if (shape.size() > kMaxRank)
      call.fail_shape(fmt::format("the result has rank {}; at most {}", shape.size(), kMaxRank));
    Shape sizes;
    for (const Dim& dim : shape) {
      const auto size = dim.constant();
      if (size && *size < 0) call.fail_shape(fmt::format("the result would have the shape {}", shape_text(shape)));
      sizes.push_back(size.value_or(1));
    }
    element_count(sizes);
  }
  return shapes;
}

bool is_contiguous(const Strided& layout) {
  std::int64_t stride = 1;
  for (std::size_t i = layout.shape.size(); i-- > 0;) {
    if (layout.shape[i] == 0) return true;
    if (layout.shape[i] != 1 && layout.strides[i] != stride) return false;
    stride *= layout.shape[i];
  }
  return true;
}

std::optional<Strided> apply_view(const OpSpec& op, const Strided& input, const JsonObject& attrs,
                                  const Shape* expected) {
  const ShapeRule& rule = rule_of(op);
  const std::array<std::optional<SymbolicShape>, 1> shapes = {SymbolicShape(input.shape.begin(), input.shape.end())};
  const RuleCall call(op, shapes, attrs);
  if (rule.view == nullptr) {
    throw Error(BaseError::kInvalidArgument, fmt::format("[{}] is not a view", op.name));
  }
  // What -1 stands for cannot be found again when another size is 0, so a reshape takes the expected shape.
  if (expected != nullptr && rule.any_shape && element_count(*expected) == element_count(input.shape)) {
    return rule.view(call, input, *expected);
  }
  const Shape output = evaluate(infer_shapes(op, shapes, attrs).front(), {});
  if (expected != nullptr && output != *expected) {
    call.fail_shape(fmt::format("gives {} from {} with these sizes, but {} was planned", shape_text(output),
                                shape_text(input.shape), shape_text(*expected)));
  }
  return rule.view(call, input, output);
}

bool view_keeps_contiguous(const OpSpec& op) { return rule_of(op).keeps_contiguous; }

}  // namespace alknet::graph
