import { defineModule, Output } from "@alknet/flowgraph";
import { h } from "@alknet/ujsx";
import { buffer, op, ref, weight } from "./parts.ts";

/** Props of `<BatchNorm1d>` and `<BatchNorm2d>`. */
export interface BatchNormProps {
  readonly num_features: number;
  readonly eps?: number;
  readonly momentum?: number;
  readonly affine?: boolean;
}

function batchNorm(name: string) {
  return defineModule<BatchNormProps>(
    name,
    ({ num_features, eps = 1e-5, momentum = 0.1, affine = true }, { training }) => {
      const size = [num_features];
      const learned = affine ? { weight: "$.params.weight", bias: "$.params.bias" } : {};
      const running = { running_mean: "$.params.running_mean", running_var: "$.params.running_var" };
      return [
        buffer("running_mean", size, "zeros"),
        buffer("running_var", size, "ones"),
        affine ? [weight("weight", size, "ones"), weight("bias", size, "zeros")] : null,
        op("norm", "batch_norm", { input: "$.input", ...running, ...learned, training, momentum, eps }),
        training
          ? [
              op("keep_mean", "assign", { state: "$.params.running_mean", value: ref("norm", 1) }),
              op("keep_var", "assign", { state: "$.params.running_var", value: ref("norm", 2) }),
            ]
          : null,
        h(Output, { value: ref("norm") }),
      ];
    },
  );
}

/** Normalises [N, C] and [N, C, L] by channel: in training by the batch, else by `running_mean` and `running_var`. */
export const BatchNorm1d = batchNorm("BatchNorm1d");
/** The same of [N, C, H, W]. */
export const BatchNorm2d = batchNorm("BatchNorm2d");

/** Props of `<LayerNorm>`. */
export interface LayerNormProps {
  readonly normalized_shape: number | readonly number[];
  /** 1e-5 unless given. */
  readonly eps?: number;
  readonly bias?: boolean;
}

const listOf = (shape: number | readonly number[]): number[] => (typeof shape === "number" ? [shape] : [...shape]);

/** Over the last dimensions, of sizes `normalized_shape`. */
export const LayerNorm = defineModule<LayerNormProps>("LayerNorm", ({ normalized_shape, eps = 1e-5, bias = true }) => {
  const shape = listOf(normalized_shape);
  return [
    weight("weight", shape, "ones"),
    bias ? weight("bias", shape, "zeros") : null,
    op("norm", "layer_norm", {
      input: "$.input",
      weight: "$.params.weight",
      bias: bias ? "$.params.bias" : undefined,
      normalized_shape: shape,
      eps,
    }),
  ];
});

/** Props of `<GroupNorm>`. */
export interface GroupNormProps {
  readonly num_groups: number;
  readonly num_channels: number;
  readonly eps?: number;
  readonly affine?: boolean;
}

/** Over groups of channels of [N, C, ...]. */
export const GroupNorm = defineModule<GroupNormProps>(
  "GroupNorm",
  ({ num_groups, num_channels, eps = 1e-5, affine = true }) => [
    affine ? [weight("weight", [num_channels], "ones"), weight("bias", [num_channels], "zeros")] : null,
    op("norm", "group_norm", {
      input: "$.input",
      ...(affine ? { weight: "$.params.weight", bias: "$.params.bias" } : {}),
      num_groups,
      eps,
    }),
  ],
);

/** Props of `<RMSNorm>`. */
export interface RMSNormProps {
  readonly normalized_shape: number | readonly number[];
  /** Unless given as in PyTorch the difference between 1 and the next number of the dtype. */
  readonly eps?: number | null;
}

/** x / sqrt(mean(x^2) + eps) * weight over the last dimensions. */
export const RMSNorm = defineModule<RMSNormProps>("RMSNorm", ({ normalized_shape, eps = null }) => {
  const shape = listOf(normalized_shape);
  return [
    weight("weight", shape, "ones"),
    op("norm", "rms_norm", { input: "$.input", weight: "$.params.weight", normalized_shape: shape, eps }),
  ];
});
