/** Why a node of a template did not complete. */
export class NodeError extends Error {
  /** The wire's codes, or `DEPENDENCY_FAILED` and `ABORTED`. */
  readonly code: string;
  /** The node, with the items of the maps around it. */
  readonly path: string;
  readonly retryable: boolean;

  constructor(code: string, path: string, message: string, cause?: unknown, retryable = code === "TIMEOUT") {
    super(message, { cause });
    this.name = "NodeError";
    this.code = code;
    this.path = path;
    this.retryable = retryable;
  }
}

/** The code of an error of any kind. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "INTERNAL";
}

/** The text of an error of any kind. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error says that trying again is of no use. */
export function isFinal(error: unknown): boolean {
  return (error as { retryable?: unknown } | undefined)?.retryable === false;
}

/** What a call failed with, with the node and the operation. */
export function called(error: unknown, path: string, operation: string): unknown {
  if (error instanceof NodeError || codeOf(error) === "ABORTED") return error;
  return new NodeError(codeOf(error), path, `${path} (${operation}): ${messageOf(error)}`, error, !isFinal(error));
}

/** The error of a node that was stopped. */
export function aborted(path: string, reason: unknown): NodeError {
  return new NodeError(
    "ABORTED",
    path,
    `${path} was aborted${reason === undefined ? "" : `: ${messageOf(reason)}`}`,
    reason,
  );
}
