// A test harness that needs nothing: it runs in Node and in an isolate, and gives what each test returned, so that the
// two can be compared. The runner defines `engine` ("node" or "alknet") and `capture(body)`: the lines that
// `body(console)` prints.
globalThis.harness = (() => {
  const tests = [];

  const text = (value) =>
    typeof value === "bigint" ? `${value}n` : typeof value === "string" ? JSON.stringify(value) : String(value);

  function fail(message, got, wanted) {
    throw new Error(`${message ? `${message}: ` : ""}got ${text(got)}, wanted ${text(wanted)}`);
  }

  /** Equal as JSON sees it, apart from what JSON cannot say. */
  function same(a, b) {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
      return (
        a.constructor.name === b.constructor.name &&
        a.length === b.length &&
        a.every((item, i) => Object.is(item, b[i]))
      );
    }
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }

  /** What JSON, or a strict reader of it, cannot say is said in words. */
  function forJson(_, held) {
    if (typeof held === "bigint") return `${held}n`;
    return typeof held === "string" && !held.isWellFormed() ? `ill-formed ${JSON.stringify(held)}` : held;
  }

  return {
    /** A test in both engines: what it returns must be equal in both. */
    test: (name, body) => tests.push({ name, body }),
    /** A test of what Node 20 lacks or does otherwise on purpose. */
    testHere: (name, body) => globalThis.engine === "alknet" && tests.push({ name, body, here: true }),

    ok(condition, message = "the condition") {
      if (!condition) fail(message, condition, true);
    },
    equal(got, wanted, message = "") {
      if (!same(got, wanted))
        fail(
          message,
          typeof got === "object" ? JSON.stringify(got) : got,
          typeof wanted === "object" ? JSON.stringify(wanted) : wanted,
        );
    },
    /** The name of the error that `body` throws; for a DOMException its name too. */
    thrown(body) {
      try {
        body();
      } catch (error) {
        return error.name;
      }
      throw new Error("nothing was thrown");
    },
    async rejected(promise) {
      try {
        await promise;
      } catch (error) {
        return error?.name ?? String(error);
      }
      throw new Error("the promise was not rejected");
    },
    bytes: (...values) => new Uint8Array(values),
    text: async (stream) => new Response(stream).text(),

    /** Runs all tests; the JSON text of [{name, ok, value | message, here}]. */
    async run() {
      const results = [];
      for (const { name, body, here } of tests) {
        const result = { name, ok: true, ...(here && { here }) };
        try {
          const value = await body();
          result.value = value === undefined ? null : JSON.parse(JSON.stringify(value, forJson) ?? "null");
        } catch (error) {
          result.ok = false;
          result.message = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
        }
        results.push(result);
      }
      return JSON.stringify(results);
    },
  };
})();
