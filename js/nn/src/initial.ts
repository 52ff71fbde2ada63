// Initial values: the `init` of parameters.

/** How a parameter begins where no store has it. */
export type Initial =
  | "zeros"
  | "ones"
  | "rng"
  | number
  | { readonly name: "full"; readonly value: number }
  | { readonly name: "uniform"; readonly low: number; readonly high: number }
  | { readonly name: "normal"; readonly mean: number; readonly std: number };

/** Evenly from `low` to `high`. */
export function uniform(low: number, high: number): Initial {
  return { name: "uniform", low, high };
}

/** Of the normal distribution. */
export function normal(mean = 0, std = 1): Initial {
  return { name: "normal", mean, std };
}

/** The same everywhere. */
export function constant(value: number): Initial {
  return { name: "full", value };
}

/**
 * PyTorch's default for weights and biases of linear layers and convolutions, `kaiming_uniform_(a = sqrt(5))`: within
 * 1 / sqrt(fan_in).
 */
export function kaiming_uniform(fanIn: number): Initial {
  if (fanIn === 0) return 0;
  const bound = 1 / Math.sqrt(fanIn);
  return uniform(-bound, bound);
}

/** He's normal values for layers before a ReLU: std = sqrt(2 / fan_in). */
export function kaiming_normal(fanIn: number): Initial {
  return fanIn === 0 ? 0 : normal(0, Math.sqrt(2 / fanIn));
}

/** Glorot's values: within sqrt(6 / (fan_in + fan_out)). */
export function xavier_uniform(fanIn: number, fanOut: number): Initial {
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return uniform(-bound, bound);
}

/** The same, normally distributed. */
export function xavier_normal(fanIn: number, fanOut: number): Initial {
  return normal(0, Math.sqrt(2 / (fanIn + fanOut)));
}
