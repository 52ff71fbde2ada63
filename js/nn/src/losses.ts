import { operationComponent } from "./parts.ts";

/** What becomes of the losses of the elements. */
export type Reduction = "mean" | "sum" | "none";

interface LossProps {
  readonly reduction?: Reduction;
}

function loss(displayName: string, name: string) {
  return operationComponent<LossProps>(name, ({ reduction = "mean" }) => ({ reduction }), displayName);
}

/** The squared difference of `input` and `target`. */
export const MSELoss = loss("MSELoss", "mse_loss");
/** The absolute difference. */
export const L1Loss = loss("L1Loss", "l1_loss");
/** Of probabilities against targets from 0 to 1. */
export const BCELoss = loss("BCELoss", "binary_cross_entropy");
/** Of logits against targets from 0 to 1. */
export const BCEWithLogitsLoss = loss("BCEWithLogitsLoss", "binary_cross_entropy_with_logits");

/** Squared below `beta`, absolute above. */
export const SmoothL1Loss = operationComponent<LossProps & { readonly beta?: number }>(
  "smooth_l1_loss",
  ({ reduction = "mean", beta = 1 }) => ({ reduction, beta }),
  "SmoothL1Loss",
);

/** Squared up to `delta`, then a line. */
export const HuberLoss = operationComponent<LossProps & { readonly delta?: number }>(
  "huber_loss",
  ({ reduction = "mean", delta = 1 }) => ({ reduction, delta }),
  "HuberLoss",
);

/** Of scores [N, C, ...] against class numbers [N, ...] or probabilities [N, C, ...]. */
export const CrossEntropyLoss = operationComponent<
  LossProps & { readonly ignore_index?: number; readonly label_smoothing?: number }
>(
  "cross_entropy",
  ({ reduction = "mean", ignore_index = -100, label_smoothing = 0 }) => ({ ignore_index, reduction, label_smoothing }),
  "CrossEntropyLoss",
);

/** Of log-probabilities [N, C, ...] against class numbers. */
export const NLLLoss = operationComponent<LossProps & { readonly ignore_index?: number }>(
  "nll_loss",
  ({ reduction = "mean", ignore_index = -100 }) => ({ ignore_index, reduction }),
  "NLLLoss",
);

/** Of log-probabilities against probabilities (with `log_target` their logarithms). */
export const KLDivLoss = operationComponent<{
  readonly reduction?: Reduction | "batchmean";
  readonly log_target?: boolean;
}>("kl_div", ({ reduction = "mean", log_target = false }) => ({ reduction, log_target }), "KLDivLoss");
