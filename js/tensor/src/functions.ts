// The operations as functions.
import type { Functions } from "./generated/operations.ts";
import { siteOf } from "./site.ts";
import { invoke, type Tensor } from "./tensor.ts";

/** The function that calls an operation of the op table. */
export function functionOf<Name extends keyof Functions<Tensor>>(name: Name): Functions<Tensor>[Name] {
  const call = (...given: unknown[]): unknown => invoke(name, given, siteOf(call));
  return call as Functions<Tensor>[Name];
}
