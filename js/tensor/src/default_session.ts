import { type Caller, callerBehind, env, hasHost, OperationError } from "@alknet/operations";
import { Session } from "./session.ts";

const kSession = Symbol("session"); // a member: a WeakMap would hold callers that their sessions refer to, in QuickJS
let current: Session | undefined;

/** The session of a caller, always the same one: handles of a caller are numbered. */
export function sessionOf(caller: Caller): Session {
  const behind = callerBehind(caller) as Caller & { [kSession]?: Session };
  const known = behind[kSession];
  if (known !== undefined) return known;
  const made = new Session(behind);
  Object.defineProperty(behind, kSession, { value: made });
  return made;
}

/** From now on tensors are made at that node, where nothing else is said. */
export function useCaller(caller: Caller): void {
  current = sessionOf(caller);
}

/** Where tensors are made: what `useCaller` says, else the program of this isolate. */
export function defaultSession(): Session {
  if (current === undefined && hasHost) current = sessionOf(env);
  if (current !== undefined) return current;
  throw new OperationError("INTERNAL", "[tensor] there is no node: `useCaller(await connect(url))` first");
}
