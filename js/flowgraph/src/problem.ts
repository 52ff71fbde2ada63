import type { Source } from "@alknet/ujsx";

/** What kind of mistake a template has. */
export type ProblemCode =
  | "bad_element"
  | "bad_ref"
  | "cycle"
  | "dtype_mismatch"
  | "duplicate_id"
  | "duplicate_name"
  | "illegal_name"
  | "missing_input"
  | "not_static"
  | "order"
  | "shape_mismatch"
  | "unknown_input"
  | "unknown_operation"
  | "unknown_ref";

/** One mistake in a template, and the path of the element that has it. */
export interface Problem {
  readonly path: string;
  readonly code: ProblemCode;
  readonly message: string;
  /** Where the element was written, where the compiler tells it and that is another than the one at `path`. */
  readonly source?: Source;
}

/** Problems written out in the message; the member holds all. */
const shown = 20;

/** A template with mistakes: all of them. */
export class TemplateError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const lines = problems.slice(0, shown).map(({ path, message }) => `  ${path}: ${message}`);
    super([`the template has ${problems.length} problem(s):`, ...lines].join("\n"));
    this.name = "TemplateError";
    this.problems = problems;
  }
}

/** Collects problems, each once. */
export class ProblemList {
  readonly #found = new Map<string, Problem>();

  add(path: string, code: ProblemCode, message: string, source?: Source): void {
    const place = source === undefined ? {} : { source };
    this.#found.set(`${path} ${code} ${message}`, { path, code, message, ...place });
  }

  get all(): readonly Problem[] {
    return [...this.#found.values()];
  }

  /** @throws TemplateError unless there are none. */
  require(): void {
    if (this.#found.size > 0) throw new TemplateError(this.all);
  }
}
