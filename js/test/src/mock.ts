/** A function that remembers its calls. */
export interface Mock<Arguments extends readonly unknown[] = unknown[], Result = unknown> {
  (...values: Arguments): Result;
  /** What happened, first call first. */
  readonly mock: {
    readonly calls: Arguments[];
    readonly results: ({ type: "return"; value: Result } | { type: "throw"; value: unknown })[];
  };
  /** Forgets the calls. */
  mockClear(): void;
  /** What later calls do. */
  mockImplementation(body: (...values: Arguments) => Result): this;
  /** What later calls give. */
  mockReturnValue(value: Result): this;
}

/** Makes a function that does what `body` does, or nothing, and remembers its calls. */
export function fn<Arguments extends readonly unknown[] = unknown[], Result = unknown>(
  body?: (...values: Arguments) => Result,
): Mock<Arguments, Result> {
  let current = body;
  const calls: Arguments[] = [];
  const results: Mock<Arguments, Result>["mock"]["results"] = [];
  const call = (...values: Arguments): Result => {
    calls.push(values);
    try {
      const value = current?.(...values) as Result;
      results.push({ type: "return", value });
      return value;
    } catch (error) {
      results.push({ type: "throw", value: error });
      throw error;
    }
  };
  const made: Mock<Arguments, Result> = Object.assign(call, {
    mock: { calls, results },
    mockClear() {
      calls.length = 0;
      results.length = 0;
    },
    mockImplementation(next: (...values: Arguments) => Result) {
      current = next;
      return made;
    },
    mockReturnValue(value: Result) {
      current = () => value;
      return made;
    },
  });
  return made;
}

/** The calls of a function that `fn` made. Throws a TypeError for any other value. */
export function callsOf(value: unknown): readonly (readonly unknown[])[] {
  if (typeof value === "function" && "mock" in value) return (value as unknown as Mock).mock.calls;
  throw new TypeError("this matcher wants a function made by fn(): pass fn(body) to what is tested");
}
