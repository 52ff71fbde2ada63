import { operationComponent } from "./parts.ts";

/** A component of one operation whose props are its parameters. */
function activation<P extends object = Record<never, never>>(
  displayName: string,
  name: string,
  ...parameters: (keyof P & string)[]
) {
  const pick = (props: P) => Object.fromEntries(parameters.map((parameter) => [parameter, props[parameter]]));
  return operationComponent<P>(name, pick, displayName);
}

/** max(x, 0). */
export const ReLU = activation("ReLU", "relu");
/** min(max(x, 0), 6). */
export const ReLU6 = activation("ReLU6", "relu6");
/** x times the normal distribution function; `approximate="tanh"` for its usual approximation. */
export const GELU = activation<{ readonly approximate?: "none" | "tanh" }>("GELU", "gelu", "approximate");
/** x sigmoid(x). */
export const SiLU = activation("SiLU", "silu");
/** 1 / (1 + exp(-x)). */
export const Sigmoid = activation("Sigmoid", "sigmoid");
/** The hyperbolic tangent. */
export const Tanh = activation("Tanh", "tanh");
/** x, times `negative_slope` (0.01) below 0. */
export const LeakyReLU = activation<{ readonly negative_slope?: number }>("LeakyReLU", "leaky_relu", "negative_slope");
/** x, `alpha` (exp(x) - 1) below 0. */
export const ELU = activation<{ readonly alpha?: number }>("ELU", "elu", "alpha");
/** x, `alpha` (exp(x / alpha) - 1) below 0. */
export const CELU = activation<{ readonly alpha?: number }>("CELU", "celu", "alpha");
/** ELU with the constants of self-normalising networks. */
export const SELU = activation("SELU", "selu");
/** log(1 + exp(beta x)) / beta. */
export const Softplus = activation<{ readonly beta?: number; readonly threshold?: number }>(
  "Softplus",
  "softplus",
  "beta",
  "threshold",
);
/** x / (1 + |x|). */
export const Softsign = activation("Softsign", "softsign");
/** exp(x) / sum(exp(x)) along `dim`. */
export const Softmax = activation<{ readonly dim: number }>("Softmax", "softmax", "dim");
/** Its logarithm. */
export const LogSoftmax = activation<{ readonly dim: number }>("LogSoftmax", "log_softmax", "dim");
/** log(sigmoid(x)). */
export const LogSigmoid = activation("LogSigmoid", "logsigmoid");
/** x cut to [min_val, max_val], by default [-1, 1]. */
export const Hardtanh = activation<{ readonly min_val?: number; readonly max_val?: number }>(
  "Hardtanh",
  "hardtanh",
  "min_val",
  "max_val",
);
/** Sigmoid of straight lines. */
export const Hardsigmoid = activation("Hardsigmoid", "hardsigmoid");
/** x hardsigmoid(x). */
export const Hardswish = activation("Hardswish", "hardswish");
/** x tanh(softplus(x)). */
export const Mish = activation("Mish", "mish");
/** x - tanh(x). */
export const Tanhshrink = activation("Tanhshrink", "tanhshrink");
/** x moved towards 0 by `lambd`. */
export const Softshrink = activation<{ readonly lambd?: number }>("Softshrink", "softshrink", "lambd");
/** x, 0 within `lambd` of 0. */
export const Hardshrink = activation<{ readonly lambd?: number }>("Hardshrink", "hardshrink", "lambd");
