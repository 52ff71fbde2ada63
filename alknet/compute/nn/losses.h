#pragma once

#include <cstdint>
#include <string>

#include "alknet/compute/nn/module.h"

namespace alknet::compute::nn {

// Losses of an input and a target; `reduction` is "mean", "sum" or "none". The operations of the same names say more.

/// Of scores [N, C, ...] against class numbers [N, ...] or probabilities [N, C, ...].
struct CrossEntropyLoss {
  std::string reduction = "mean";
  std::int64_t ignore_index = -100;
  double label_smoothing = 0;
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

/// Of log-probabilities [N, C, ...] against class numbers.
struct NLLLoss {
  std::string reduction = "mean";
  std::int64_t ignore_index = -100;
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

/// The squared difference.
struct MSELoss {
  std::string reduction = "mean";
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

/// The absolute difference.
struct L1Loss {
  std::string reduction = "mean";
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

/// Squared below `beta`, absolute above.
struct SmoothL1Loss {
  std::string reduction = "mean";
  double beta = 1;
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};
struct HuberLoss {
  std::string reduction = "mean";
  double delta = 1;
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

/// Of probabilities, and of logits, against targets from 0 to 1.
struct BCELoss {
  std::string reduction = "mean";
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};
struct BCEWithLogitsLoss {
  std::string reduction = "mean";
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

/// Of log-probabilities against probabilities (with `log_target` their logarithms).
struct KLDivLoss {
  std::string reduction = "mean";
  bool log_target = false;
  Ref operator()(const Module& at, const Ref& input, const Ref& target) const;
};

}  // namespace alknet::compute::nn
