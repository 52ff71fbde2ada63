/** An error as it travels: the payload of `call.error`. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: unknown;
}

/** What an error may say beside its code and message. */
export interface ErrorFacts {
  readonly retryable?: boolean;
  readonly details?: unknown;
  readonly requestId?: string;
}

/** Codes of the protocol itself. Every other code is one that an operation declares. */
export const kProtocolCodes: ReadonlySet<string> = new Set([
  "NOT_FOUND",
  "FORBIDDEN",
  "INVALID_INPUT",
  "INVALID_OPERATION_TYPE",
  "INTERNAL",
  "TIMEOUT",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
]);

const kRetryable: ReadonlySet<string> = new Set(["TIMEOUT", "RESOURCE_EXHAUSTED"]);

/** The failure of a call. Handlers throw it with a code that their operation declares. */
export class OperationError extends Error {
  override readonly name = "OperationError";
  /** In capitals: `NOT_FOUND`, or a code of the operation. */
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Facts for programs; undefined when there are none. */
  readonly details: unknown;
  /** The call that failed; empty when it never had an id. */
  readonly requestId: string;

  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message);
    this.code = code;
    this.retryable = facts.retryable ?? kRetryable.has(code);
    this.details = facts.details;
    this.requestId = facts.requestId ?? "";
  }

  /** The form of `call.error`. */
  toWire(): WireError {
    const wire = { code: this.code, message: this.message, retryable: this.retryable };
    return this.details === undefined || this.details === null ? wire : { ...wire, details: this.details };
  }

  /** The error that a payload of `call.error` says; INTERNAL for one without a code or a message. */
  static fromWire(payload: unknown, requestId = ""): OperationError {
    const { code, message, retryable, details } = (payload ?? {}) as Partial<WireError>;
    if (typeof code !== "string" || typeof message !== "string") {
      return new OperationError("INTERNAL", "the other side answered a malformed error", { requestId });
    }
    return new OperationError(code, message, { retryable: retryable === true, details, requestId });
  }
}

/** A limit of this side was reached; `details.limit` names it. */
export function limitReached(limit: string, value: number, message: string): OperationError {
  return new OperationError("RESOURCE_EXHAUSTED", `${message} (limit ${limit}: ${value})`, { details: { limit } });
}

/** Ends a connection: the other side sent what the protocol does not allow, or passed a limit. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** The reset code of the protocol: 1 malformed, 2 a limit. */
  readonly code: 1 | 2;

  constructor(message: string, code: 1 | 2 = 1) {
    super(message);
    this.code = code;
  }
}
