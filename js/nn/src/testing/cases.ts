// One template for each module, for comparisons with the C++ modules.
import { Input, Sequential, type Shape } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import * as nn from "../index.ts";
import { DigitsCnn } from "./digits.tsx";

/** A module in a template of its own. */
export interface ModuleCase {
  readonly name: string;
  readonly template: Node;
  readonly training: boolean;
}

const input = (name: string, shape: Shape, dtype = "f32") => h(Input, { name, dtype, shape });

/** `x` through one module. */
function one(
  name: string,
  shape: Shape,
  module: Node,
  options: { training?: boolean; dtype?: string } = {},
): ModuleCase {
  const template = h(Sequential, {}, input("x", shape, options.dtype), module);
  return { name, template, training: options.training ?? false };
}

/** A loss of `x` and `target`. */
function loss(
  name: string,
  module: (input: object) => Node,
  target: { dtype?: string; shape?: Shape } = {},
): ModuleCase {
  const inputs = { input: "$.input.x", target: "$.input.target" };
  const template = h(
    Sequential,
    {},
    input("x", ["n", 4]),
    input("target", target.shape ?? ["n", 4], target.dtype),
    module(inputs),
  );
  return { name, template, training: false };
}

function losses(): ModuleCase[] {
  const classes = { dtype: "i64", shape: ["n"] };
  return [
    loss("mse", (each) => h(nn.MSELoss, { input: each })),
    loss("l1", (each) => h(nn.L1Loss, { input: each, reduction: "sum" })),
    loss("smooth_l1", (each) => h(nn.SmoothL1Loss, { input: each, beta: 0.5 })),
    loss("huber", (each) => h(nn.HuberLoss, { input: each, delta: 0.5 })),
    loss("bce", (each) => h(nn.BCELoss, { input: each })),
    loss("bce_with_logits", (each) => h(nn.BCEWithLogitsLoss, { input: each, reduction: "none" })),
    loss("kl_div", (each) => h(nn.KLDivLoss, { input: each, log_target: true })),
    loss("nll", (each) => h(nn.NLLLoss, { input: each }), classes),
    loss("cross_entropy", (each) => h(nn.CrossEntropyLoss, { input: each, label_smoothing: 0.1 }), classes),
  ];
}

function attention(): ModuleCase[] {
  const cache = { position: "position", batch: 2, capacity: 16, length: "length" };
  const decoder = { input: "$.input.x", memory: "$.input.memory" };
  return [
    one(
      "mha",
      ["n", 5, 8],
      h(nn.MultiHeadAttention, {
        id: "m",
        embed_dim: 8,
        num_heads: 4,
        num_key_heads: 2,
        causal: true,
        rope_base: 10000,
      }),
    ),
    one("mha_dropout", ["n", 5, 8], h(nn.MultiHeadAttention, { id: "m", embed_dim: 8, num_heads: 2, dropout: 0.3 }), {
      training: true,
    }),
    {
      name: "mha_cache",
      training: false,
      template: h(
        Sequential,
        {},
        input("x", [2, "length", 8]),
        input("position", [], "i64"),
        h(nn.MultiHeadAttention, { id: "m", embed_dim: 8, num_heads: 2, rope_base: 10000, cache, input: "$.input.x" }),
      ),
    },
    one(
      "encoder",
      ["n", 5, 8],
      h(nn.TransformerEncoderBlock, { id: "m", d_model: 8, nhead: 2, dim_feedforward: 16, activation: "gelu" }),
      { training: true },
    ),
    one(
      "encoder_norm_first",
      ["n", 5, 8],
      h(nn.TransformerEncoderBlock, { id: "m", d_model: 8, nhead: 2, norm_first: true, causal: true }),
    ),
    {
      name: "decoder",
      training: true,
      template: h(
        Sequential,
        {},
        input("x", ["n", 5, 8]),
        input("memory", ["n", 7, 8]),
        h(nn.TransformerDecoderBlock, { id: "m", d_model: 8, nhead: 2, dim_feedforward: 16, input: decoder }),
      ),
    },
  ];
}

/** All cases; the C++ test has one of each name. */
export function cases(): ModuleCase[] {
  const image: Shape = ["n", 4, 9, 9];
  const lstm = h(nn.LSTM, { id: "m", input_size: 3, hidden_size: 2, length: 3, num_layers: 2, bidirectional: true });
  return [
    one("linear", ["n", 3], h(nn.Linear, { id: "m", in: 3, out: 4 })),
    one("linear_no_bias", ["n", 3], h(nn.Linear, { id: "m", in: 3, out: 4, bias: false })),
    one("embedding", ["n"], h(nn.Embedding, { id: "m", num_embeddings: 7, embedding_dim: 3 }), { dtype: "i64" }),
    one("conv1d", ["n", 4, 9], h(nn.Conv1d, { id: "m", in: 4, out: 6, kernel_size: 3, dilation: 2 })),
    one(
      "conv2d",
      image,
      h(nn.Conv2d, { id: "m", in: 4, out: 6, kernel_size: [3, 5], stride: 2, padding: [1, 2], groups: 2 }),
    ),
    one("conv3d", ["n", 2, 5, 5, 5], h(nn.Conv3d, { id: "m", in: 2, out: 3, kernel_size: 3, bias: false })),
    one(
      "conv_transpose2d",
      image,
      h(nn.ConvTranspose2d, { id: "m", in: 4, out: 6, kernel_size: 3, stride: 2, output_padding: 1 }),
    ),
    one("max_pool2d", image, h(nn.MaxPool2d, { kernel_size: 3, padding: 1 })),
    one("avg_pool2d", image, h(nn.AvgPool2d, { kernel_size: 3, stride: 1, count_include_pad: false })),
    one("adaptive_avg_pool2d", image, h(nn.AdaptiveAvgPool2d, { output_size: [3, 2] })),
    one("batch_norm_training", image, h(nn.BatchNorm2d, { id: "m", num_features: 4 }), { training: true }),
    one("batch_norm", image, h(nn.BatchNorm2d, { id: "m", num_features: 4, affine: false })),
    one("layer_norm", ["n", 2, 3], h(nn.LayerNorm, { id: "m", normalized_shape: [2, 3] })),
    one("group_norm", image, h(nn.GroupNorm, { id: "m", num_groups: 2, num_channels: 4 })),
    one("rms_norm", ["n", 3], h(nn.RMSNorm, { id: "m", normalized_shape: 3 })),
    one("dropout", ["n", 3], h(nn.Dropout, { id: "m", p: 0.2 }), { training: true }),
    one("upsample", image, h(nn.Upsample, { scale_factor: [2, 2] })),
    one("lstm", ["n", 3, 3], lstm),
    one("gru", ["n", 3, 3], h(nn.GRU, { id: "m", input_size: 3, hidden_size: 2, length: 3, bias: false })),
    ...attention(),
    ...losses(),
    { name: "digits", template: h(DigitsCnn, {}), training: true },
  ];
}
