import type { Source } from "./element.ts";

/** The codes of this package. */
export type TreeErrorCode =
  /** A component, or a host while it prepared, threw: the tree is as it was. */
  | "render_failed"
  /** A host threw while the tree changed: the tree is given up. */
  | "commit_failed"
  /** Two siblings have one key. */
  | "duplicate_key"
  /** A child that is no node: an object, a function, a symbol. */
  | "bad_node"
  /** Rendering changes what it reads, without end. */
  | "render_loop"
  /** The root is unmounted or given up. */
  | "unmounted"
  /** A value that JSON has not. */
  | "not_json"
  /** JSON that is no tree. */
  | "bad_json";

/**
 * The exception of this package. Branch on `code`; `cause` is what was thrown by a component or host. Hosts that throw
 * errors of their own that know their path extend it: those are passed on as they are.
 */
export class TreeError<Code extends string = TreeErrorCode> extends Error {
  readonly code: Code;
  /** Where in the tree: "App/Struct/Field[2]"; keys are in quotes. */
  readonly path: string;
  /** The message without the place. */
  readonly what: string;
  readonly source?: Source;

  constructor(code: Code, path: string, what: string, more: { cause?: unknown; source?: Source } = {}) {
    const at = more.source === undefined ? "" : ` (${more.source.file}:${more.source.line})`;
    super(`${path === "" ? "root" : path}${at}: ${what}`, "cause" in more ? { cause: more.cause } : undefined);
    this.name = "TreeError";
    this.code = code;
    this.path = path;
    this.what = what;
    if (more.source !== undefined) this.source = more.source;
  }
}

/** What an exception says, for the message of another. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
