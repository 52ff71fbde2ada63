import { defineModule, Output } from "@alknet/flowgraph";
import { h } from "@alknet/ujsx";
import { op, operationComponent, randomState, ref } from "./parts.ts";

/** In training, zeroes each element with probability `p` and scales the others by 1 / (1 - p); else the input. */
export const Dropout = defineModule<{ readonly p?: number }>("Dropout", ({ p = 0.5 }, { training, newStream }) => {
  if (!training || p === 0) return h(Output, { value: "$.input" });
  return [
    randomState(),
    op("ones", "ones_like", { input: "$.input" }),
    op("probability", "mul", { input: ref("ones"), other: 1 - p }),
    op("keep", "bernoulli", { input: ref("probability"), rng: "$.params.rng", stream: newStream() }),
    op("kept", "mul", { input: "$.input", other: ref("keep") }),
    op("scaled", "mul", { input: ref("kept"), other: p < 1 ? 1 / (1 - p) : 0 }),
  ];
});

/** Props of `<Flatten>`. */
export interface FlattenProps {
  readonly start_dim?: number;
  readonly end_dim?: number;
}

/** Joins dimensions into one. */
export const Flatten = operationComponent(
  "flatten",
  ({ start_dim = 1, end_dim = -1 }: FlattenProps) => ({ start_dim, end_dim }),
  "Flatten",
);

/** Props of `<Upsample>`. */
export interface UpsampleProps {
  readonly scale_factor: number | readonly number[];
  readonly mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";
}

/** [N, C, ...] with sizes multiplied by `scale_factor`. */
export const Upsample = operationComponent(
  "interpolate",
  ({ scale_factor, mode = "nearest" }: UpsampleProps) => ({ scale_factor, mode }),
  "Upsample",
);
