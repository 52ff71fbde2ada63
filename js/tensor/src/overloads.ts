// Names of PyTorch that stand for several operations of the op table, by what they are given.
import { stateOf } from "./tensor_state.ts";

/** What PyTorch's overloads add to the generated types. */
export interface Overloads<T> {
  /** The largest elements along a dimension, and where they are. */
  max(dim: number, keepdim?: boolean): [T, T] & { readonly values: T; readonly indices: T };
  /** The larger of each two elements. */
  max(other: T): T;
  /** The smallest elements along a dimension, and where they are. */
  min(dim: number, keepdim?: boolean): [T, T] & { readonly values: T; readonly indices: T };
  /** The smaller of each two elements. */
  min(other: T): T;
  /** The medians along a dimension, and where they are. */
  median(dim: number, keepdim?: boolean): [T, T] & { readonly values: T; readonly indices: T };
  /** Divides and rounds. */
  div(other: T | number, named: { readonly rounding_mode: "trunc" | "floor" }): T;
}

interface Overload {
  /** With a dimension. */
  readonly dim?: string;
  /** With a second tensor. */
  readonly two?: string;
  /** With a member of that name. */
  readonly named?: readonly [string, string];
}

const kOverloads: Readonly<Record<string, Overload>> = {
  max: { dim: "maxDim", two: "maximum" },
  min: { dim: "minDim", two: "minimum" },
  median: { dim: "medianDim" },
  div: { named: ["rounding_mode", "divMode"] },
};

/** The operation that a name means with these arguments. */
export function overloaded(name: string, given: readonly unknown[]): string {
  const overload = Object.hasOwn(kOverloads, name) ? kOverloads[name] : undefined;
  if (overload === undefined) return name;
  const second = given[1];
  const last = given.at(-1);
  const has = (member: string): boolean =>
    typeof last === "object" && last !== null && stateOf(last) === undefined && Object.hasOwn(last, member);
  if (overload.named !== undefined && has(overload.named[0])) return overload.named[1];
  if (overload.two !== undefined && stateOf(second) !== undefined) return overload.two;
  if (overload.dim !== undefined && (typeof second === "number" || has("dim"))) return overload.dim;
  return name;
}
