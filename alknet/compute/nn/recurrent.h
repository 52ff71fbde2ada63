#pragma once

#include <cstdint>
#include <vector>

#include "alknet/compute/nn/module.h"

namespace alknet::compute::nn {

/// What a recurrent module returns.
struct Recurrence {
  Ref output;               ///< [batch, length, hidden]: of the last layer at every step; both directions side by side.
  std::vector<Ref> hidden;  ///< Of each layer, and of each direction in it, after its last step: [batch, hidden].
  std::vector<Ref> cell;    ///< LSTM: its cell states.
};

/// Recurrent layers over `length` steps of [batch, length, input], written out step by step; states begin with zeros.
/// Parameters of layer k: `weight_ih_l<k>`, `weight_hh_l<k>`, `bias_ih_l<k>`, `bias_hh_l<k>`, within 1/sqrt(hidden);
/// gates in PyTorch's order (LSTM: input, forget, cell, output; GRU: reset, update, new). `bidirectional`: each layer
/// also goes from the last step to the first, with parameters of its own named `..._reverse`, and the next layer reads
/// both.
struct LSTM {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t length = 1;
  std::int64_t num_layers = 1;
  bool bias = true;
  bool bidirectional = false;
  Recurrence operator()(const Module& at, const Ref& x) const;
};

struct GRU {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t length = 1;
  std::int64_t num_layers = 1;
  bool bias = true;
  bool bidirectional = false;
  Recurrence operator()(const Module& at, const Ref& x) const;
};

}  // namespace alknet::compute::nn
