import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "./index.ts";
import { run, type RunOptions, type TestResult } from "./runner.ts";

/** Runs one file's declarations: what became of each test, as "group/name status". */
async function outcome(declare: () => unknown, more: Partial<RunOptions> = {}) {
  const results: TestResult[] = [];
  const summary = await run({
    files: ["a.test.ts"],
    load: async () => declare(),
    report: (result) => results.push(result),
    now: () => performance.now(),
    after: (milliseconds, then) => {
      const timer = setTimeout(then, milliseconds);
      return () => clearTimeout(timer);
    },
    timeout: 1000,
    ...more,
  });
  const lines = results.map((result) => `${[...result.groups, result.name].join("/")} ${result.status}`);
  return { lines, results, summary };
}

nodeTest("hooks run around each test, outer groups first, and after them inner groups first", async () => {
  const log: string[] = [];
  const note = (text: string) => () => void log.push(text);
  const { lines } = await outcome(() => {
    beforeAll(note("all"));
    beforeEach(note("each"));
    afterEach(note("after each"));
    afterAll(note("after all"));
    describe("g", () => {
      beforeEach(async () => note("inner each")());
      afterEach(note("inner after each"));
      test("t", note("t"));
    });
  });
  assert.deepEqual(lines, ["g/t passed"]);
  assert.deepEqual(log, ["all", "each", "inner each", "t", "inner after each", "after each", "after all"]);
});

nodeTest("only, skip, todo and a filter choose", async () => {
  const declare = () => {
    test.only("a", () => undefined);
    test("b", () => undefined);
    describe.only("g", () => {
      test("c", () => undefined);
      test.skip("d", () => undefined);
    });
    test.todo("e");
  };
  const all = await outcome(declare);
  assert.deepEqual(all.lines, ["a passed", "b skipped", "g/c passed", "g/d skipped", "e todo"]);
  assert.deepEqual(all.summary, { files: 1, passed: 2, failed: 0, skipped: 2, todo: 1 });
  const some = await outcome(declare, { filter: "g c" });
  assert.deepEqual(some.lines, ["a skipped", "b skipped", "g/c passed", "g/d skipped", "e todo"]);
});

nodeTest("a test fails by a throw, a rejection or its time", async () => {
  const { results } = await outcome(() => {
    test("claim", () => expect(1).toBe(2));
    test("rejection", async () => {
      throw new TypeError("bad");
    });
    test("never", () => new Promise(() => undefined), { timeout: 5 });
    test("odd", () => {
      throw 7;
    });
  });
  const messages = results.map((result) => result.failure?.message);
  assert.equal(messages[0], "expected 1 to be 2");
  assert.equal(messages[1], "TypeError: bad");
  assert.match(messages[2] ?? "", /never took longer than 5 ms/);
  assert.equal(messages[3], "threw 7");
  assert.deepEqual([results[0]?.failure?.expected, results[0]?.failure?.actual], ["2", "1"]);
});

nodeTest("a broken hook fails the tests that need it, and no others", async () => {
  const { lines } = await outcome(() => {
    describe("g", () => {
      beforeAll(() => {
        throw new Error("no");
      });
      test("a", () => undefined);
    });
    test("b", () => undefined);
  });
  assert.deepEqual(lines, ["g/a failed", "b passed"]);
});

nodeTest("a file that does not load is a failure, and test outside a run is an error", async () => {
  const { lines, summary } = await outcome(() => {
    throw new SyntaxError("x");
  });
  assert.deepEqual(lines, ["the file loads failed"]);
  assert.equal(summary.failed, 1);
  assert.throws(() => test("x", () => undefined), /alknet test FILE/);
});

nodeTest("each makes one test a row", async () => {
  const seen: number[][] = [];
  const { lines } = await outcome(() => {
    test.each([
      [1, 2],
      [3, 4],
    ])("%d and %d", (a, b) => void seen.push([a as number, b as number]));
  });
  assert.deepEqual(lines, ["1 and 2 passed", "3 and 4 passed"]);
  assert.deepEqual(seen, [[1, 2], [3, 4]]);
});

nodeTest("what nobody catches fails the test in which it happened", async () => {
  const lost: { message: string }[] = [];
  const { lines, results } = await outcome(
    () => {
      test("loses a rejection", () => void setTimeout(() => lost.push({ message: "Error: lost" })));
      test("fails too", () => {
        lost.push({ message: "Error: also" });
        throw new Error("mine");
      });
      test("is fine", () => undefined);
    },
    { turn: () => new Promise((done) => setTimeout(done, 5)), uncaught: () => lost.splice(0) },
  );
  assert.deepEqual(lines, ["loses a rejection failed", "fails too failed", "is fine passed"]);
  assert.equal(results[0]?.failure?.message, "nobody caught: Error: lost");
  assert.match(results[1]?.failure?.message ?? "", /mine\nnobody caught: Error: also/);
});

nodeTest("the host hears of a test before it begins", async () => {
  const begun: unknown[] = [];
  const declare = () => describe("g", () => test("t", () => begun.push("body"), { timeout: 70 }));
  await outcome(declare, { begin: (groups, name, timeout) => begun.push([...groups, name, timeout]) });
  assert.deepEqual(begun, [["g", "t", 70], "body"]);
});

nodeTest("a file without tests fails", async () => {
  const { lines, results } = await outcome(() => describe("g", () => undefined));
  assert.deepEqual(lines, ["the file has tests failed"]);
  assert.match(results[0]?.failure?.message ?? "", /declares no tests/);
});
