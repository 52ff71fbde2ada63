/**
 * describe, test and expect: what `alknet test` runs.
 *
 * @packageDocumentation
 */
export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "./collect.ts";
export type { Body, DescribeFunction, TestFunction, TestOptions } from "./collect.ts";
export { AssertionError } from "./error.ts";
export { expect } from "./expect.ts";
export type { Assertion, Expect, Matchers } from "./expect.ts";
export { fn } from "./mock.ts";
export type { Mock } from "./mock.ts";
