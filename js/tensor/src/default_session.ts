import { type Caller, env, hasHost, OperationError } from "@alknet/operations";
import { Session } from "./session.ts";

const sessions = new WeakMap<Caller, Session>();
let current: Session | undefined;

/** The session of a caller, always the same one: handles of a caller are numbered. */
export function sessionOf(caller: Caller): Session {
  const known = sessions.get(caller);
  if (known !== undefined) return known;
  const made = new Session(caller);
  sessions.set(caller, made);
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
