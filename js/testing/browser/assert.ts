// What tests use of node:assert/strict, where there is no Node.

class AssertionError extends Error {}

function fail(message: unknown, what: string): never {
  throw message instanceof Error
    ? message
    : new AssertionError(message === undefined ? what : `${String(message)}: ${what}`);
}

function show(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 2000);
  } catch {
    return String(value);
  }
}

/** Equality by value, prototypes included, as deepStrictEqual has it for what JSON and classes can say. */
function same(a: unknown, b: unknown, open = new Map<object, object>()): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (open.get(a) === b) return true;
  open.set(a, b);
  if (a instanceof Error && b instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof Set || a instanceof Map) {
    return same([...a], [...(b as Set<unknown>)], open);
  }
  const names = Reflect.ownKeys(a).filter((name) => Object.prototype.propertyIsEnumerable.call(a, name));
  const others = Reflect.ownKeys(b).filter((name) => Object.prototype.propertyIsEnumerable.call(b, name));
  const part = (of: object, name: string | symbol): unknown => (of as Record<string | symbol, unknown>)[name];
  return (
    names.length === others.length &&
    (!Array.isArray(a) || a.length === (b as unknown[]).length) &&
    names.every((name) => Object.hasOwn(b, name) && same(part(a, name), part(b, name), open))
  );
}

/** Whether an exception is what `expected` says: a class, a pattern, a predicate, or members. */
function checkError(error: unknown, expected: unknown): void {
  if (expected === undefined || typeof expected === "string") return;
  if (expected instanceof RegExp) {
    if (!expected.test(String(error))) fail(undefined, `${String(error)} does not match ${String(expected)}`);
  } else if (typeof expected === "function") {
    const isClass = Object.hasOwn(expected, "prototype") && error instanceof (expected as new () => object);
    const isErrorClass = expected === Error || Object.prototype.isPrototypeOf.call(Error, expected);
    if (isClass) return;
    if (isErrorClass || (expected as (error: unknown) => unknown)(error) !== true) {
      fail(undefined, `${String(error)} is not what was expected`);
    }
  } else {
    for (const [name, value] of Object.entries(expected as object)) {
      const own = (error as Record<string, unknown>)[name];
      const good = value instanceof RegExp && typeof own === "string" ? value.test(own) : same(own, value);
      if (!good) fail(undefined, `${String(error)}: ${name} is ${show(own)}, not ${show(value)}`);
    }
  }
}

const kNothing = Symbol("nothing");

function ok(value: unknown, message?: unknown): void {
  if (!value) fail(message, `${show(value)} is not true`);
}

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return kNothing;
}

export default Object.assign(ok, {
  ok,
  equal(a: unknown, b: unknown, message?: unknown): void {
    if (!Object.is(a, b)) fail(message, `${show(a)} is not ${show(b)}`);
  },
  notEqual(a: unknown, b: unknown, message?: unknown): void {
    if (Object.is(a, b)) fail(message, `both are ${show(a)}`);
  },
  deepEqual(a: unknown, b: unknown, message?: unknown): void {
    if (!same(a, b)) fail(message, `${show(a)} does not equal ${show(b)}`);
  },
  match(text: string, pattern: RegExp, message?: unknown): void {
    if (!pattern.test(text)) fail(message, `${show(text)} does not match ${String(pattern)}`);
  },
  fail(message?: unknown): never {
    return fail(message, "failed");
  },
  throws(action: () => unknown, expected?: unknown, message?: unknown): void {
    const error = caught(action);
    if (error === kNothing)
      fail(message ?? (typeof expected === "string" ? expected : undefined), "nothing was thrown");
    checkError(error, expected);
  },
  async rejects(action: Promise<unknown> | (() => Promise<unknown>), expected?: unknown): Promise<void> {
    let error: unknown = kNothing;
    try {
      await (typeof action === "function" ? action() : action);
    } catch (thrown) {
      error = thrown;
    }
    if (error === kNothing) fail(undefined, "nothing was rejected");
    checkError(error, expected);
  },
});
