import {
  type SchemaOptions,
  type TArray,
  type TInteger,
  type TObject,
  type TRef,
  type TSchema,
  type TString,
  type TUnknown,
  Type,
} from "@sinclair/typebox";
import { findTypeDef, isRaggedItem, kTypeDefPrefix } from "../kinds.ts";
import type { Dtype } from "../tensor_spec.ts";
import { type KindOptions, withTypeDef } from "./keywords.ts";

/** The type of a Tensor in an operation: a handle. */
export type TTensor = TObject<{ $tensor: TString; dtype: TString; shape: TArray<TInteger> }>;
/** The type of a Blob: its text or JSON, or an array of its items of fixed size. */
export type TBlob<I extends TSchema> = I extends TString | TUnknown ? I : TArray<I>;

/** Options of Tensors. */
export type TensorOptions = SchemaOptions &
  KindOptions & {
    /** Each struct holds `values` logical values along `axis` (-1: the last). */
    readonly block?: { readonly values: number; readonly axis?: number };
  };

/** An entry of a file: `dtype` a safetensors name, a Struct or a Blob; the first dimension may be -1, any count. */
export function Tensor(
  dtype: Dtype | TObject | TSchema,
  shape: readonly number[],
  options: TensorOptions = {},
): TTensor {
  const handle = {
    $tensor: Type.String(),
    dtype: Type.String(),
    shape: Type.Array(Type.Integer({ minimum: 0 })),
  };
  return Type.Object(handle, withTypeDef("Tensor", options, { dtype, shape }));
}

/**
 * Bytes in a store: String, Bytes, Json, or an array of items of a fixed-size kind. A `Ref` names a kind of fixed size.
 */
export function Blob<I extends TSchema>(item: I, options: SchemaOptions & KindOptions = {}): TBlob<I> {
  const keywords = withTypeDef("Blob", options, { item });
  const type = findTypeDef(item);
  if (isRef(item) || (type?.kind !== undefined && isRaggedItem(type.kind))) {
    return Type.Array(item, keywords) as unknown as TBlob<I>;
  }
  const own: TSchema = { ...item, ...keywords };
  delete (own as Record<string, unknown>)[type?.keyword ?? `${kTypeDefPrefix}Json`];
  return own as TBlob<I>;
}

function isRef(schema: TSchema): schema is TRef {
  return typeof schema["$ref"] === "string";
}
