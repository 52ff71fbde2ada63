import type { Dtype } from "./generated/operations.ts";
import { nativeModule } from "./native.ts";

/** dtype and shape of a tensor. */
export interface TensorType {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** The native module `alknet:graph` (alknet/bindings/tensors.h), which isolates have and nobody else. */
export interface GraphModule {
  /** dtypes and shapes of the results of `operation`, from an input in which tensors are {dtype, shape}. Throws. */
  infer(operation: string, input: unknown): TensorType[];
}

/** The shape rules of this isolate; undefined elsewhere, where `compute/shape` of the node says them. */
export const graphModule: GraphModule | undefined = await nativeModule<GraphModule>("alknet:graph");
