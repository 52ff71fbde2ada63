// What tests use of node:test, as `alknet test` has it.
import { afterAll, beforeAll, test as declare } from "@alknet/test";

type Body = () => unknown;

interface Options {
  readonly skip?: boolean | string;
}

const globals = globalThis as { setImmediate?: (action: (...values: unknown[]) => void, ...values: unknown[]) => void };
globals.setImmediate ??= (action, ...values) => void setTimeout(action, 0, ...values);

/** Declares a test; one that asks for the context of node:test is passed over. */
export function test(name: string, options: Options | Body, body?: Body): void {
  const [{ skip }, run] = typeof options === "function" ? [{ skip: undefined }, options] : [options, body];
  const reason = (run?.length ?? 0) > 0 ? "it asks for the context of node:test" : skip;
  if (reason !== undefined && reason !== false) declare.skip(`${name}: ${String(reason)}`, () => undefined);
  else declare(name, run ?? (() => undefined));
}

export { afterAll as after, beforeAll as before };
