import { defineModule, Output, Param } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import { GELU, ReLU } from "./activations.ts";
import { kaiming_uniform, xavier_uniform, type Initial } from "./initial.ts";
import { Dropout } from "./layers.ts";
import { affine, Linear } from "./linear.ts";
import { LayerNorm } from "./norms.ts";
import { namedInputs, op, randomState, ref } from "./parts.ts";

/** A linear layer with the initial values of attention's projections. */
const Projection = defineModule<{
  readonly in: number;
  readonly out: number;
  readonly bias: boolean;
  readonly init: Initial;
}>("Linear", (props) => affine(props, props.bias, { weight: props.init, bias: "zeros" }));

/** Keys and values of earlier calls, in states of the execution. */
export interface AttentionCache {
  /** The template's input, an integer of rank 0: where this call's positions begin. */
  readonly position: string;
  readonly batch: number | string;
  /** Positions that there is room for. */
  readonly capacity: number;
  /** Positions of this call. */
  readonly length: number | string;
}

/** Props of `<MultiHeadAttention>`. */
export interface MultiHeadAttentionProps {
  readonly embed_dim: number;
  readonly num_heads: number;
  /** As many as heads unless given; divides the heads. */
  readonly num_key_heads?: number;
  readonly bias?: boolean;
  /** Of the weights, in training; 0 unless given. */
  readonly dropout?: number;
  /** No position looks at later ones. With a cache give a mask instead. */
  readonly causal?: boolean;
  /** Rotary positions of queries and keys, of this base. */
  readonly rope_base?: number;
  readonly cache?: AttentionCache;
}

/** [batch, positions, heads * depth] -> [batch, heads, positions, depth]. */
function splitHeads(name: string, heads: number, depth: number): Node[] {
  return [
    op(`${name}_split`, "unflatten", { input: ref(`${name}_proj`), dim: -1, sizes: [heads, depth] }),
    op(`${name}_heads`, "transpose", { input: ref(`${name}_split`), dim0: 1, dim1: 2 }),
  ];
}

/** The cache with the new positions written, up to the last of them. */
function cached(
  name: string,
  from: string,
  { position, batch, capacity, length }: AttentionCache,
  heads: number,
  depth: number,
): Node[] {
  const state = `cache_${name}`;
  return [
    h(Param, { name: state, shape: [batch, heads, capacity, depth], init: "zeros", scope: "session" }),
    op(`${name}_written`, "assign", { state: `$.params.${state}`, value: ref(from), at: [0, 0, position, 0] }),
    op(`${name}_cached`, "slice", { input: ref(`${name}_written`), dim: 2, start: 0, end: `${length} + ${position}` }),
  ];
}

/**
 * Multi-head attention with `q_proj`, `k_proj`, `v_proj` and `out_proj`, of [batch, positions, embed_dim]. Its `input`
 * is the query, or `{query, key, value, mask}`: the key is the query and the value the key unless given; the mask is
 * bool (true: may be looked at) or float (added to the scores).
 */
export const MultiHeadAttention = defineModule<MultiHeadAttentionProps & { readonly input?: unknown }>(
  "MultiHeadAttention",
  (props, { training, newStream }) => {
    const { embed_dim, num_heads, num_key_heads = num_heads, bias = true, causal = false, rope_base, cache } = props;
    const dropout = training ? (props.dropout ?? 0) : 0;
    if (num_heads < 1 || embed_dim % num_heads !== 0 || num_key_heads < 1 || num_heads % num_key_heads !== 0) {
      throw new RangeError(
        `${num_heads} heads must divide the ${embed_dim} features, and ${num_key_heads} key heads the heads`,
      );
    }
    const depth = embed_dim / num_heads;
    const inputs = namedInputs(props.input, "query", ["key", "value", "mask"]);
    const key = inputs["key"] ?? inputs["query"];
    const init = xavier_uniform(embed_dim, embed_dim + 2 * num_key_heads * depth); // as one matrix, which PyTorch has
    const project = (id: string, input: string | undefined, heads: number) => [
      h(Projection, { id: `${id}_proj`, in: embed_dim, out: heads * depth, bias, init, input }),
      ...splitHeads(id, heads, depth),
    ];
    const positions = cache === undefined ? undefined : ref("positions");
    const turned = (name: string) => (rope_base === undefined ? `${name}_heads` : `${name}_rope`);
    return [
      project("q", inputs["query"], num_heads),
      project("k", key, num_key_heads),
      project("v", inputs["value"] ?? key, num_key_heads),
      rope_base !== undefined && cache !== undefined
        ? [
            op("counted", "arange", { end: cache.length, dtype: "i32" }),
            op("positions", "add", { input: ref("counted"), other: `$.input./${cache.position}` }),
          ]
        : null,
      rope_base === undefined
        ? null
        : ["q", "k"].map((name) =>
            op(`${name}_rope`, "rope", { input: ref(`${name}_heads`), positions, base: rope_base }),
          ),
      cache === undefined
        ? null
        : [
            cached("key", turned("k"), cache, num_key_heads, depth),
            cached("value", "v_heads", cache, num_key_heads, depth),
          ],
      dropout === 0 ? null : randomState(),
      op("attention", "scaled_dot_product_attention", {
        query: ref(turned("q")),
        key: cache === undefined ? ref(turned("k")) : ref("key_cached"),
        value: cache === undefined ? ref("v_heads") : ref("value_cached"),
        attn_mask: inputs["mask"],
        is_causal: causal,
        enable_gqa: num_key_heads !== num_heads,
        ...(dropout === 0 ? {} : { rng: "$.params.rng", dropout_p: dropout, stream: newStream() }),
      }),
      op("joined", "transpose", { input: ref("attention"), dim0: 1, dim1: 2 }),
      op("features", "flatten", { input: ref("joined"), start_dim: -2, end_dim: -1 }),
      h(Projection, {
        id: "out_proj",
        in: embed_dim,
        out: embed_dim,
        bias,
        init: kaiming_uniform(embed_dim),
        input: ref("features"),
      }),
    ];
  },
);

