/**
 * Runs what test files declare, one test after the other, and tells of each.
 *
 * @packageDocumentation
 */
import { type Body, collect, type Suite, type TestCase } from "./collect.ts";
import { AssertionError } from "./error.ts";
import { format } from "./format.ts";

export * as globals from "./index.ts";

/** Why a test failed. */
export interface Failure {
  readonly message: string;
  readonly stack?: string;
  readonly expected?: string;
  readonly actual?: string;
}

/** What became of one test. */
export interface TestResult {
  readonly file: string;
  /** The groups around it, outermost first. */
  readonly groups: readonly string[];
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped" | "todo";
  readonly milliseconds: number;
  readonly failure?: Failure;
}

/** What became of a run. */
export interface Summary {
  readonly files: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly todo: number;
}

/** What the host lends to a run. */
export interface RunOptions {
  readonly files: readonly string[];
  /** Imports a test file. */
  readonly load: (file: string) => Promise<unknown>;
  /** Hears of each test when it ends. */
  readonly report: (result: TestResult) => void;
  /** Milliseconds, on a clock that only goes forward. */
  readonly now: () => number;
  /** Calls back once after so many milliseconds; what it gives ends that. */
  readonly after: (milliseconds: number, then: () => void) => () => void;
  /** Of a test that sets none, in milliseconds. */
  readonly timeout: number;
  /** Only tests whose full name contains this. */
  readonly filter?: string | undefined;
  /** Hears of each test before it begins, and of the milliseconds that it has. */
  readonly begin?: (groups: readonly string[], name: string, timeout: number) => void;
  /** Lets everything happen that needs no more time: rejections that nobody caught are known then. */
  readonly turn?: () => Promise<void>;
  /** What nobody caught since this was last asked. */
  readonly uncaught?: () => readonly Failure[];
}

/** Runs the tests of all files. */
export async function run(options: RunOptions): Promise<Summary> {
  const results: TestResult[] = [];
  const report = (result: TestResult) => {
    results.push(result);
    options.report(result);
  };
  for (const file of options.files) await new FileRun(file, options, report).run();
  const count = (status: TestResult["status"]) => results.filter((result) => result.status === status).length;
  return {
    files: options.files.length,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    todo: count("todo"),
  };
}

/** What surrounds a test: the groups, and whether one of them decides that it runs. */
interface Place {
  readonly suites: readonly Suite[];
  readonly skipped: boolean;
  readonly chosen: boolean;
}

class FileRun {
  readonly #file: string;
  readonly #options: RunOptions;
  readonly #report: (result: TestResult) => void;
  #only = false;

  constructor(file: string, options: RunOptions, report: (result: TestResult) => void) {
    this.#file = file;
    this.#options = options;
    this.#report = report;
  }

  async run(): Promise<void> {
    const begin = this.#options.now();
    try {
      const root = await collect("", () => this.#options.load(this.#file));
      const late = await this.#withUncaught(undefined);
      if (late !== undefined) this.#tell([], "the file loads", "failed", begin, late);
      if (!hasTests(root)) {
        const message = 'it declares no tests: call test("name", () => { ... }), at its top or in a describe()';
        this.#tell([], "the file has tests", "failed", begin, { message });
      }
      this.#only = hasOnly(root);
      await this.#suite(root, { suites: [], skipped: false, chosen: false });
    } catch (error) {
      this.#tell([], "the file loads", "failed", begin, failureOf(error));
    }
  }

  /** The failure, and with it what nobody has caught meanwhile. */
  async #withUncaught(failure: Failure | undefined): Promise<Failure | undefined> {
    await this.#options.turn?.();
    const [first, ...rest] = this.#options.uncaught?.() ?? [];
    if (first === undefined) return failure;
    const others = rest.map(({ message }) => `\nnobody caught: ${message}`).join("");
    if (failure === undefined) return { ...first, message: `nobody caught: ${first.message}${others}` };
    return { ...failure, message: `${failure.message}\nnobody caught: ${first.message}${others}` };
  }

