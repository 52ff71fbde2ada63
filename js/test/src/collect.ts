/** What a test or a hook does; a promise is waited for. */
export type Body = () => unknown;

/** How one test runs. */
export interface TestOptions {
  /** Milliseconds until it counts as failed. */
  readonly timeout?: number;
}

export type Mode = "run" | "only" | "skip" | "todo";
export type HookName = "beforeAll" | "afterAll" | "beforeEach" | "afterEach";

/** One test, as it was declared. */
export interface TestCase {
  readonly kind: "test";
  readonly name: string;
  readonly body: Body;
  readonly mode: Mode;
  readonly options: TestOptions;
}

/** A group of tests. */
export interface Suite {
  readonly kind: "suite";
  readonly name: string;
  readonly mode: Mode;
  readonly items: (TestCase | Suite)[];
  readonly hooks: Record<HookName, Body[]>;
}

/** An empty group. */
export function makeSuite(name: string, mode: Mode): Suite {
  return { kind: "suite", name, mode, items: [], hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } };
}

// Declarations are calls without an argument that says where they belong: the group that is being declared is known here.
const open: Suite[] = [];

function innermost(what: string): Suite {
  const suite = open.at(-1);
  if (suite === undefined) {
    throw new Error(`${what} is for the top of a test file and for describe(); \`alknet test FILE\` runs the file`);
  }
  return suite;
}

/** What `load` declares, as one group. */
export async function collect(name: string, load: () => Promise<unknown>): Promise<Suite> {
  const suite = makeSuite(name, "run");
  open.push(suite);
  try {
    await load();
  } finally {
    open.pop();
  }
  return suite;
}

function declareSuite(name: string, body: () => void, mode: Mode): void {
  const suite = makeSuite(name, mode);
  innermost("describe()").items.push(suite);
  open.push(suite);
  try {
    const result: unknown = body();
    if (result instanceof Promise) throw new TypeError(`describe(${JSON.stringify(name)}) must not be async: its tests may be`);
  } finally {
    open.pop();
  }
}

function declareTest(name: string, body: Body, options: TestOptions, mode: Mode): void {
  innermost("test()").items.push({ kind: "test", name, body, mode, options });
}

type Declare = (name: string, body: Body, options?: TestOptions | number) => void;

/** Declares a test. */
export interface TestFunction extends Declare {
  /** Of its file, only such tests run. */
  readonly only: Declare;
  /** Does not run. */
  readonly skip: Declare;
  /** A test that is yet to be written. */
  readonly todo: (name: string) => void;
  /** One test a row; %s, %d and %j in the name stand for its values, in order. */
  readonly each: <Row>(
    rows: readonly Row[],
  ) => (name: string, body: (...values: Row extends readonly unknown[] ? Row : [Row]) => unknown) => void;
}

/** Declares a group of tests. */
export interface DescribeFunction {
  (name: string, body: () => void): void;
  /** Of its file, only such groups run. */
  readonly only: (name: string, body: () => void) => void;
  /** Does not run. */
  readonly skip: (name: string, body: () => void) => void;
}

function declare(mode: Mode): Declare {
  return (name, body, options = {}) =>
    declareTest(name, body, typeof options === "number" ? { timeout: options } : options, mode);
}

function nameOfRow(name: string, values: readonly unknown[]): string {
  let next = 0;
  return name.replaceAll(/%[sdj%]/g, (mark) => {
    if (mark === "%%") return "%";
    const value = values[next++];
    return mark === "%j" ? JSON.stringify(value) : String(value);
  });
}

/** {@inheritDoc TestFunction} */
export const test: TestFunction = Object.assign(declare("run"), {
  only: declare("only"),
  skip: declare("skip"),
  todo: (name: string) => declareTest(name, () => undefined, {}, "todo"),
  each:
    <Row>(rows: readonly Row[]) =>
    (name: string, body: (...values: Row extends readonly unknown[] ? Row : [Row]) => unknown) => {
      for (const row of rows) {
        const values = (Array.isArray(row) ? row : [row]) as Row extends readonly unknown[] ? Row : [Row];
        declareTest(nameOfRow(name, values), () => body(...values), {}, "run");
      }
    },
});

/** The same as test. */
export const it: TestFunction = test;

/** {@inheritDoc DescribeFunction} */
export const describe: DescribeFunction = Object.assign(
  (name: string, body: () => void) => declareSuite(name, body, "run"),
  {
    only: (name: string, body: () => void) => declareSuite(name, body, "only"),
    skip: (name: string, body: () => void) => declareSuite(name, body, "skip"),
  },
);

function hook(name: HookName): (body: Body) => void {
  return (body) => void innermost(`${name}()`).hooks[name].push(body);
}

/** Runs once before the first test of the group around it. */
export const beforeAll: (body: Body) => void = hook("beforeAll");
/** Runs once after the last test of the group around it. */
export const afterAll: (body: Body) => void = hook("afterAll");
/** Runs before each test of the group around it; outer groups first. */
export const beforeEach: (body: Body) => void = hook("beforeEach");
/** Runs after each test of the group around it; inner groups first. */
export const afterEach: (body: Body) => void = hook("afterEach");
