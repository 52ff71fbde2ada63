#include "alknet/compute/nn/module.h"

#include <fmt/format.h>

#include <cmath>

#include "alknet/base/error.h"

namespace alknet::compute::nn {

Module::Module(graph::GraphBuilder& graph, bool training)
    : graph_(&graph), training_(training), model_(std::make_shared<Model>()) {}

Module Module::operator[](std::string_view name) const {
  Module child = *this;
  child.name_ = name_.empty() ? std::string(name) : fmt::format("{}.{}", name_, name);
  return child;
}

Ref Module::declare(graph::State state) const {
  const auto [place, added] = model_->states.try_emplace(state.name);
  if (added) place->second = graph_->state(std::move(state));
  return place->second;
}

Ref Module::parameter(std::string_view name, const graph::Shape& shape, Json init) const {
  return declare({.name = (*this)[name].name_,
                  .dtype = Dtype::kF32,
                  .shape = graph::SymbolicShape(shape.begin(), shape.end()),
                  .trainable = true,
                  .init = std::move(init)});
}

Ref Module::buffer(std::string_view name, Dtype dtype, const graph::Shape& shape, Json init) const {
  return declare({.name = (*this)[name].name_,
                  .dtype = dtype,
                  .shape = graph::SymbolicShape(shape.begin(), shape.end()),
                  .init = std::move(init)});
}

Ref Module::rng() const { return declare({.name = "rng", .dtype = Dtype::kU32, .shape = {4}, .init = "rng"}); }

Ref Module::node(std::string_view op, std::vector<graph::GraphBuilder::Operand> inputs, JsonObject attrs) const {
  if (name_.empty()) return graph_->node(op, std::move(inputs), std::move(attrs));
  const auto scope = graph_->scope(name_);
  return graph_->node(op, std::move(inputs), std::move(attrs));
}

JsonArray Sizes::attribute(std::size_t dims) const {
  if (values.size() != 1 && values.size() != dims) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("{} sizes for {} spatial dimensions: give one, or one for each", values.size(), dims));
  }
  JsonArray array;
  for (std::size_t d = 0; d < dims; ++d) array.push_back(at(d));
  return array;
}

Json uniform(double low, double high) { return JsonObject{{"name", "uniform"}, {"low", low}, {"high", high}}; }
Json normal(double mean, double std) { return JsonObject{{"name", "normal"}, {"mean", mean}, {"std", std}}; }

Json kaiming_uniform(std::int64_t fan_in) {
  if (fan_in == 0) return 0.0;
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  return uniform(-bound, bound);
}

Json xavier_uniform(std::int64_t fan_in, std::int64_t fan_out) {
  const double bound = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  return uniform(-bound, bound);
}

}  // namespace alknet::compute::nn
