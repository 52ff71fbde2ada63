// The operations as functions, made from the op table.
import type { Functions } from "./generated/operations.ts";
import { operationNames } from "./op_spec.ts";
import { siteOf } from "./site.ts";
import { invoke, type Tensor } from "./tensor.ts";

function functionOf(name: string): (...given: unknown[]) => unknown {
  const call = (...given: unknown[]): unknown => invoke(name, given, siteOf(call));
  return call;
}

/** Every operation by its name. */
export const functions = Object.fromEntries(
  Array.from(operationNames(), (name) => [name, functionOf(name)]),
) as unknown as Functions<Tensor>;
