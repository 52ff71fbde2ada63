import type { ProblemCode } from "./problem.ts";

/** Why an operation does not take what it is given. */
export class Mismatch extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, message: string) {
    super(message);
    this.code = code;
  }
}
