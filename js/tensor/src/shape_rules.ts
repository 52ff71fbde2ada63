import type { Dtype } from "./generated/operations.ts";

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

interface Surroundings {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
}

async function findGraph(): Promise<GraphModule | undefined> {
  const { document, WorkerGlobalScope } = globalThis as Surroundings;
  if (document !== undefined || WorkerGlobalScope !== undefined) return undefined; // a browser, which would complain
  try {
    const name = "alknet:graph"; // not a literal: bundlers would look for it
    return (await import(name)) as GraphModule;
  } catch {
    return undefined;
  }
}

/** The shape rules of this isolate; undefined elsewhere, where `compute/shape` of the node says them. */
export const graphModule: GraphModule | undefined = await findGraph();
