#include "alknet/graph/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alknet/graph/error.h"
#include "alknet/graph/json_reader.h"

namespace alknet::graph {

std::string Ref::text() const { return output == 0 ? name : fmt::format("{}:{}", name, output); }

Ref Ref::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {std::string(text), 0, std::nullopt};
  const std::string_view digits = text.substr(colon + 1);
  std::uint32_t output = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), output);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    throw Error(GraphError::kIllegalName,
                fmt::format("\"{}\" is not a reference; write name, id or id:k", text.substr(0, 80)));
  }
  return {std::string(text.substr(0, colon)), output, std::nullopt};
}

bool is_size_input(const GraphInput& input) {
  return input.shape.empty() && dtype_class(input.dtype) == DtypeClass::kInteger;
}

GraphBuilder::GraphBuilder(const OpTable& ops) : ops_(&ops) {}

Ref GraphBuilder::input(std::string name, Dtype dtype, SymbolicShape shape) {
  names_.insert(name);
  graph_.inputs.push_back({name, dtype, std::move(shape)});
  return {std::move(name), 0, std::nullopt};
}

Ref GraphBuilder::state(State state) {
  names_.insert(state.name);
  graph_.states.push_back(std::move(state));
  return {graph_.states.back().name, 0, std::nullopt};
}

Ref GraphBuilder::state(std::string name, Dtype dtype, SymbolicShape shape, StateScope scope) {
  State added;
  added.name = std::move(name);
  added.dtype = dtype;
  added.shape = std::move(shape);
  added.scope = scope;
  return state(std::move(added));
}

Ref GraphBuilder::constant(std::string name, Dtype dtype, Shape shape, SharedBytes data) {
  names_.insert(name);
  graph_.constants.push_back({name, dtype, std::move(shape), std::move(data)});
  return {std::move(name), 0, std::nullopt};
}

void GraphBuilder::dim(std::string name, std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
  graph_.dims.push_back({std::move(name), min, max});
}

Ref GraphBuilder::node(std::string_view op, std::vector<Operand> inputs, JsonObject attrs) {
  Node node;
  do {
    node.id = fmt::format("{}_{}", op, next_id_++);
  } while (!names_.insert(node.id).second);
  node.op = op;
  for (auto& operand : inputs) {
    // An operand made of an absent Ref is as absent as one made of nothing.
    if (operand.refs.size() == 1 && operand.refs[0].absent()) operand.refs.clear();
    node.inputs.push_back(std::move(operand.refs));
  }
  if (const OpSpec* spec = ops_->find(op)) node.inputs.resize(std::max(node.inputs.size(), spec->inputs.size()));
  node.attrs = std::move(attrs);
  node.path = path_;
  graph_.nodes.push_back(std::move(node));
  return {graph_.nodes.back().id, 0, std::nullopt};
}

void GraphBuilder::output(std::string name, Ref value) {
  graph_.outputs.push_back({std::move(name), std::move(value)});
}

GraphBuilder::PathScope GraphBuilder::scope(std::string name) { return PathScope(*this, name); }

Graph GraphBuilder::build() && { return std::move(graph_); }

GraphBuilder::PathScope::PathScope(GraphBuilder& builder, std::string_view name)
    : builder_(builder), length_(builder.path_.size()) {
  if (!builder_.path_.empty()) builder_.path_ += '.';
  builder_.path_ += name;
}

GraphBuilder::PathScope::~PathScope() { builder_.path_.resize(length_); }

Json dim_attribute(const Dim& dim) {
  if (const auto integer = dim.constant()) return *integer;
  return Json(dim.text());
}

JsonArray dim_attribute(const SymbolicShape& shape) {
  JsonArray array;
  for (const Dim& dim : shape) array.push_back(dim_attribute(dim));
  return array;
}

Dim dim_from_attribute(const Json& value) {
  if (const auto integer = json_integer(value)) return *integer;
  if (value.is_string()) return Dim::parse(value.get_string());
  throw Error(GraphError::kDimInvalid,
              fmt::format("{} is not a dimension: write an integer or an expression", json_text(value)));
}

}  // namespace alknet::graph
