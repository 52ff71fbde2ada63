import type { Json } from "./json.ts";
import type { Kind } from "./kinds.ts";
import type { TensorSpec } from "./tensor_spec.ts";

/** A member of a Struct. */
export interface Property {
  readonly name: string;
  readonly node: SchemaNode;
  readonly required: boolean;
  /** undefined when there is none. */
  readonly defaultValue: Json | undefined;
  /** Neither required nor with a default: it may be absent, and its layout says so. */
  readonly nullable: boolean;
}

/** A member of a Union; its node is a Struct. */
export interface Variant {
  readonly tag: string;
  readonly node: SchemaNode;
}

/** One node of what a schema describes, with every `$ref` resolved. Nodes may form cycles. */
export interface SchemaNode {
  readonly kind: Kind;
  /** JSON pointer of the schema in its document. */
  readonly pointer: string;
  /** The schema itself, without references. */
  readonly schema: Json;
  /** The `align` given, 0 when none; it only raises. */
  readonly align: number;
  readonly indirect: boolean;
  readonly maxBytes: number | undefined;
  /** Struct: in layout order. */
  readonly properties: readonly Property[];
  /** Array items, Record values, Blob item (undefined: Json). */
  readonly items: SchemaNode | undefined;
  /** Array: when `minItems` equals `maxItems`. */
  readonly count: number | undefined;
  /** Union. */
  readonly discriminator: string;
  /** Union: in index order. */
  readonly variants: readonly Variant[];
  /** Enum: by index. */
  readonly names: readonly string[];
  readonly tensor: TensorSpec | undefined;
  /** Struct, Union: `order` was written. */
  readonly hasOrder: boolean;
  /** A Tensor is somewhere inside; such a node has no bytes. */
  readonly holdsTensor: boolean;
}

/** A schema as nodes. */
export interface Structure {
  readonly root: SchemaNode;
  /** All of them, also those that the root does not reach. */
  readonly nodes: readonly SchemaNode[];
  /** Of the whole schema. */
  readonly littleEndian: boolean;
}

/** A node that is being filled. */
export type NodeDraft = { -readonly [K in keyof SchemaNode]: SchemaNode[K] };

/** The nodes that `node` holds in place or in a heap, not the records of a Tensor. */
export function partsOf(node: SchemaNode): SchemaNode[] {
  const parts = [...node.properties, ...node.variants].map((part) => part.node);
  return node.items === undefined ? parts : [...parts, node.items];
}