/** Props of the transformer's blocks. */
export interface TransformerBlockProps {
  readonly d_model: number;
  readonly nhead: number;
  /** 2048 unless given. */
  readonly dim_feedforward?: number;
  /** Of the layers' outputs and of the attention's weights; 0.1 unless given. */
  readonly dropout?: number;
  /** `relu` unless given. */
  readonly activation?: "relu" | "gelu";
  /** 1e-5 unless given. */
  readonly layer_norm_eps?: number;
  /** Each part normalises its input instead of its output. */
  readonly norm_first?: boolean;
  /** Of encoders. */
  readonly causal?: boolean;
}

/** One part of a block, added to its input: `body` draws nodes that end with the named one. */
function residual(
  props: TransformerBlockProps,
  norm: string,
  input: string,
  body: (input: string) => [Node, string],
): Node[] {
  const { d_model, dropout = 0.1, layer_norm_eps = 1e-5, norm_first = false } = props;
  const normalise = (from: string) =>
    h(LayerNorm, { id: norm, normalized_shape: d_model, eps: layer_norm_eps, input: from });
  const [nodes, last] = body(norm_first ? ref(norm) : input);
  return [
    norm_first ? normalise(input) : null,
    nodes,
    h(Dropout, { key: `${norm}_dropout`, p: dropout, input: last }),
    op(`${norm}_sum`, "add", { input, other: ref(`${norm}_dropout`) }),
    norm_first ? null : normalise(ref(`${norm}_sum`)),
  ];
}

/** The node that a part ends with. */
function endOf({ norm_first = false }: TransformerBlockProps, norm: string): string {
  return ref(norm_first ? `${norm}_sum` : norm);
}

function feedForward(
  { d_model, dim_feedforward = 2048, dropout = 0.1, activation = "relu" }: TransformerBlockProps,
  input: string,
): [Node, string] {
  const nodes = [
    h(Linear, { id: "linear1", in: d_model, out: dim_feedforward, input }),
    h(activation === "gelu" ? GELU : ReLU, { key: "active", input: ref("linear1") }),
    h(Dropout, { key: "active_dropout", p: dropout, input: ref("active") }),
    h(Linear, { id: "linear2", in: dim_feedforward, out: d_model, input: ref("active_dropout") }),
  ];
  return [nodes, ref("linear2")];
}

function attend(
  props: TransformerBlockProps,
  id: string,
  causal: boolean,
  inputs: Readonly<Record<string, string | undefined>>,
): [Node, string] {
  const input = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
  const { d_model, nhead, dropout = 0.1 } = props;
  return [h(MultiHeadAttention, { id, embed_dim: d_model, num_heads: nhead, dropout, causal, input }), ref(id)];
}

type BlockProps = TransformerBlockProps & { readonly input?: unknown };

/**
 * Attention, then two linear layers, each added to its input and normalised after (`norm_first`: before). Its `input`
 * is the sequence, or `{input, mask}`. Defaults are PyTorch's.
 */
export const TransformerEncoderBlock = defineModule<BlockProps>("TransformerEncoderBlock", (props) => {
  const inputs = namedInputs(props.input, "input", ["mask"]);
  const x = inputs["input"] as string;
  return [
    residual(props, "norm1", x, (query) =>
      attend(props, "self_attn", props.causal ?? false, { query, mask: inputs["mask"] }),
    ),
    residual(props, "norm2", endOf(props, "norm1"), (input) => feedForward(props, input)),
    h(Output, { value: endOf(props, "norm2") }),
  ];
});

/** The same with attention to `memory` in between; self-attention is causal. Its `input` is `{input, memory, mask}`. */
export const TransformerDecoderBlock = defineModule<BlockProps>("TransformerDecoderBlock", (props) => {
  const inputs = namedInputs(props.input, "input", ["memory", "mask"]);
  const memory = inputs["memory"];
  if (memory === undefined) throw new TypeError("a decoder block needs input={{input, memory}}");
  return [
    residual(props, "norm1", inputs["input"] as string, (query) => attend(props, "self_attn", true, { query })),
    residual(props, "norm2", endOf(props, "norm1"), (query) =>
      attend(props, "multihead_attn", false, { query, key: memory, mask: inputs["mask"] }),
    ),
    residual(props, "norm3", endOf(props, "norm2"), (input) => feedForward(props, input)),
    h(Output, { value: endOf(props, "norm3") }),
  ];
});
