import { AssertionError } from "./error.ts";
import { format } from "./format.ts";
import { type ErrorLike, judgeError, matchers, type Verdict } from "./matchers.ts";
import { patterns } from "./patterns.ts";

type Table = typeof matchers;
type Rest<F> = F extends (actual: unknown, ...values: infer Values) => unknown ? Values : never;

/** The matchers, each giving `Result`: nothing, or a promise after `resolves` and `rejects`. */
export type Matchers<Result> = { readonly [Name in keyof Table]: (...values: Rest<Table[Name]>) => Result } & {
  /** The opposite of each. */
  readonly not: Matchers<Result>;
};

/** What `expect(value)` gives. */
export type Assertion = Matchers<void> & {
  /** Judges what a promise resolves to. */
  readonly resolves: Matchers<Promise<void>>;
  /** Judges what a promise is rejected with; `toThrow` judges it as an error. */
  readonly rejects: Matchers<Promise<void>>;
};

/** Claims something about a value: `expect(value).toBe(other)`. Throws AssertionError when it does not hold. */
export type Expect = ((actual: unknown) => Assertion) & typeof patterns;

function check(verdict: Verdict, actual: unknown, negated: boolean): void {
  if (verdict.pass !== negated) return;
  const detail = verdict.detail === undefined || negated ? "" : `: ${verdict.detail}`;
  const subject = typeof actual === "function" ? "the function" : format(actual);
  throw new AssertionError(`expected ${subject} ${negated ? "not " : ""}to ${verdict.claim}${detail}`, {
    expected: verdict.expected,
    actual,
  });
}

type Judge<Result> = (name: keyof Table, values: unknown[], negated: boolean) => Result;

function matchersOf<Result>(judge: Judge<Result>): Matchers<Result> {
  const build = (negated: boolean): Record<string, unknown> =>
    Object.fromEntries(
      Object.keys(matchers).map((name) => [
        name,
        (...values: unknown[]) => judge(name as keyof Table, values, negated),
      ]),
    );
  return { ...build(false), not: build(true) } as unknown as Matchers<Result>;
}

function verdictOf(name: keyof Table, actual: unknown, values: unknown[]): Verdict {
  return (matchers[name] as (actual: unknown, ...values: unknown[]) => Verdict)(actual, ...values);
}

async function settled(promise: unknown): Promise<{ threw: boolean; value?: unknown; error?: unknown }> {
  try {
    return { threw: false, value: await (typeof promise === "function" ? promise() : promise) };
  } catch (error) {
    return { threw: true, error };
  }
}

function assertionOf(actual: unknown): Assertion {
  const direct = matchersOf<void>((name, values, negated) => check(verdictOf(name, actual, values), actual, negated));
  const resolves = matchersOf<Promise<void>>(async (name, values, negated) => {
    const outcome = await settled(actual);
    if (outcome.threw) throw new AssertionError(`expected a promise to resolve: it threw ${format(outcome.error)}`);
    check(verdictOf(name, outcome.value, values), outcome.value, negated);
  });
  const rejects = matchersOf<Promise<void>>(async (name, values, negated) => {
    const outcome = await settled(actual);
    if (name === "toThrow") return check(judgeError(outcome, values[0] as ErrorLike | undefined), actual, negated);
    if (!outcome.threw) throw new AssertionError(`expected a promise to be rejected: it gave ${format(outcome.value)}`);
    check(verdictOf(name, outcome.error, values), outcome.error, negated);
  });
  return { ...direct, resolves, rejects };
}

/** {@inheritDoc Expect} */
export const expect: Expect = Object.assign(assertionOf, patterns);