  async #suite(suite: Suite, outer: Place): Promise<void> {
    const place: Place = {
      suites: [...outer.suites, suite],
      skipped: outer.skipped || suite.mode === "skip",
      chosen: outer.chosen || suite.mode === "only",
    };
    const runs = this.#runsAny(suite, place);
    const begin = this.#options.now();
    let broken: Failure | undefined;
    if (runs) broken = await this.#hooks(suite.hooks.beforeAll);
    for (const item of suite.items) {
      if (item.kind === "suite") await this.#suite(item, place);
      else await this.#test(item, place, broken);
    }
    if (!runs) return;
    const after = await this.#hooks(suite.hooks.afterAll);
    if (after !== undefined) this.#tell(groupsOf(place), "afterAll", "failed", begin, after);
  }

  /** Whether a test of the group, or of a group inside it, runs. */
  #runsAny(suite: Suite, place: Place): boolean {
    return suite.items.some((item) => {
      if (item.kind === "test") return this.#statusOf(item, place) === undefined;
      return this.#runsAny(item, {
        suites: [...place.suites, item],
        skipped: place.skipped || item.mode === "skip",
        chosen: place.chosen || item.mode === "only",
      });
    });
  }

  /** Why a test does not run; undefined: it does. */
  #statusOf(test: TestCase, place: Place): "skipped" | "todo" | undefined {
    if (test.mode === "todo") return "todo";
    const filter = this.#options.filter;
    const filtered = filter !== undefined && ![...groupsOf(place), test.name].join(" ").includes(filter);
    const passedOver = this.#only && !place.chosen && test.mode !== "only";
    return place.skipped || test.mode === "skip" || filtered || passedOver ? "skipped" : undefined;
  }

  async #test(test: TestCase, place: Place, broken: Failure | undefined): Promise<void> {
    const begin = this.#options.now();
    const status = this.#statusOf(test, place);
    if (status !== undefined) return this.#tell(groupsOf(place), test.name, status, begin);
    let failure = broken;
    const timeout = test.options.timeout ?? this.#options.timeout;
    this.#options.begin?.(groupsOf(place), test.name, timeout);
    if (failure === undefined) {
      failure = await this.#hooks(place.suites.flatMap((suite) => suite.hooks.beforeEach));
      failure ??= await this.#guarded(test.body, timeout, test.name);
      const after = await this.#hooks([...place.suites].reverse().flatMap((suite) => suite.hooks.afterEach));
      failure = await this.#withUncaught(failure ?? after);
    }
    this.#tell(groupsOf(place), test.name, failure === undefined ? "passed" : "failed", begin, failure);
  }

  async #hooks(hooks: readonly Body[]): Promise<Failure | undefined> {
    for (const body of hooks) {
      const failure = await this.#guarded(body, this.#options.timeout, "a hook");
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  /** Runs a body until it ends or its time is over. */
  async #guarded(body: Body, timeout: number, what: string): Promise<Failure | undefined> {
    let stop: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `${what} took longer than ${timeout} ms: pass { timeout } or --timeout to allow more`;
      stop = this.#options.after(timeout, () => reject(new AssertionError(message)));
    });
    try {
      await Promise.race([Promise.resolve().then(body), late]);
      return undefined;
    } catch (error) {
      return failureOf(error);
    } finally {
      stop();
    }
  }

  #tell(groups: readonly string[], name: string, status: TestResult["status"], begin: number, failure?: Failure): void {
    const milliseconds = this.#options.now() - begin;
    this.#report({ file: this.#file, groups, name, status, milliseconds, ...(failure && { failure }) });
  }
}

function groupsOf(place: Place): string[] {
  return place.suites.map((suite) => suite.name).filter((name) => name !== "");
}

function hasTests(suite: Suite): boolean {
  return suite.items.some((item) => item.kind === "test" || hasTests(item));
}

function hasOnly(suite: Suite): boolean {
  return suite.items.some((item) => item.mode === "only" || (item.kind === "suite" && hasOnly(item)));
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: `threw ${format(error)}` };
  const values = error instanceof AssertionError && error.expected !== undefined;
  return {
    message: error instanceof AssertionError ? error.message : `${error.name}: ${error.message}`,
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(values && { expected: format(error.expected), actual: format(error.actual) }),
  };
}
