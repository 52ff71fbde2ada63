#include "alknet/compute/session_states.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/graph/initializer.h"
#include "alknet/graph/philox.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {
namespace {

/// Gives the dimensions of a state's shape the values that a tensor has.
void bind_lone_dims(const graph::State& state, const Tensor& tensor, graph::DimValues& dims) {
  if (state.shape.size() != tensor.shape().size()) return;
  for (std::size_t d = 0; d < state.shape.size(); ++d) {
    const auto names = state.shape[d].names();
    if (names.size() == 1 && state.shape[d] == graph::Dim::symbol(names.front())) {
      dims.try_emplace(names.front(), tensor.shape()[d]);
    }
  }
}

Shape state_shape(const graph::State& state, const graph::DimValues& dims) {
  try {
    return graph::evaluate(state.shape, dims);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("state {} {}: {}; give its dimensions when the session opens", state.name,
                            graph::shape_text(state.shape), error.message()),
                error.details());
  }
}

void check_device(const graph::State& state, const Tensor& tensor, const Backend& backend) {
  if (tensor.buffer()->backend().get() == &backend) return;
  throw Error(ComputeError::kContextMismatch,
              fmt::format("parameter {} is on {}, the plan is for {}: move it with to()", state.name,
                          tensor.buffer()->backend()->id(), backend.id()));
}

void check_type(const graph::State& state, const Tensor& tensor, const graph::DimValues& dims) {
  if (tensor.dtype() == state.dtype && state_shape(state, dims) == tensor.shape()) return;
  throw Error(
      ComputeError::kShapeMismatch,
      fmt::format("parameter {} is {} {}, the plan takes {} {}", state.name, graph::dtype_name(tensor.dtype()),
                  graph::shape_text(tensor.shape()), graph::dtype_name(state.dtype), graph::shape_text(state.shape)));
}

class Finder {
 public:
  Finder(const Plan& plan, Store& store, const SessionOptions& options)
      : graph_(plan.graph()), plan_(plan), store_(store), options_(options) {
    states_.dims = options.dims;
    states_.tensors.resize(graph_.states.size());
  }

  SessionStates run() && {
    std::vector<std::string_view> missing;
    // What the store has tells dimensions of what is to be made.
    for (std::size_t i = 0; i < graph_.states.size(); ++i) {
      const auto& state = graph_.states[i];
      if (state.scope != graph::StateScope::kStore) continue;
      states_.tensors[i] = store_.find(state.name);
      if (states_.tensors[i]) {
        bind_lone_dims(state, states_.tensors[i], states_.dims);
      } else if (state.init.is_null()) {
        missing.push_back(state.name);
      }
    }
    if (!missing.empty()) {
      throw Error(ComputeError::kMissingParameter,
                  fmt::format("the store lacks these parameters: {}", fmt::join(missing, ", ")));
    }
    for (std::size_t i = 0; i < graph_.states.size(); ++i) {
      if (!states_.tensors[i]) states_.tensors[i] = missing_state(i);
      check_type(graph_.states[i], states_.tensors[i], states_.dims);
      check_device(graph_.states[i], states_.tensors[i], *plan_.backend());
      prepare(i);
    }
    graph::check_dim_values(graph_, states_.dims);
    return std::move(states_);
  }

 private:
  Tensor missing_state(std::size_t index) {
    const graph::State& state = graph_.states[index];
    if (state.scope == graph::StateScope::kStore) {
      return store_.find_or_make(state.name, [&] { return made(index); });
    }
    const Tensor earlier = taken_over(state);
    return earlier ? earlier : made(index);
  }

  Tensor taken_over(const graph::State& state) const {
    if (!options_.previous) return {};
    const auto& declared = options_.previous->plan().graph().states;
    for (std::size_t i = 0; i < declared.size(); ++i) {
      const Tensor& tensor = options_.previous->state(i);
      const bool same = declared[i].scope == state.scope && declared[i].name == state.name &&
                        declared[i].dtype == state.dtype && tensor.shape() == state_shape(state, states_.dims);
      if (same) return tensor;
    }
    return {};
  }

  Tensor made(std::size_t index) const {
    const graph::State& state = graph_.states[index];
    const auto initializer = graph::Initializer::parse(state.init.is_null() ? Json("zeros") : state.init);
    Shape shape = state_shape(state, states_.dims);
    const auto bytes = graph::initial_elements(initializer, state.dtype, shape, store_.seed(),
                                               graph::initializer_stream(static_cast<std::uint32_t>(index)));
    return store_.context().from_bytes(state.dtype, std::move(shape), bytes, state.name);
  }

  /// Row-major and, where the plan assigns, writable.
  void prepare(std::size_t index) {
    const graph::State& state = graph_.states[index];
    Tensor& tensor = states_.tensors[index];
    const bool assigned = plan_.assigns(index);
    if (assigned && tensor.buffer()->memory()->read_only()) {
      throw Error(ComputeError::kReadOnly,
                  fmt::format("the plan assigns to {}, which is mapped from a file: open the session on "
                              "store.writable(), a copy",
                              state.name));
    }
    if (tensor.contiguous()) return;
    tensor = store_.context().contiguous(tensor);
    if (assigned && state.scope == graph::StateScope::kStore) store_.set(state.name, tensor);
  }

  const graph::Graph& graph_;
  const Plan& plan_;
  Store& store_;
  const SessionOptions& options_;
  SessionStates states_;
};

}  // namespace

SessionStates find_states(const Plan& plan, Store& store, const SessionOptions& options) {
  return Finder(plan, store, options).run();
}

}  // namespace alknet::compute
