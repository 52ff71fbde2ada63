#include "alknet/compute/nn/losses.h"

namespace alknet::compute::nn {

Ref CrossEntropyLoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("cross_entropy", {input, target},
                 {{"ignore_index", ignore_index}, {"reduction", reduction}, {"label_smoothing", label_smoothing}});
}

Ref NLLLoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("nll_loss", {input, target}, {{"ignore_index", ignore_index}, {"reduction", reduction}});
}

Ref MSELoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("mse_loss", {input, target}, {{"reduction", reduction}});
}

Ref L1Loss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("l1_loss", {input, target}, {{"reduction", reduction}});
}

Ref SmoothL1Loss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("smooth_l1_loss", {input, target}, {{"reduction", reduction}, {"beta", beta}});
}

Ref HuberLoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("huber_loss", {input, target}, {{"reduction", reduction}, {"delta", delta}});
}

Ref BCELoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("binary_cross_entropy", {input, target}, {{"reduction", reduction}});
}

Ref BCEWithLogitsLoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("binary_cross_entropy_with_logits", {input, target}, {{"reduction", reduction}});
}

Ref KLDivLoss::operator()(const Module& at, const Ref& input, const Ref& target) const {
  return at.node("kl_div", {input, target}, {{"reduction", reduction}, {"log_target", log_target}});
}

}  // namespace alknet::compute::nn
