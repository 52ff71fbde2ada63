/** A claim of a test that does not hold. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
  /** What the test asked for and what it got, where the matcher compares values. */
  readonly expected: unknown;
  readonly actual: unknown;

  constructor(message: string, values: { expected?: unknown; actual?: unknown } = {}) {
    super(message);
    this.expected = values.expected;
    this.actual = values.actual;
  }
}
