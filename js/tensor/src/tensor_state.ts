import type { TensorState } from "./state.ts";

const states = new WeakMap<object, TensorState>();

/** Joins a tensor object and its state. */
export function setState(tensor: object, state: TensorState): void {
  states.set(tensor, state);
}

/** The state of a tensor object; undefined for anything else. */
export function stateOf(value: unknown): TensorState | undefined {
  return typeof value === "object" && value !== null ? states.get(value) : undefined;
}
