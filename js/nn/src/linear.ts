import { defineModule } from "@alknet/flowgraph";
import { kaiming_uniform, normal, type Initial } from "./initial.ts";
import { op, ref, weight } from "./parts.ts";
import type { Node } from "@alknet/ujsx";

/** x W^T + b with parameters of other initial values than PyTorch's default. */
export function affine(
  features: { in: number; out: number },
  bias: boolean,
  init: { weight: Initial; bias: Initial },
  shared: { weight?: string | undefined; bias?: string | undefined } = {},
): Node[] {
  const { in: inner, out } = features;
  const product = [
    weight("weight", [out, inner], init.weight, shared.weight),
    op("transposed", "transpose", { input: "$.params.weight", dim0: 0, dim1: 1 }),
    op("product", "matmul", { input: "$.input", other: ref("transposed") }),
  ];
  if (!bias) return product;
  return [
    ...product,
    weight("bias", [out], init.bias, shared.bias),
    op("sum", "add", { input: ref("product"), other: "$.params.bias" }),
  ];
}

/** Props of `<Linear>`. */
export interface LinearProps {
  readonly in: number;
  readonly out: number;
  readonly bias?: boolean;
  /** Another parameter in the place of the weight: `/embed.weight`. */
  readonly weight?: string;
}

/** x W^T + b over the last dimension; `weight` [out, in], `bias` [out]. */
export const Linear = defineModule<LinearProps>("Linear", (props) => {
  const init = kaiming_uniform(props.in);
  return affine(props, props.bias ?? true, { weight: init, bias: init }, { weight: props.weight });
});

/** Props of `<Embedding>`. */
export interface EmbeddingProps {
  readonly num_embeddings: number;
  readonly embedding_dim: number;
  readonly weight?: string;
}

/** Rows of `weight` [num_embeddings, embedding_dim], from N(0, 1), by integer index. */
export const Embedding = defineModule<EmbeddingProps>("Embedding", (props) => [
  weight("weight", [props.num_embeddings, props.embedding_dim], normal(0, 1), props.weight),
  op("rows", "embedding", { weight: "$.params.weight", indices: "$.input" }),
]);
