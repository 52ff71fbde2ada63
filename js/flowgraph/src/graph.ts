// The document `alknet_graph` 1, which compute/compile and its kin take.

/** `name`, `id`, `id:k` or a number. */
export type GraphRef = string | { readonly scalar: number | boolean | string; readonly kind: "bool" | "int" | "float" };

/** Sizes: numbers and expressions of dimensions. */
export type GraphShape = readonly (number | string)[];

/** An input of a graph. */
export interface GraphInput {
  readonly name: string;
  readonly dtype: string;
  readonly shape: GraphShape;
}

/** A tensor that outlives a run. */
export interface GraphState extends GraphInput {
  readonly scope: "store" | "session";
  readonly trainable: boolean;
  readonly init?: unknown;
}

/** An operation with its inputs by name. */
export interface GraphNode {
  readonly id: string;
  readonly op: string;
  readonly inputs: Readonly<Record<string, GraphRef | readonly GraphRef[] | null>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly path?: string;
  /** Where in the template's files it was written. */
  readonly source?: { readonly file: string; readonly line: number };
  readonly no_grad?: boolean;
  readonly checkpoint?: boolean;
}

/** A graph as compute/compile takes it. */
export interface AlknetGraph {
  readonly alknet_graph: 1;
  readonly dims?: Readonly<Record<string, { readonly min?: number; readonly max?: number }>>;
  readonly inputs: readonly GraphInput[];
  readonly states: readonly GraphState[];
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly { readonly name: string; readonly value: GraphRef }[];
}
