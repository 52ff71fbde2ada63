// Tensors that cross: inputs of calls, and outputs of handlers.
import { type Caller, OperationError } from "@alknet/operations";
import { sessionOf } from "./default_session.ts";
import { handleOf, type Session, typeOf } from "./session.ts";
import type { TensorState } from "./state.ts";

/** Why a tensor cannot be used by a caller or with others. */
export const kStranger =
  "a tensor of another caller or node: handlers compute with their inputs and with what is made with { caller: env } " +
  "of their context; other tensors are copied by data()";

/** The session that computes with these: that of a handler's call, which comes and goes, where one is of it. */
export function sessionFor(states: readonly TensorState[]): Session | undefined {
  return (states.find(({ session }) => session.caller.nested === true) ?? states[0])?.session;
}

/** Resolves when type and handle are known at the node too. Rejects with why there is no such tensor. */
export async function ready(state: TensorState): Promise<void> {
  await state.session.settled();
  await state.known();
  if (state.failure !== undefined) throw state.failure;
}

/** What `to` waits for before it sends the handle; undefined for nothing. Throws OperationError. */
export function settled(state: TensorState, to: Caller): Promise<unknown> | undefined {
  if (!state.session.shares(to)) throw new OperationError("INVALID_INPUT", kStranger);
  return state.session.idle ? undefined : ready(state);
}

/** Leaves the handle to `to`, or that of a copy when it could not use this one. */
export async function give(state: TensorState, to: Caller): Promise<void> {
  await ready(state);
  const theirs = state.session.shares(to) ? state : await copy(state, to);
  state.given = handleOf(theirs);
  theirs.lent = true;
  state.session.dispose(state);
}

async function copy(state: TensorState, to: Caller): Promise<TensorState> {
  const operation = state.peer === undefined ? "compute/read_tensor" : `${state.peer}/compute/read_tensor`;
  const { data } = (await state.session.call(operation, { tensor: state }, {})) as { readonly data: ArrayBuffer };
  const copied = sessionOf(to).create({ ...typeOf(state), data: new Uint8Array(data) }, {});
  await ready(copied);
  return copied;
}
