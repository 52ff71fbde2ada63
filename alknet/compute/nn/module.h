#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/graph/graph.h"

// Modules: what `torch.nn` has, as builders of graphs. Each is a struct of options; calling it with a place in a model
// and inputs declares its parameters there and appends its nodes:
//
//   graph::GraphBuilder g;
//   nn::Module model(g, /*training=*/true);
//   auto h = nn::Linear{.in_features = 64, .out_features = 32}(model["hidden"], x);
//
// Names of parameters, shapes, initial values and formulas are PyTorch's unless a module says otherwise. Training and
// evaluation are two graphs on one Store: build the model twice, with and without `training`.
namespace alknet::compute::nn {

using graph::Dim;
using graph::Dtype;
using graph::Ref;

/// A place in a model: the builder, the name so far, and whether the graph is one that trains. Cheap to copy; the
/// builder must outlive it. One thread at a time.
class Module {
 public:
  explicit Module(graph::GraphBuilder& graph, bool training = false);

  /// The place "<name here>.<name>".
  Module operator[](std::string_view name) const;
  Module operator[](std::size_t index) const { return (*this)[std::to_string(index)]; }

  bool training() const { return training_; }
  const std::string& name() const { return name_; }
  graph::GraphBuilder& graph() const { return *graph_; }

  /// The trainable state "<name here>.<name>", f32. Asked for again it is the same: two calls of a module at one place
  /// share their parameters.
  Ref parameter(std::string_view name, const graph::Shape& shape, Json init) const;

  /// A state that no optimizer changes: running statistics.
  Ref buffer(std::string_view name, Dtype dtype, const graph::Shape& shape, Json init) const;

  /// The state of random nodes, `rng`, shared by the graph; steps of training raise its step.
  Ref rng() const;
  /// A stream for one random node of the model; 0 is left to others.
  std::uint32_t new_stream() const { return ++model_->streams; }

  /// Appends a node; its path is the name here.
  Ref node(std::string_view op, std::vector<graph::GraphBuilder::Operand> inputs, JsonObject attrs = {}) const;

 private:
  Ref declare(graph::State state) const;

  graph::GraphBuilder* graph_;
  bool training_;
  std::string name_;
  struct Model {
    std::map<std::string, Ref, std::less<>> states;  ///< Declared so far.
    std::uint32_t streams = 0;                       ///< Given out.
  };
  std::shared_ptr<Model> model_;  ///< Of all places.
};

/// One integer for each spatial dimension, or one for all.
struct Sizes {
  std::vector<std::int64_t> values;
  Sizes(std::int64_t all) : values{all} {}  // NOLINT(google-explicit-constructor): 3 means 3 in each dimension
  Sizes(std::initializer_list<std::int64_t> list) : values(list) {}

  std::int64_t at(std::size_t dim) const { return values.size() == 1 ? values[0] : values.at(dim); }
  /// As an attribute of `dims` integers. Throws Error `invalid_argument` when there are neither one nor so many.
  JsonArray attribute(std::size_t dims) const;
};

// Initial values: the `init` of states.
Json uniform(double low, double high);
Json normal(double mean, double std);
/// torch's kaiming_uniform_(a = sqrt(5)), the default of linear and convolution weights and their biases: within
/// 1 / sqrt(fan_in).
Json kaiming_uniform(std::int64_t fan_in);
/// Within sqrt(6 / (fan_in + fan_out)).
Json xavier_uniform(std::int64_t fan_in, std::int64_t fan_out);

}  // namespace alknet::compute::nn
