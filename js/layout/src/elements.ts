import { elementType, type ElementType, type Node } from "@alknet/ujsx";
import type { Dtype } from "@alknet/schema";
import type { LeafKind } from "./rules.ts";

/** Keywords of JSON Schema that say something about a node. */
export interface Annotations {
  readonly title?: string;
  readonly description?: string;
  /** Raises the alignment: a power of two up to 4096. */
  readonly align?: number;
  /** Byte order of the whole schema; at its root only. */
  readonly endian?: "little" | "big";
}

/** What makes an element a field of the Struct around it. */
export interface Member {
  /** The field's name; a variant's tag in a Union. Not for items. */
  readonly name?: string;
  /** It may be absent: nullable, unless it has a default. */
  readonly optional?: boolean;
  /** Its value where it is left out; implies `optional`. */
  readonly default?: unknown;
}

/** Keywords that limit the values of numbers and texts. */
export interface Limits {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** Texts: bytes reserved for it in aligned mode. */
  readonly maxBytes?: number;
  readonly encoding?: "length-prefixed" | "offset-indirect";
}

/** A number, text or Enum of `type`; or a name for the one element inside. */
export interface FieldProps extends Member, Annotations, Limits {
  readonly type?: LeafKind;
  /** Of an Enum. */
  readonly values?: readonly string[];
  readonly children?: Node;
}

/** Fields in the order in which they lie in memory. */
export interface StructProps extends Member, Annotations {
  readonly children?: Node;
}

/** Items: of the kind `of`, or the one element inside. */
export interface ArrayOfProps extends Member, Annotations {
  readonly of?: LeafKind;
  /** How many; without it any number, with the count in front. */
  readonly count?: number;
  readonly encoding?: "length-prefixed" | "offset-indirect";
  readonly children?: Node;
}

/** An entry of a file: of a `dtype`, or of the Struct or Blob inside. */
export interface TensorProps extends Member, Annotations {
  readonly dtype?: Dtype;
  /** The first dimension may be -1: any count. */
  readonly shape: readonly number[];
  /** Each struct holds `values` logical values along `axis`. */
  readonly block?: { readonly values: number; readonly axis?: number };
  readonly children?: Node;
}

/** Bytes in a store: of a text kind, or an array of items of fixed size. */
export interface BlobProps extends Member, Annotations {
  readonly of?: LeafKind | "Json";
  readonly children?: Node;
}

/** String keys, each with a value of the kind `of` or of the one element inside. Packed mode only. */
export interface RecordOfProps extends Member, Annotations {
  readonly of?: LeafKind;
  readonly children?: Node;
}

/** One of the Structs inside, whose names are the tags. Packed mode only. */
export interface UnionProps extends Member, Annotations {
  /** The property that holds the tag. */
  readonly discriminator: string;
  readonly children?: Node;
}

/** One value; see FieldProps. */
export const Field: ElementType<FieldProps> = elementType("Field");
/** See StructProps. */
export const Struct: ElementType<StructProps> = elementType("Struct");
/** See ArrayOfProps. */
export const ArrayOf: ElementType<ArrayOfProps> = elementType("ArrayOf");
/** See TensorProps. */
export const Tensor: ElementType<TensorProps> = elementType("Tensor");
/** See BlobProps. */
export const Blob: ElementType<BlobProps> = elementType("Blob");
/** See RecordOfProps. */
export const RecordOf: ElementType<RecordOfProps> = elementType("RecordOf");
/** See UnionProps. */
export const Union: ElementType<UnionProps> = elementType("Union");
