/** What can go wrong with a stream. */
export type PubSubErrorCode =
  /** A bounded queue was full, and its rule is `error`. */
  | "overflow"
  /** Something was sent after the end. */
  | "closed"
  /** Cancelled, by a signal without reason. */
  | "aborted"
  /** A number that makes no sense. */
  | "invalid_argument";

/** The exception of this package. Branch on `code`. */
export class PubSubError extends Error {
  readonly code: PubSubErrorCode;

  constructor(code: PubSubErrorCode, message: string) {
    super(message);
    this.name = "PubSubError";
    this.code = code;
  }
}
