import { asCount, isObject } from "./json.ts";
import type { SchemaNode } from "./node.ts";

/** The dtypes of safetensors and the bits of an element. */
export const kDtypeBits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** A dtype of safetensors. */
export type Dtype = keyof typeof kDtypeBits;

/** What `TypeDef:Tensor` says. */
export interface TensorSpec {
  /** Flat tensors. */
  readonly dtype: Dtype | undefined;
  /** Struct tensors: a Struct; blob tensors: a Blob. */
  readonly element: SchemaNode | undefined;
  /** The first dimension may be -1: any count. */
  readonly shape: readonly number[];
  /** Each struct holds `values` logical values along `axis`, counted from 0. */
  readonly block: { readonly values: number; readonly axis: number } | undefined;
}

const kMaxRank = 32;

/** Checks and reads `dtype`, `shape` and `block`; `refuse` throws. */
export function parseTensor(
  options: Readonly<Record<string, unknown>>,
  element: SchemaNode | undefined,
  ofStructs: boolean,
  refuse: (what: string) => never,
): TensorSpec {
  const { dtype, shape, block } = options;
  if (dtype === undefined || shape === undefined) return refuse("needs `dtype` and `shape`");
  if (element === undefined && !(typeof dtype === "string" && Object.hasOwn(kDtypeBits, dtype))) {
    return refuse(`the dtype ${JSON.stringify(dtype)} is no safetensors name (F32, BF16, I64, ...), Struct or Blob`);
  }
  if (!Array.isArray(shape) || shape.length > kMaxRank) return refuse("`shape` is an array of at most 32 integers");
  const dims = shape as unknown[];
  if (!dims.every((dim, i) => asCount(dim) !== undefined || (i === 0 && dim === -1))) {
    return refuse("`shape` has integers of at least 0; the first may be -1 for any count");
  }
  return {
    dtype: element === undefined ? (dtype as Dtype) : undefined,
    element,
    shape: dims as number[],
    block: block === undefined ? undefined : parseBlock(block, dims.length, ofStructs, refuse),
  };
}

function parseBlock(
  block: unknown,
  rank: number,
  ofStructs: boolean,
  refuse: (what: string) => never,
): { values: number; axis: number } {
  const { values, axis = -1 } = (isObject(block) ? block : {}) as { values?: unknown; axis?: unknown };
  const members = isObject(block) ? Object.keys(block) : [];
  const known = members.every((name) => name === "values" || name === "axis");
  const axisFits = typeof axis === "number" && Number.isInteger(axis) && axis >= -rank && axis < rank;
  if (!known || !asCount(values) || !axisFits) {
    refuse("`block` is {values: at least 1, axis: an axis of `shape`, -1 by default}");
  }
  if (!ofStructs) refuse("`block` is for tensors of Structs");
  return { values: values as number, axis: (axis as number) < 0 ? (axis as number) + rank : (axis as number) };
}
