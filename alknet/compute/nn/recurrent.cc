#include "alknet/compute/nn/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "alknet/base/error.h"

namespace alknet::compute::nn {
namespace {

using graph::Scalar;

/// The parameters of one layer, and the products that they take part in.
class RecurrentLayer {
 public:
  /// `suffix`: behind the names of its parameters.
  RecurrentLayer(const Module& at, const std::string& suffix, std::int64_t input_size, std::int64_t hidden_size,
                 std::int64_t gates, bool bias)
      : at_(at), hidden_size_(hidden_size) {
    const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
    const auto parameter = [&](const std::string& name, const graph::Shape& shape) {
      return at.parameter(name + suffix, shape, uniform(-bound, bound));
    };
    weight_ih_ = parameter("weight_ih", {gates * hidden_size, input_size});
    weight_hh_ = parameter("weight_hh", {gates * hidden_size, hidden_size});
    if (!bias) return;
    bias_ih_ = parameter("bias_ih", {gates * hidden_size});
    bias_hh_ = parameter("bias_hh", {gates * hidden_size});
  }

  /// All steps at once.
  Ref from_input(const Ref& x) const { return affine(x, weight_ih_, bias_ih_); }

  /// Nothing when `hidden` is (zeros) and there is no bias.
  Ref from_hidden(const Ref& hidden) const { return hidden.absent() ? bias_hh_ : affine(hidden, weight_hh_, bias_hh_); }

  /// The part of the last dimension that belongs to a gate; nothing of nothing.
  Ref gate(const Ref& all, std::int64_t index) const {
    if (all.absent()) return all;
    return at_.node("slice", {all},
                    {{"dim", -1}, {"start", index * hidden_size_}, {"end", (index + 1) * hidden_size_}});
  }

  Ref step(const Ref& all, std::int64_t index) const {
    return at_.node("select", {all}, {{"dim", 1}, {"index", index}});
  }

  Ref add(const Ref& a, const Ref& b) const { return b.absent() ? a : at_.node("add", {a, b}); }
  Ref mul(const Ref& a, const Ref& b) const { return at_.node("mul", {a, b}); }
  Ref sigmoid(const Ref& a) const { return at_.node("sigmoid", {a}); }
  Ref tanh(const Ref& a) const { return at_.node("tanh", {a}); }
  const Module& at() const { return at_; }

 private:
  Ref affine(const Ref& x, const Ref& weight, const Ref& bias) const {
    const Ref transposed = at_.node("transpose", {weight}, {{"dim0", 0}, {"dim1", 1}});
    return add(at_.node("matmul", {x, transposed}), bias);
  }

  const Module& at_;
  std::int64_t hidden_size_;
  Ref weight_ih_, weight_hh_, bias_ih_, bias_hh_;
};

struct CellState {
  Ref hidden, cell;
};

CellState lstm_step(const RecurrentLayer& layer, const Ref& input, const CellState& old) {
  const Ref gates = layer.add(input, layer.from_hidden(old.hidden));
  const Ref taken = layer.mul(layer.sigmoid(layer.gate(gates, 0)), layer.tanh(layer.gate(gates, 2)));
  CellState next;
  next.cell = old.cell.absent() ? taken : layer.add(layer.mul(layer.sigmoid(layer.gate(gates, 1)), old.cell), taken);
  next.hidden = layer.mul(layer.sigmoid(layer.gate(gates, 3)), layer.tanh(next.cell));
  return next;
}

CellState gru_step(const RecurrentLayer& layer, const Ref& input, const CellState& old) {
  const Ref recurrent = layer.from_hidden(old.hidden);
  const auto both = [&](std::int64_t gate) { return layer.add(layer.gate(input, gate), layer.gate(recurrent, gate)); };
  const Ref reset = layer.sigmoid(both(0));
  const Ref update = layer.sigmoid(both(1));
  Ref candidate = layer.gate(input, 2);
  if (!recurrent.absent()) candidate = layer.add(candidate, layer.mul(reset, layer.gate(recurrent, 2)));
  candidate = layer.tanh(candidate);
  // (1 - z) n + z h
  const Ref kept = layer.mul(layer.at().node("sub", {Scalar::of(1.0), update}), candidate);
  return {old.hidden.absent() ? kept : layer.add(kept, layer.mul(update, old.hidden)), {}};
}

/// One layer from the first step to the last, or the other way; returns what it gives at each step.
template <typename Step>
Ref run_layer(const RecurrentLayer& layer, const Ref& x, std::int64_t length, bool reverse, const Step& step,
              Recurrence& result) {
  const Ref inputs = layer.from_input(x);
  CellState state;
  std::vector<Ref> outputs;
  for (std::int64_t t = 0; t < length; ++t) {
    state = step(layer, layer.step(inputs, reverse ? length - 1 - t : t), state);
    outputs.push_back(state.hidden);
  }
  result.hidden.push_back(state.hidden);
  if (!state.cell.absent()) result.cell.push_back(state.cell);
  if (reverse) std::reverse(outputs.begin(), outputs.end());
  return layer.at().node("stack", {outputs}, {{"dim", 1}});
}

template <typename Options, typename Step>
Recurrence run_layers(const Options& options, const Module& at, const Ref& x, std::int64_t gates, const Step& step) {
  if (options.length < 1 || options.num_layers < 1) {
    throw Error(BaseError::kInvalidArgument, fmt::format("{}: {} layers over {} steps: at least 1 of each", at.name(),
                                                         options.num_layers, options.length));
  }
  Recurrence result{.output = x, .hidden = {}, .cell = {}};
  std::int64_t input_size = options.input_size;
  for (std::int64_t index = 0; index < options.num_layers; ++index) {
    std::vector<Ref> directions;
    for (const bool reverse : {false, true}) {
      if (reverse && !options.bidirectional) continue;
      const RecurrentLayer layer(at, fmt::format("_l{}{}", index, reverse ? "_reverse" : ""), input_size,
                                 options.hidden_size, gates, options.bias);
      directions.push_back(run_layer(layer, result.output, options.length, reverse, step, result));
    }
    input_size = std::ssize(directions) * options.hidden_size;
    result.output = options.bidirectional ? at.node("cat", {directions}, {{"dim", -1}}) : directions.front();
  }
  return result;
}

}  // namespace

Recurrence LSTM::operator()(const Module& at, const Ref& x) const { return run_layers(*this, at, x, 4, lstm_step); }
Recurrence GRU::operator()(const Module& at, const Ref& x) const { return run_layers(*this, at, x, 3, gru_step); }

}  // namespace alknet::compute::nn
