import type { Assembly } from "./attachments.ts";
import { OperationError, ProtocolError } from "./error.ts";
import type { Features } from "./link.ts";
import type { Message } from "./message.ts";
import type { Window } from "./subscription.ts";

/** A request of the peer that runs. Whoever runs it sets the two functions. */
export interface InboundCall {
  readonly id: string;
  /** Those that were in use when it began. */
  readonly features: Features;
  readonly window: Window;
  ended: boolean;
  waitsForRoom: boolean;
  assembly: Assembly | undefined;
  /** The peer gave it up, or is gone. */
  aborted?: () => void;
  /** After `hasRoom` said no: there is room again. */
  roomAgain?: () => void;
}

/** What the peer asks for. */
export interface InboundRequest {
  /** As it came, with its leading slash. */
  readonly operation: string;
  readonly input: Message;
  readonly timeout?: number;
  readonly authToken?: string;
  readonly forwardedFor?: unknown;
  readonly parent?: string;
}

/** Requests of the peer by id. */
export class InboundCalls {
  readonly #calls = new Map<string, InboundCall>();

  get size(): number {
    return this.#calls.size;
  }

  /** Undefined when one of that id runs. */
  add(id: string, features: Features, window: Window): InboundCall | undefined {
    if (this.#calls.has(id)) return undefined;
    const call = { id, features, window, ended: false, waitsForRoom: false, assembly: undefined };
    this.#calls.set(id, call);
    return call;
  }

  find(id: string): InboundCall | undefined {
    return this.#calls.get(id);
  }

  remove(call: InboundCall): void {
    if (this.#calls.get(call.id) === call) this.#calls.delete(call.id);
  }

  takeAll(): InboundCall[] {
    const all = [...this.#calls.values()];
    this.#calls.clear();
    return all;
  }
}

type Payload = Readonly<Record<string, unknown>>;

function mistyped(member: string): OperationError {
  return new OperationError("INVALID_INPUT", `\`${member}\` is missing or has a wrong type`, { details: { member } });
}

/** The payload of `call.requested`, or what is wrong with it. */
export function readRequest(payload: Payload, sandbox: boolean): InboundRequest | OperationError {
  const { operationId, input = null, auth_token: authToken, forwarded_for: forwardedFor, timeout_ms: timeout } = payload;
  const { parent } = payload;
  if (typeof operationId !== "string") return mistyped("operationId");
  if (authToken !== undefined && typeof authToken !== "string") return mistyped("auth_token");
  const counted = typeof timeout === "number" && Number.isInteger(timeout) && timeout > 0;
  if (timeout !== undefined && !counted) return mistyped("timeout_ms");
  if (sandbox && parent !== undefined && typeof parent !== "string") return mistyped("parent");
  return {
    operation: operationId,
    input: { value: input, bytes: [] },
    ...(counted ? { timeout } : {}),
    ...(authToken === undefined ? {} : { authToken }),
    ...(forwardedFor === undefined ? {} : { forwardedFor }),
    ...(sandbox && typeof parent === "string" ? { parent } : {}),
  };
}

/** The payload of `call.credit`. Throws ProtocolError. */
export function readCredit(payload: Payload): Window {
  const read = (name: "items" | "bytes"): number => {
    const value = payload[name] ?? 0;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
    throw new ProtocolError(`[call.credit] \`${name}\` is no count`);
  };
  return { items: read("items"), bytes: read("bytes") };
}
